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
 * A CLAIM is a stretch of free pages that somebody has cut out of the tree to
 * return its memory to the system with the lock free (scavenge.c).  Nobody can
 * take it meanwhile; it counts as free in all figures.
 *
 * Everything here is guarded by `lock`, but for what says otherwise. */
#ifndef DUSK_HEAP_PAGES_H
#define DUSK_HEAP_PAGES_H

#include "base/atomic.h"
#include "base/lock.h"
#include "heap/span.h"

struct arena;

/* The heap grows by this much at a time, two huge pages on most machines; and
 * memory is returned with a look at so much at once. */
enum { CHUNK_PAGES = 512 };
#define CHUNK_BYTES ((size_t)CHUNK_PAGES * PAGE_BYTES)

/* What a chunk's pages are used for; guarded by pages.lock. */
struct chunk {
  uint16_t in_use;      /* pages in spans */
  uint16_t last_in_use; /* when the marking of the last cycle had ended */
  uint16_t dirty;       /* free pages that hold memory */
  uint16_t reserved;
};

/* Who returned memory, for the counters. */
enum scavenge_by {
  SCAVENGE_BACKGROUND, /* the heap's own thread */
  SCAVENGE_EAGER,      /* a thread that made the heap grow */
  SCAVENGE_ASKED,      /* dusk_release_memory() */
  SCAVENGE_BYS
};

/* Memory given back, ever, by who did it. */
struct scavenged {
  uint64_t bytes[SCAVENGE_BYS];
  uint64_t ns[SCAVENGE_BYS];
};

/* Where memory is looked for: see scavenge.c. */
enum { SCAVENGE_LEVELS = 4 };

struct pages {
  struct lock lock; /* RANK_pages */
  uint32_t root;
  uint32_t frontier;
  uint32_t committed;   /* pages below are usable */
  uint32_t limit;       /* pages reserved */
  uint32_t random;      /* state of the treap's priorities */
  uint64_t cap;         /* pages that may be in use; atomic */
  uint32_t claims;      /* stretches cut out at the moment */
  uint64_t in_use;      /* pages in spans */
  uint64_t last_in_use; /* when the marking of the last cycle had ended */
  uint64_t idle_dirty;  /* free pages that hold memory */
  uint64_t released;    /* bytes ever given back: a cumulative count */
  uint64_t retired;     /* pages that are never used again */

  /* No page at or beyond it can be returned at that level. */
  uint32_t tops[SCAVENGE_LEVELS];
  struct scavenged scavenged;

  /* Published by the collector, read by who takes pages: bytes that the pages
   * which hold memory may have under the memory limit, and beyond which a heap
   * that grows gives something back for it.  UINT64_MAX: any.  Atomic. */
  uint64_t ready_limit;
  uint64_t retain;
  uint32_t eager_is_off; /* who takes pages gives none back, whatever these say:
                            the limiter is on; atomic */
};

struct pages_figures {
  uint64_t committed; /* bytes */
  uint64_t in_use;
  uint64_t released; /* free and without memory */
  uint64_t tables;   /* of the tables that describe the committed pages */
};

void pages_init(struct pages *pages, uint32_t limit);

/* Takes `count` neighbouring pages; PAGE_NONE: there are none, and the heap
 * cannot grow.  *needs_zero: they may hold something else than zeros.  May give
 * memory back to make room for them under `ready_limit` and `retain`. */
WARN_UNUSED uint32_t pages_take(struct arena *arena, uint32_t count,
                                bool *needs_zero);
void pages_give(struct arena *arena, uint32_t page, uint32_t count);

/* Pages that were in use are not, and never will be; they hold no memory. */
void pages_retire(struct arena *arena, uint32_t page, uint32_t count);

/* No more than so many bytes of pages may be in use from now on; what is
 * already stays.  UINT64_MAX: as many as are reserved.  Any thread. */
void pages_set_cap(struct pages *pages, uint64_t bytes);

/* The marking of a cycle has ended, and nothing has been freed yet: what is in
 * use now is likely to be again.  The driver. */
void pages_note_use(struct arena *arena);

/* Nothing is likely to be used again soon: the program is idle. */
void pages_forget_use(struct arena *arena);

struct pages_figures pages_read(struct arena *arena);

/* In the child of a fork, where nobody else is: whatever lies in no span that
 * arena_next_head() finds is free, claims and what vanished threads had taken
 * included. */
void pages_rebuild(struct arena *arena);

/* For scavenge.c.  With the lock. */

/* The last free extent that begins below `page`, or 0. */
uint32_t pages_extent_below_locked(const struct arena *arena, uint32_t page);

/* Free pages among these that hold memory. */
uint32_t pages_count_dirty_locked(const struct arena *arena, uint32_t page,
                                  uint32_t count);

/* Cuts a stretch out of the free extent that holds all of it; puts it back,
 * without memory if `clean`. */
void pages_claim_locked(struct arena *arena, uint32_t page, uint32_t count);
void pages_unclaim_locked(struct arena *arena, uint32_t page, uint32_t count,
                          bool clean);

#endif
