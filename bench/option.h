/* SPDX-License-Identifier: MIT */
/* option.h -- the command line that every program here shares
 *
 * A program lists its options in a table, which ends with an empty row.  Each
 * becomes --NAME=VALUE, with its default in --help; --quick makes the sizes
 * that were not given small enough to try the program in a second. */
#ifndef DUSK_BENCH_OPTION_H
#define DUSK_BENCH_OPTION_H

#include <stdint.h>

struct option_row {
  const char *name;
  const char *help;
  uint64_t value; /* the default; after option_parse() what was asked for */
  uint64_t quick; /* what --quick makes of it */
  const char *const *words; /* not NULL: a choice; `value` is its index */
};

struct option_program {
  const char *name;
  const char *peer; /* whose memory it measures: PEER_NAME */
  const char *about;
};

/* Parses the command line into `rows`, then prints a line `# name peer options`
 * for human readers.  Ends the program on --help and on a bad command line. */
void option_parse(const struct option_program *program, struct option_row *rows,
                  int argc, char **argv);

#endif
