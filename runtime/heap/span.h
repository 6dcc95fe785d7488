/* SPDX-License-Identifier: MIT */
/* span.h -- a stretch of pages that holds objects of one kind and size
 *
 * One page, one descriptor: the descriptor of a span stands at the index of
 * its first page in arena.spans, so a descriptor is never allocated and a page
 * number is all that it takes to name a span.  A free extent is described in
 * the same place (pages.c).
 *
 * STATES, and who may touch the descriptor in each
 *
 *   FREE     in the page heap, or inside a span   pages.lock
 *   CACHED   in one thread's cache                that thread
 *   LISTED   in a central list, has free slots    the central's lock; the
 * census once the list's epoch is over FULL     in use, nowhere listed the
 * census LARGE    one object                           its creator until it is
 *                                                 published, then the census
 *
 * `state` itself may be read by anyone: it is set with release when a span
 * changes hands, and who reads it with acquire sees what the last owner did.
 *
 * EPOCH counts cycles.  A span whose epoch is the current one has been counted
 * by this cycle's census, or was born after it began: the census skips it. */
#ifndef DUSK_HEAP_SPAN_H
#define DUSK_HEAP_SPAN_H

#include "base/atomic.h"

enum {
  PAGE_LOG2 = 13,
  PAGE_BYTES = 1 << PAGE_LOG2,
  GRANULE_LOG2 = 4,
  GRANULE_BYTES = 1 << GRANULE_LOG2,
  /* One mark bit a granule: a page's marks are one cache line. */
  PAGE_GRANULES = PAGE_BYTES / GRANULE_BYTES,
  PAGE_MARK_WORDS = PAGE_GRANULES / 64,
};

/* Page 0 is never used, so that 0 can mean "no page". */
enum { PAGE_NONE = 0 };

/* The size class of an object that has its pages to itself. */
enum { CLASS_LARGE = 255 };

enum span_state {
  SPAN_FREE,
  SPAN_CACHED,
  SPAN_LISTED,
  SPAN_FULL,
  SPAN_LARGE,
};

struct span {
  uint32_t pages;     /* length */
  uint16_t kind;      /* how its objects are read */
  uint8_t size_class; /* CLASS_LARGE: one object */
  uint8_t state;      /* enum span_state */

  uint32_t slots;      /* objects that fit */
  uint32_t size;       /* of a slot, bytes; 0 for a large object */
  uint32_t reciprocal; /* 2^32 / size, rounded up: offset to slot */

  uint32_t epoch;
  uint32_t allocated;  /* objects in it: counted, and handed out since */
  uint32_t next_slot;  /* slots below are taken, or lie in the current run */
  uint32_t run_slot;   /* first slot of the owner's current run */
  uint32_t needs_zero; /* free slots may hold something else than zeros */

  /* Links: a thread's cache (both), or a central list (next). */
  uint32_t next;
  uint32_t prev;

  /* A free extent's place in the tree of them (pages.c). */
  uint32_t left;
  uint32_t right;
  uint32_t longest;  /* the most pages of any extent in this subtree */
  uint32_t priority; /* random: the tree is a treap */
};

_Static_assert(sizeof(struct span) == CACHE_LINE, "one line a descriptor");

static inline enum span_state span_state(const struct span *span)
{
  /* Pairs with span_set_state(). */
  return (enum span_state)LOAD_ACQUIRE(&span->state);
}

static inline void span_set_state(struct span *span, enum span_state state)
{
  /* Pairs with span_state(): the new owner sees the descriptor as it is. */
  STORE_RELEASE(&span->state, (uint8_t)state);
}

/* The slot that a byte offset from the span's start lies in: a division by
 * multiplication, exact for every class (tests/unit/sizeclass.c). */
static inline uint32_t span_slot(const struct span *span, size_t offset)
{
  return (uint32_t)((offset * (uint64_t)span->reciprocal) >> 32);
}

/* Granules from one slot's start to the next. */
static inline size_t span_stride(const struct span *span)
{
  return span->size >> GRANULE_LOG2;
}

#endif
