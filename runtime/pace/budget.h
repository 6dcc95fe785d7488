/* SPDX-License-Identifier: MIT */
/* budget.h -- one number of bytes for several heaps
 *
 * Arithmetic only; collect/budget.c calls it under the budget's lock.
 *
 * Tested by tests/unit/budget.c. */
#ifndef DUSK_PACE_BUDGET_H
#define DUSK_PACE_BUDGET_H

#include "pace/pacer.h"

/* What is known of a heap, and what it gets.  Sizes in bytes. */
struct budget_share {
  uint64_t floor; /* it could not give this up now: live, and beside the heap */
  uint64_t held;  /* it has this from the system */
  double weight;  /* what is above floors is divided by it; not negative */
  uint64_t limit; /* budget_divide */
};

/* Everybody gets the floor and some headroom; what then remains of `total` is
 * divided by weight.  When floors leave less than the headroom, that is
 * divided; when they leave nothing, everybody gets the floor, and `total` does
 * not hold.
 *
 * Who is to grow waits for who is to shrink: until those that hold more than
 * their limit have given it up, the others are not raised as far. */
void budget_divide(struct budget_share *shares, unsigned count, uint64_t total);

/* What a heap's share is in proportion to.  allocated, idle_ns: since its last
 * cycle, which ended with `live` bytes.  square_root: every heap of the budget
 * follows PACER_BALANCE, and knows its speeds. */
double budget_weight(const struct balance *b, bool square_root, uint64_t live,
                     uint64_t allocated, uint64_t idle_ns);

#endif
