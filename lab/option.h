/* SPDX-License-Identifier: MIT */
/* option.h -- command lines: what getopt_long() could not make sense of, and
 * the whole of one */
#ifndef DUSK_LAB_OPTION_H
#define DUSK_LAB_OPTION_H

#include <getopt.h>
#include <stddef.h>

/* getopt_long() with opterr = 0 and a string that begins with ':' has returned
 * '?' or ':' for an option that begins with "--"; all values of `known` are
 * beyond every character.  Says what is wrong with it, and ends the program.
 * `command` is such as "run", or "work churn". */
_Noreturn void option_refuse(const char *command, const struct option *known,
                             int key, char **argv);

/* The command line as it was, "dusk-lab" first; cut to fit. */
void option_join(int argc, char **argv, char *text, size_t size);

#endif
