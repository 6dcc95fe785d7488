/* SPDX-License-Identifier: MIT */
/* stats.h -- MemStats: folding all counters */
#ifndef DUSK_REPORT_STATS_H
#define DUSK_REPORT_STATS_H

#include "collect/heap.h"

#include "dusk/stats.h"

/* All that was ever allocated, and all that was freed: read first, so that it
 * is never more. */
void stats_read_objects(struct dusk_heap *heap, struct tally *allocated,
                        struct tally *freed);

/* See dusk_read_memstats(). */
void stats_read(struct dusk_heap *heap, dusk_memstats *out);

/* Processor time that collection took, ns. */
uint64_t stats_gc_cpu(struct dusk_heap *heap);

/* Share of the processors' time since the heap was opened that collection took,
 * 0 to 1. */
double stats_cpu_fraction(struct dusk_heap *heap);

/* A cycle is over. */
void stats_add_cycle(struct dusk_heap *heap, const struct cycle_record *record);

#endif
