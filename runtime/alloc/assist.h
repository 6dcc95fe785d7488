/* SPDX-License-Identifier: MIT */
/* assist.h -- paying for allocation by marking
 *
 * While a cycle marks, each byte allocated has a price in bytes of scan work,
 * such that marking ends before the heap reaches its goal (PACING 3.5, 3.8).  A
 * thread is charged for what it takes, and settles before it takes more: from
 * the credit that background workers have earned, and else by marking.  If
 * there is nothing to mark it goes on in debt: short of the hard wall
 * allocation waits for nobody. */
#ifndef DUSK_ALLOC_ASSIST_H
#define DUSK_ALLOC_ASSIST_H

#include "collect/heap.h"

/* The thread takes `bytes`. */
static inline void assist_charge(struct dusk_thread *thread, uint64_t bytes)
{
  if (collector_phase(thread_collector(thread)) == PHASE_MARK)
    thread->credit -= (int64_t)bytes;
}

/* Pays what the thread owes, if it can.  A safepoint; may mark. */
void assist_settle(struct dusk_thread *thread);

/* Over the goal.  While the driver has all it needs but a processor: lets it
 * have this one, for a bounded time, and never waits for another mutator.  At
 * the hard wall: waits for a cycle to end.  A safepoint. */
void assist_step_aside(struct dusk_thread *thread);

#endif
