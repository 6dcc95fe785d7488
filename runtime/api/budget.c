/* SPDX-License-Identifier: MIT */
/* budget.c -- one memory limit for several heaps of a process
 *
 * Tested by tests/api/budget.c. */
#include "api/fork.h"

#include "base/check.h"

#include "dusk/budget.h"

#include <errno.h>

int dusk_budget_open(int64_t bytes, dusk_budget **budget)
{
  if (!budget || bytes < 0)
    return EINVAL;
  dusk_budget *made = budget_open(bytes);
  if (!made)
    return ENOMEM;
  fork_add_budget(made);
  *budget = made;
  return 0;
}

void dusk_budget_close(dusk_budget *budget)
{
  unsigned heaps = budget ? fork_close_budget(budget) : 0;
  if (heaps)
    complain("dusk_budget_close: %u heap%s still in budget %p; it stays open",
             heaps, heaps == 1 ? " is" : "s are", (void *)budget);
}

int64_t dusk_budget_set(dusk_budget *budget, int64_t bytes)
{
  return budget ? budget_set(budget, bytes) : -1;
}

int dusk_budget_join(dusk_budget *budget, dusk_heap *heap)
{
  return budget && heap ? budget_join(budget, heap) : EINVAL;
}

int dusk_budget_leave(dusk_heap *heap)
{
  return heap && budget_leave(heap) ? 0 : EINVAL;
}
