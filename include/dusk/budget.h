/* SPDX-License-Identifier: MIT */
/* budget.h -- one memory limit for several heaps of a process
 *
 * Each heap of a budget has a limit of its own, made anew after every cycle of
 * any of them.  A heap whose limit falls below what it holds is asked for a
 * cycle, and gives back what is free then; others are raised only after that.
 */
#ifndef DUSK_BUDGET_H
#define DUSK_BUDGET_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Heaps that share a number of bytes; one of them is in one budget at most. */
typedef struct dusk_budget dusk_budget;

/* Makes a budget of so many bytes, with no heap in it.  Any thread.
 *
 * Returns 0 and it in *budget; EINVAL (budget is NULL, bytes < 0), ENOMEM.  On
 * failure *budget is not written.  The caller owns it: dusk_budget_close(). */
DUSK_API int dusk_budget_open(int64_t bytes, dusk_budget **budget);

/* Ends a budget.  Any thread.  NULL is allowed.  With heaps still in it, it
 * prints one line on stderr, counting them, and changes nothing. */
DUSK_API void dusk_budget_close(dusk_budget *budget);

/* Sets the number of bytes; negative: changes nothing.  Any thread.  Returns
 * the old number; a NULL budget: -1. */
DUSK_API int64_t dusk_budget_set(dusk_budget *budget, int64_t bytes);

/* Puts a heap into a budget.  From now on the lower of its share and of its own
 * memory limit is its limit.  Every heap gets what it could not give up, and
 * some more; what remains is divided in proportion to what is live in each, or,
 * if all follow DUSK_POLICY_BALANCE, by the rule of that policy, and less to a
 * heap that has stopped allocating.  Any thread, at any time.
 *
 * Returns 0; EINVAL (a NULL argument), EBUSY (the heap is in a budget), ENOSPC
 * (256 heaps are in this one).  The budget must not be closed meanwhile. */
DUSK_API int dusk_budget_join(dusk_budget *budget, dusk_heap *heap);

/* Takes a heap out of its budget: its own memory limit holds again.  Closing a
 * heap does the same.  Any thread.
 *
 * Returns 0; EINVAL (heap is NULL, or in no budget). */
DUSK_API int dusk_budget_leave(dusk_heap *heap);

#ifdef __cplusplus
}
#endif

#endif
