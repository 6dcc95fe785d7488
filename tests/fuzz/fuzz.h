/* SPDX-License-Identifier: MIT */
/* fuzz.h -- one input, from libFuzzer or from main.c
 *
 * A target aborts if the input shows a mistake, and forgets it otherwise. */
#ifndef DUSK_TESTS_FUZZ_FUZZ_H
#define DUSK_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What main.c runs besides the corpus, and where that is. */
extern const char *const fuzz_name;
extern const unsigned fuzz_runs;

#define FUZZ_EXPECT(condition)                                                 \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);  \
      abort();                                                                 \
    }                                                                          \
  } while (0)

#endif
