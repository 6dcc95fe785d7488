/* SPDX-License-Identifier: MIT */
/* timings.h -- how long what held a thread up took
 *
 * Written by the thread itself in its slow paths, or for it while it is SERVED;
 * read by any; all accesses are relaxed. */
#ifndef DUSK_EVENT_TIMINGS_H
#define DUSK_EVENT_TIMINGS_H

#include "event/histogram.h"
#include "event/utilisation.h"

struct timings {
  struct histogram service; /* serving a handshake, or waiting for the one who
                               serves it */
  struct histogram answer;  /* from the posting of a round to the safepoint at
                               which the thread serves it */
  struct histogram copy;    /* of the stack */
  struct histogram slow;    /* of allocation's slow path, one in 16 */
  uint64_t copied_bytes;
  uint64_t slow_paths;
  uint64_t longest_answer_ns;
  struct worst worst;
};

/* The thread has come to its safepoint; true: none of its answers took as long
 * before. */
bool timings_answer(struct timings *timings, uint64_t ns);

/* sum += timings.  One writer of `sum` at a time. */
void timings_fold(struct timings *sum, const struct timings *timings);

/* Counts a slow path; true: it is to be timed.  Reading the clock twice costs
 * as much as ten small objects, so it is done for one in 16; multiples of the
 * golden ratio are spread so evenly that no rhythm of a program hides from
 * them. */
static inline bool timings_count_slow(struct timings *timings)
{
  uint64_t number = LOAD_RELAXED(&timings->slow_paths) + 1;
  STORE_RELAXED(&timings->slow_paths, number);
  return number * UINT64_C(0x9e3779b97f4a7c15) >> 60 == 0;
}

#endif
