/* SPDX-License-Identifier: MIT */
/* balance.h -- memory where it saves the most collection
 *
 * The square-root rule of Kirisame, Shenoy and Panchekha, "Optimal heap limits
 * for reducing browser memory use" (OOPSLA 2022).  A heap with L bytes live,
 * which allocates g bytes a second and is marked at s bytes a second, spends
 *
 *   L / s * g / extra
 *
 * of its time marking when each cycle begins after `extra` bytes more.  Among
 * heaps that share memory the sum of that is least when a byte more would save
 * each of them the same, and that is so when, with one c for all,
 *
 *   extra = sqrt(L * g / (s * c))
 *
 * A percent instead gives to a large heap that hardly allocates what a small
 * busy one needs.  Arithmetic only; pacer.c calls it under the lock that it is
 * called under.
 *
 * Tested by tests/unit/balance.c. */
#ifndef DUSK_PACE_BALANCE_H
#define DUSK_PACE_BALANCE_H

#include "base/compiler.h"

/* Sums over the past cycles, each counting half as much as the one after it. */
struct balance {
  double allocated;   /* bytes */
  double interval_ns; /* in which they were */
  double work;        /* bytes */
  double marking_ns;  /* that they take */
};

struct balance_cycle {
  uint64_t allocated;   /* since the cycle before, bytes */
  uint64_t interval_ns; /* of that, by the clock on the wall; 0: not known */
  uint64_t work;        /* bytes scanned */
  double marking_ns;    /* that all processors would have taken for it */
};

/* Figures that measure nothing, as those of an interval that is not known,
 * leave it as it is. */
void balance_note(struct balance *b, const struct balance_cycle *cycle);

/* Has there been a cycle to learn from? */
bool balance_is_known(const struct balance *b);

/* sqrt(L * g / s), in square roots of a byte: what the heap's share of memory
 * is in proportion to.  allocated, idle_ns: since the last cycle, which so
 * long without one has shown to be past.  balance_is_known. */
double balance_weight(const struct balance *b, uint64_t live,
                      uint64_t allocated, uint64_t idle_ns);

/* How fast the heap allocates, next to how fast it did: 1 until its last cycle
 * is further past than cycles were apart, then less and less.  1 as long as
 * nothing is known. */
double balance_activity(const struct balance *b, uint64_t allocated,
                        uint64_t idle_ns);

/* Bytes to allocate before a cycle is worth its cost.  gc_percent says what
 * memory is worth: see balance.c for the heap at which it is the percent of
 * live that it is elsewhere.  balance_is_known. */
uint64_t balance_extra(const struct balance *b, uint64_t live,
                       unsigned gc_percent);

#endif
