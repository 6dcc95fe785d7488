/* SPDX-License-Identifier: MIT */
/* budget.h -- heaps that share one number of bytes
 *
 *   cycle over, join, leave, resize --> budget_settle --> a limit for each heap
 *
 * Each member is told a limit of its own, which holds as its memory limit does
 * where it is lower than that.  Shares are made by pace/budget. */
#ifndef DUSK_COLLECT_BUDGET_H
#define DUSK_COLLECT_BUDGET_H

#include "collect/heap.h"

enum { BUDGET_HEAPS_MAX = 256 };

struct dusk_budget {
  struct lock lock; /* RANK_budget; guards all of this */
  int64_t bytes;
  unsigned count;
  struct dusk_heap *heaps[BUDGET_HEAPS_MAX];
  struct dusk_budget *next_open; /* in the process's list, under its lock */
};

/* NULL: there is no memory. */
struct dusk_budget *budget_open(int64_t bytes);

/* Returns how many heaps are in it; it is gone only if that is none. */
unsigned budget_close(struct dusk_budget *budget);

/* Returns the old size.  Negative: changes nothing. */
int64_t budget_set(struct dusk_budget *budget, int64_t bytes);

/* 0; EBUSY: the heap is in a budget; ENOSPC: BUDGET_HEAPS_MAX are in it. */
WARN_UNUSED int budget_join(struct dusk_budget *budget, struct dusk_heap *heap);

/* false: it is in none. */
bool budget_leave(struct dusk_heap *heap);

/* A cycle of the heap is over: shares are made anew, and it gives free memory
 * back that it may not keep.  The driver, with no lock. */
void budget_settle(struct dusk_heap *heap);

#endif
