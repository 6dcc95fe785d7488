/* SPDX-License-Identifier: MIT */
/* cache.h -- a thread's runs, and the spans that they are cut from
 *
 *   central, pages --> cache_adopt() --> held spans --> cache_next_run() -->
 * run
 *
 * For each kind and size class a thread holds at most one span, and of it one
 * run, which the inlined allocation consumes.  All calls are made by the owner,
 * or by the collector while the thread is SERVED.
 *
 * PUBLISHING.  The bitmap of allocated slots learns of white objects late: when
 * their run is used up, and at H2 for what is consumed by then.  Nobody asks in
 * between (heap/shade.h).  Black objects have their mark bits set when their
 * run is taken, and need nothing else. */
#ifndef DUSK_MUTATOR_CACHE_H
#define DUSK_MUTATOR_CACHE_H

#include "mutator/thread.h"

static inline struct dusk_run *cache_run(struct dusk_thread *thread,
                                         dusk_kind kind, unsigned size_class)
{
  return &thread->abi.rows[kind].runs[size_class];
}

/* The span that the run was cut from; NULL: there is none. */
struct span *cache_span(struct dusk_thread *thread, const struct dusk_run *run);

/* The run is used up: takes the next one of its span.  false: the span has no
 * more, and has left the cache, or there was no span. */
WARN_UNUSED bool cache_next_run(struct dusk_thread *thread, dusk_kind kind,
                                unsigned size_class);

/* The run is used up as far as it can be without a sample: takes the object
 * that must be sampled.  NULL: the run is used up. */
void *cache_take_sampled(struct dusk_thread *thread, dusk_kind kind,
                         unsigned size_class);

/* Takes a CACHED span of the thread's epoch into the cache, and its next run.
 * false: it has no free slot, and has left again. */
WARN_UNUSED bool cache_adopt(struct dusk_thread *thread, struct span *span);

/* At H2: publishes what is allocated, and turns what is left of each run
 * black. */
void cache_blacken(struct dusk_thread *thread);

/* At H4: gives up all runs and spans, for the census to count; what is left of
 * the runs loses its marks. */
void cache_drop(struct dusk_thread *thread);

/* Before H4 was posted: gives all spans back to the central lists of the
 * thread's epoch, because it leaves, or is to begin anew at H2. */
void cache_leave(struct dusk_thread *thread);

/* Counts a large object. */
void cache_count_large(struct dusk_thread *thread, uint64_t bytes);

/* Adds what the thread has allocated in its life.  Any thread, with the
 * registry's lock; waits for nobody. */
void cache_read(const struct dusk_thread *thread, struct tally *sum);

#endif
