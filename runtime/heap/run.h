/* SPDX-License-Identifier: MIT */
/* run.h -- stretches of neighbouring free slots in a span
 *
 * Allocation is a bump in a run.  Only the thread that has the span in its
 * cache calls these. */
#ifndef DUSK_HEAP_RUN_H
#define DUSK_HEAP_RUN_H

#include "heap/arena.h"

struct run {
  uint32_t slot;  /* first */
  uint32_t slots; /* how many; 0: the span has no more */
  uintptr_t start;
  uintptr_t limit;
};

/* The next run at or after span->next_slot that `allocated` shows as free; one
 * slot of it if the arena is careful.
 * Zeroed, unless it is known to be; span->next_slot moves behind it, so that no
 * slot is handed out twice in an epoch. */
struct run run_next(const struct arena *arena, const uint64_t *allocated,
                    struct span *span);

#endif
