/* SPDX-License-Identifier: MIT */
/* limiter.h -- how much of the processors collection may take
 *
 *   time spent marking, idle, passed --> [limiter] --> no assists for now
 *
 * A heap that cannot meet its goal, as under a memory limit below what is
 * alive, would be collected without end, and its program would do nothing but
 * assist.  The limiter bounds that: collection may hold more than half of the
 * processor time that is used for about a second, not longer.
 *
 * A leaky bucket of processor time: what collection takes flows in, what the
 * program gets flows out, and while the bucket is full nobody assists.
 *
 * THE CALLS
 *
 *   limiter_init
 *   limiter_begin, limiter_finish  around the moment when a cycle begins, and
 *                                  around that when it ends
 *   limiter_is_due                 anybody: has a period passed?
 *   limiter_update                 then
 *   limiter_set_processors         whenever their number changes
 *   limiter_add_gc, _add_idle      anybody, whenever time was spent
 *   limiter_is_on                  anybody, before an assist
 *
 * Arithmetic, like the pacer: it is told the time.  The caller serialises all
 * calls but the last three and limiter_is_due(), which any thread may make. */
#ifndef DUSK_PACE_LIMITER_H
#define DUSK_PACE_LIMITER_H

#include "base/atomic.h"

/* The least time between two updates, ns. */
enum { LIMITER_PERIOD_NS = 10 * 1000 * 1000 };

/* Times are processor time, ns, unless said. */
struct limiter {
  /* limiter_init, limiter_set_processors. */
  unsigned processors;
  int64_t capacity; /* of the bucket: a second of all processors */
  double background;

  /* limiter_update and all that update.  The first three are atomic, for
   * readers that hold no lock: nothing is published by them. */
  uint32_t on;
  uint64_t updated_ns; /* when, the caller's clock */
  uint64_t last_on;    /* number of the cycle in which it last went on, from
                          1; 0: never */
  int64_t fill;        /* 0 to capacity */
  uint64_t overflow;   /* what a full bucket would not take */

  /* limiter_begin, limiter_finish. */
  bool gc_on;
  uint64_t cycles; /* that have ended */

  /* Added to by any thread, emptied by each update; atomic. */
  uint64_t gc_ns;
  uint64_t idle_ns;
};

/* background: the share of the processors that is taken to mark while a cycle
 * runs, without anybody telling, 0 to 1; 0: all marking is told. */
void limiter_init(struct limiter *l, uint64_t now_ns, unsigned processors,
                  double background);

/* A cycle begins (gc_on) or ends.  From here to limiter_finish() all processors
 * work for the collector, stopped or not; equal times where nothing stops.
 * Between the two no other call that updates. */
void limiter_begin(struct limiter *l, bool gc_on, uint64_t now_ns);
void limiter_finish(struct limiter *l, uint64_t now_ns);

/* Accounts for the time since the last update. */
void limiter_update(struct limiter *l, uint64_t now_ns);

void limiter_set_processors(struct limiter *l, uint64_t now_ns,
                            unsigned processors);

/* Has more than a period passed since the last update? */
static inline bool limiter_is_due(const struct limiter *l, uint64_t now_ns)
{
  uint64_t updated_ns = LOAD_RELAXED(&l->updated_ns);
  return now_ns > updated_ns && now_ns - updated_ns > LIMITER_PERIOD_NS;
}

/* Assists, and pages that allocation gave back; background marking as far as it
 * is not in `background`. */
static inline void limiter_add_gc(struct limiter *l, uint64_t ns)
{
  ADD_RELAXED(&l->gc_ns, ns);
}

/* Time of processors that the program did not want, used for marking or not. */
static inline void limiter_add_idle(struct limiter *l, uint64_t ns)
{
  ADD_RELAXED(&l->idle_ns, ns);
}

/* Shall nobody assist? */
static inline bool limiter_is_on(const struct limiter *l)
{
  return LOAD_RELAXED(&l->on);
}

/* The number of the cycle in which it last went on; 0: never. */
static inline uint64_t limiter_last_on(const struct limiter *l)
{
  return LOAD_RELAXED(&l->last_on);
}

#endif
