/* SPDX-License-Identifier: MIT */
/* idle.c -- how many idle workers mark, and how many may
 *
 * ALWAYS TRUE  Nobody comes in while there are as many as may, or more.
 *
 * The word publishes nothing: what workers share, they share through the grey
 * set.  Tested by tests/unit/idle.c. */
#include "collect/idle.h"

#include "base/check.h"

static uint64_t word_of(uint32_t max, uint32_t count)
{
  return (uint64_t)max << 32 | count;
}

void idle_set_max(struct idle *idle, uint32_t max)
{
  uint64_t seen = LOAD_RELAXED(&idle->word);
  while (!CAS_ACQUIRE(&idle->word, &seen, word_of(max, (uint32_t)seen)))
    ; /* acquires nothing */
}

bool idle_enter(struct idle *idle)
{
  uint64_t seen = LOAD_RELAXED(&idle->word);
  while ((uint32_t)seen < (uint32_t)(seen >> 32))
    if (CAS_ACQUIRE(&idle->word, &seen, seen + 1)) /* acquires nothing */
      return true;
  return false;
}

void idle_leave(struct idle *idle)
{
  CHECK(idle_count(idle) > 0);
  SUB_RELAXED(&idle->word, 1);
}
