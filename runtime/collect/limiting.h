/* SPDX-License-Identifier: MIT */
/* limiting.h -- between the limiter's arithmetic and the clocks */
#ifndef DUSK_COLLECT_LIMITING_H
#define DUSK_COLLECT_LIMITING_H

#include "collect/collector.h"

void limiting_init(struct collector *collector);

/* A cycle begins, or has ended: with the control lock. */
void limiting_turn_locked(struct collector *collector, bool gc_on);

/* Accounts for the time since the last update, if a period has passed.
 * Anybody, often: returns at once if it has not, or somebody else is at it. */
void limiting_update(struct collector *collector, uint64_t now_ns);

/* Has collection had more than half for too long, for the sake of a memory
 * limit?  Then nobody assists, nobody steps aside, and allocation gives no page
 * back; unless the program has chosen to be slowed down.  Any thread; a hint, a
 * moment old.
 *
 * Go's limiter is for any goal.  But a goal that the GC percent sets is one
 * that a cycle can reach, and what collection costs is bounded by the percent:
 * with the limiter on, bench/trees took 14 % less processor time and 1.5 times
 * the memory that its percent promises. */
static inline bool limiting_is_on(const struct collector *collector)
{
  const struct pacing *pacing = &collector->pacing;
  return UNLIKELY(limiter_is_on(&collector->limiting.limiter)) &&
         LOAD_RELAXED(&pacing->is_limited) &&
         LOAD_RELAXED(&pacing->action) != DUSK_LIMIT_SLOW;
}

#endif
