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

/* Has collection had more than half for too long?  Then nobody assists, nobody
 * steps aside, and allocation gives no page back; unless the program has chosen
 * to be slowed down.  Any thread; a hint, a moment old. */
static inline bool limiting_is_on(const struct collector *collector)
{
  return UNLIKELY(limiter_is_on(&collector->limiting.limiter)) &&
         LOAD_RELAXED(&collector->pacing.action) != DUSK_LIMIT_SLOW;
}

#endif
