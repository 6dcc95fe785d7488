/* SPDX-License-Identifier: MIT */
/* histogram.h -- times, in the buckets of Go's runtime/metrics
 *
 *   bucket   0        below zero: always empty, there for the shape
 *   buckets  1-4      from 0 ns, each 64 ns wide
 *   buckets  5-160    four to each doubling, from 256 ns on
 *   bucket   161      2^47 ns, a day and a half, and more
 *
 * One writer at a time, any readers; all accesses are relaxed.  A reader may
 * find the last time in the buckets and not yet in the sum. */
#ifndef DUSK_EVENT_HISTOGRAM_H
#define DUSK_EVENT_HISTOGRAM_H

#include "base/atomic.h"

enum {
  HISTOGRAM_SUB_LOG2 = 2,   /* buckets to a doubling */
  HISTOGRAM_LOG2 = 8,       /* the first doubling begins */
  HISTOGRAM_DOUBLINGS = 40, /* the row from 0 included */
  HISTOGRAM_FIRST = 1,      /* the bucket from 0 ns on */
  HISTOGRAM_BUCKETS = (HISTOGRAM_DOUBLINGS << HISTOGRAM_SUB_LOG2) + 2,
};

struct histogram {
  uint64_t sum_ns;
  uint64_t counts[HISTOGRAM_BUCKETS];
};

/* The bucket of a time. */
unsigned histogram_bucket(uint64_t ns);

/* Where a bucket begins, ns; HISTOGRAM_FIRST and above. */
uint64_t histogram_edge(unsigned bucket);

void histogram_add(struct histogram *histogram, uint64_t ns);

/* sum += histogram.  One writer of `sum` at a time. */
void histogram_fold(struct histogram *sum, const struct histogram *histogram);

#endif
