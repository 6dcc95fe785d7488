/* SPDX-License-Identifier: MIT */
/* pages.h -- the page heap: which pages are free
 *
 * Free extents are nodes of a treap ordered by address, each in the descriptor
 * of its first page; a node knows the longest extent below it, so that the
 * lowest extent that is long enough is found in O(log extents).  The lowest
 * address first keeps the heap dense at its low end.
 *
 * Pages at and beyond `frontier` were never handed out.  They are not in the
 * tree, and they read as zero.
 *
 * Everything here is guarded by `lock`. */
#ifndef DUSK_HEAP_PAGES_H
#define DUSK_HEAP_PAGES_H

#include "base/lock.h"
#include "heap/span.h"

struct arena;

struct pages {
  struct lock lock; /* RANK_pages */
  uint32_t root;
  uint32_t frontier;
  uint32_t committed;  /* pages below are usable */
  uint32_t limit;      /* pages reserved */
  uint64_t cap;        /* pages that may be in use; atomic */
  uint32_t random;     /* state of the treap's priorities */
  uint64_t in_use;     /* pages in spans */
  uint64_t idle_dirty; /* free pages that hold memory */
  uint64_t released;   /* bytes ever given back: a cumulative count */
};

struct pages_figures {
  uint64_t committed; /* bytes */
  uint64_t in_use;
  uint64_t released; /* free and without memory */
  uint64_t tables;   /* of the tables that describe the committed pages */
};

void pages_init(struct pages *pages, uint32_t limit);

/* Takes `count` neighbouring pages; PAGE_NONE: there are none, and the heap
 * cannot grow.  *needs_zero: they may hold something else than zeros. */
WARN_UNUSED uint32_t pages_take(struct arena *arena, uint32_t count,
                                bool *needs_zero);
void pages_give(struct arena *arena, uint32_t page, uint32_t count);

/* No more than so many bytes of pages may be in use from now on; what is
 * already stays.  UINT64_MAX: as many as are reserved.  Any thread. */
void pages_set_cap(struct pages *pages, uint64_t bytes);

/* Returns free pages that hold memory to the system; bytes. */
uint64_t pages_release(struct arena *arena);

struct pages_figures pages_read(struct arena *arena);

#endif
