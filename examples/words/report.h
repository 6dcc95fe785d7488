/* SPDX-License-Identifier: MIT */
/* report.h -- what words prints when all is read */
#ifndef WORDS_REPORT_H
#define WORDS_REPORT_H

#include "concordance.h"

static inline double mib(uint64_t bytes)
{
  return (double)bytes / (1 << 20);
}

/* printf(), and a newline.  Leaves its caller's objects to the collector while
 * it waits for the output. */
__attribute__((format(printf, 2, 3))) void report_line(dusk_thread *thread,
                                                       const char *format, ...);

/* Prints the `top` words that stand in most places, the most frequent first,
 * equals by the alphabet.  0 or ENOMEM. */
int report_top(const struct concordance *book, dusk_thread *thread, size_t top);

/* Prints how often `text` was found, and its first places in their context. */
void report_word(const struct concordance *book, dusk_thread *thread,
                 const char *text);

/* Prints the heap's counters and pauses. */
void report_heap(dusk_heap *heap, dusk_thread *thread);

#endif
