/* SPDX-License-Identifier: MIT */
/* histogram.c -- times, in the buckets of Go's runtime/metrics
 *
 * Tested by tests/unit/histogram.c. */
#include "event/histogram.h"

enum { SUBS = 1 << HISTOGRAM_SUB_LOG2 };

unsigned histogram_bucket(uint64_t ns)
{
  unsigned row = 0;
  unsigned shift = HISTOGRAM_LOG2 - HISTOGRAM_SUB_LOG2;
  if (ns >> HISTOGRAM_LOG2) {
    unsigned log2 = 63u - (unsigned)__builtin_clzll(ns);
    row = log2 - HISTOGRAM_LOG2 + 1;
    shift = log2 - HISTOGRAM_SUB_LOG2;
  }
  if (row >= HISTOGRAM_DOUBLINGS)
    return HISTOGRAM_BUCKETS - 1;
  return HISTOGRAM_FIRST + row * SUBS + (unsigned)(ns >> shift) % SUBS;
}

uint64_t histogram_edge(unsigned bucket)
{
  unsigned row = (bucket - HISTOGRAM_FIRST) / SUBS;
  uint64_t sub = (bucket - HISTOGRAM_FIRST) % SUBS;
  unsigned shift = HISTOGRAM_LOG2 - HISTOGRAM_SUB_LOG2;
  return row ? (SUBS + sub) << (shift + row - 1) : sub << shift;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
  counter_add(&histogram->counts[histogram_bucket(ns)], 1);
  counter_add(&histogram->sum_ns, ns);
}

void histogram_fold(struct histogram *sum, const struct histogram *histogram)
{
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
    counter_add(&sum->counts[i], LOAD_RELAXED(&histogram->counts[i]));
  counter_add(&sum->sum_ns, LOAD_RELAXED(&histogram->sum_ns));
}
