/* SPDX-License-Identifier: MIT */
/* idle.h -- how many idle workers mark, and how many may
 *
 * One word, so that a worker is let in or refused by one compare-and-swap. */
#ifndef DUSK_COLLECT_IDLE_H
#define DUSK_COLLECT_IDLE_H

#include "base/atomic.h"

/* All zero: none may. */
struct idle {
  uint64_t word; /* upper half: the most; lower half: how many; atomic */
};

/* From now on so many may.  Those who are in stay until they leave. */
void idle_set_max(struct idle *idle, uint32_t max);

/* A worker comes in; false: there are as many as may. */
WARN_UNUSED bool idle_enter(struct idle *idle);
void idle_leave(struct idle *idle);

static inline uint32_t idle_count(const struct idle *idle)
{
  return (uint32_t)LOAD_RELAXED(&idle->word);
}

static inline uint32_t idle_max(const struct idle *idle)
{
  return (uint32_t)(LOAD_RELAXED(&idle->word) >> 32);
}

#endif
