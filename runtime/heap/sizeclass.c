/* SPDX-License-Identifier: MIT */
/* sizeclass.c -- how many pages a span of each size class has
 *
 * A span has the fewest pages that hold at least SLOTS_MIN objects and leave
 * at most 1/TAIL_PART of it unused behind the last one.  Longer spans would
 * cost a small heap memory that it never fills; shorter ones would go to the
 * central list, under its lock, for every few objects. */
#include "heap/sizeclass.h"

enum {
  SLOTS_MIN = 4,
  TAIL_PART = 16,
};

static uint32_t pages_for(uint32_t size)
{
  for (uint32_t pages = 1;; pages++) {
    uint32_t bytes = pages * PAGE_BYTES;
    if (bytes / size >= SLOTS_MIN && bytes % size <= bytes / TAIL_PART)
      return pages;
  }
}

void sizeclass_fill(struct sizeclass classes[DUSK_SIZE_CLASSES])
{
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++) {
    struct sizeclass *c = &classes[i];
    c->size = (uint32_t)dusk_class_size(i);
    c->pages = pages_for(c->size);
    c->slots = c->pages * PAGE_BYTES / c->size;
    c->reciprocal = (uint32_t)((UINT64_C(1) << 32) / c->size) +
                    ((UINT64_C(1) << 32) % c->size != 0);
  }
}
