/* SPDX-License-Identifier: MIT */
/* output.h -- text to a file descriptor, without a lock and without malloc */
#ifndef DUSK_INSPECT_OUTPUT_H
#define DUSK_INSPECT_OUTPUT_H

#include "base/compiler.h"

enum { OUTPUT_BYTES = 64 << 10 };

struct output {
  int fd;
  bool failed; /* from then on nothing is written */
  bool waits;  /* in a child, which may take its time to write */
  size_t used;
  char bytes[OUTPUT_BYTES];
};

void output_open(struct output *output, int fd);
void output_text(struct output *output, const char *text);
void output_number(struct output *output, uint64_t number);

/* As a string of JSON, quoted; what is not UTF-8 is taken for Latin-1. */
void output_json(struct output *output, const char *text);

/* Writes what is left.  false: not all could be written. */
WARN_UNUSED bool output_close(struct output *output);

#endif
