/* SPDX-License-Identifier: MIT */
/* limiting.c -- between the limiter's arithmetic and the clocks
 *
 * All that collects says how long it took: workers, assists, and the driver at
 * the end of a cycle.  What is left of the process's own processor time is the
 * program's; what is left of the processors was idle, or somebody else's, and
 * no reason for the program to wait less.  So a quarter for background marking
 * is not taken as given, as Go's limiter does: a driver that waits for a late
 * thread uses none of it, and would fill the bucket for nothing.
 *
 * Updated by whoever marks, and as cycles begin and end; the time between two
 * cycles is the program's.  Under the control lock.
 *
 * LIMITS  Assists are measured by the clock, since asking for a thread's
 * processor time costs a good part of one.  One that loses its processor counts
 * too long, though all together never for more than the process has used.
 * Several heaps of one process count each other's cycles as the program's.
 *
 * Tested by tests/unit/limiting.c and tests/api/limit.c. */
#include "collect/limiting.h"

#include "os/clock.h"

void limiting_init(struct collector *collector)
{
  struct limiting *limiting = &collector->limiting;
  limiter_init(&limiting->limiter, clock_now(), collector->processors, 0);
  limiting->process_ns = clock_process_cpu();
}

/* What passes until now_ns and is neither the collector's nor the program's is
 * told as idle.  With the lock. */
static void tell_idle(struct collector *collector, uint64_t now_ns)
{
  struct limiting *limiting = &collector->limiting;
  struct limiter *limiter = &limiting->limiter;
  uint64_t process_ns = clock_process_cpu();
  uint64_t used = process_ns - limiting->process_ns;
  uint64_t window =
      now_ns > limiter->updated_ns ? now_ns - limiter->updated_ns : 0;
  uint64_t had = window * limiter->processors;
  limiting->process_ns = process_ns;
  if (had > used)
    limiter_add_idle(limiter, had - used);
  uint64_t told = LOAD_RELAXED(&limiter->gc_ns);
  if (told > used)
    SUB_RELAXED(&limiter->gc_ns, told - used);
}

/* The layer of pages cannot ask.  With the lock. */
static void tell_pages(struct collector *collector)
{
  STORE_RELAXED(&collector->arena.pages.eager_is_off,
                limiting_is_on(collector));
}

void limiting_turn_locked(struct collector *collector, bool gc_on)
{
  struct limiter *limiter = &collector->limiting.limiter;
  uint64_t now_ns = clock_now();
  tell_idle(collector, now_ns);
  limiter_begin(limiter, gc_on, now_ns);
  limiter_finish(limiter, now_ns); /* nothing stops */
  tell_pages(collector);
}

void limiting_update(struct collector *collector, uint64_t now_ns)
{
  struct limiter *limiter = &collector->limiting.limiter;
  if (!limiter_is_due(limiter, now_ns) || !lock_try(&collector->pacing.lock))
    return;
  if (limiter_is_due(limiter, now_ns)) {
    tell_idle(collector, now_ns);
    limiter_update(limiter, now_ns);
    tell_pages(collector);
  }
  lock_release(&collector->pacing.lock);
}
