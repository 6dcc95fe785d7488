/* SPDX-License-Identifier: MIT */
/* arena.h -- one contiguous reservation of pages, and the tables beside it
 *
 *   pages        |........|........|........|  8 KiB each
 *   marks[0..1]  one line a page, twice: roles swap each cycle (markbits.h)
 *   info         one word a page: which span, kind and class (pageinfo.h)
 *   spans        one descriptor a page (span.h)
 *   heads        one bit a page: a span in use begins here
 *   dirty        one bit a page: not known to read as zero
 *   chunks       how many pages of 512 are in use, and how many are dirty
 *
 * All are reserved at once and made usable as the heap grows, in step; so every
 * look-up is an addition and a load.  "Is this word a heap address?" is a
 * subtraction and a compare with `bytes`.
 *
 * The tables cost 64 * 2 + 8 + 64 bytes and two bits a page: 2.4 % of what is
 * touched. */
#ifndef DUSK_HEAP_ARENA_H
#define DUSK_HEAP_ARENA_H

#include "event/counters.h"
#include "heap/kind.h"
#include "heap/markbits.h"
#include "heap/pageinfo.h"
#include "heap/pages.h"
#include "heap/profile.h"
#include "heap/sizeclass.h"
#include "heap/span.h"

struct central;
struct origins;
struct shadow;

struct arena {
  uintptr_t base;
  size_t bytes; /* of the reservation of pages */

  uint64_t *marks[2];
  uint64_t *info;
  struct span *spans;
  uint64_t *heads;
  uint64_t *dirty;
  struct chunk *chunks;
  struct central *centrals; /* [kind][class] */

  void *tables; /* the reservation that the tables share */
  size_t tables_bytes;
  uint64_t tables_usable; /* bytes made usable, guarded by pages.lock */

  uint32_t huge_pages; /* pages to one of the system's huge pages */

  /* Set before anything is allocated (collect/careful.h).  Careful: a run is
   * one slot, so that each allocation goes the slow way and can be looked at.
   */
  bool careful;
  bool poison;             /* what dies is filled (heap/freed.h) */
  bool efence;             /* an object has its pages to itself, once */
  bool fence_is_open;      /* some could not be closed: the census */
  bool watched;            /* a memory checker is told (os/tools.h) */
  bool copies;             /* ambiguous words are read as Valgrind wants it */
  struct origins *origins; /* NULL: stacks are not kept (heap/origin.h) */
  bool fenced;             /* its pages notice stores (os/fence.h) */
  struct shadow *shadow;   /* NULL: stores are not checked (heap/shadow.h) */
  struct profile profile;  /* for the heap profile */

  struct sizeclass classes[DUSK_SIZE_CLASSES];
  struct kinds kinds;

  /* Pages that were made ready for the heap: written under pages.lock, read by
   * anyone; nothing at or beyond it is in a span. */
  uint32_t end;

  _Alignas(CACHE_LINE) struct pages pages;
  _Alignas(CACHE_LINE) struct flow flow;
};

/* Reserves.  `bytes` 0: what suits the machine.  Returns 0 or ENOMEM. */
WARN_UNUSED int arena_open(struct arena *arena, size_t bytes);
void arena_close(struct arena *arena);

/* Makes pages below `page` usable, and their tables.  With pages.lock. */
WARN_UNUSED bool arena_commit(struct arena *arena, uint32_t page);

/* Defines a kind and makes its centrals usable. */
WARN_UNUSED int arena_define_kind(struct arena *arena,
                                  const dusk_kind_spec *spec, dusk_kind *kind);

static inline void *arena_page(const struct arena *arena, uint32_t page)
{
  return (void *)(arena->base + ((uintptr_t)page << PAGE_LOG2));
}

static inline uint32_t arena_page_of(const struct arena *arena, uintptr_t word)
{
  return (uint32_t)((word - arena->base) >> PAGE_LOG2);
}

/* Could this word be an address in the heap? */
static inline bool arena_holds(const struct arena *arena, uintptr_t word)
{
  return word - arena->base < arena->bytes;
}

static inline size_t arena_granule(const struct arena *arena, uintptr_t address)
{
  return (address - arena->base) >> GRANULE_LOG2;
}

static inline uint32_t arena_span_page(const struct arena *arena,
                                       const struct span *span)
{
  return (uint32_t)(span - arena->spans);
}

static inline size_t span_first_granule(const struct arena *arena,
                                        const struct span *span)
{
  return (size_t)arena_span_page(arena, span) * PAGE_GRANULES;
}

static inline uintptr_t span_slot_address(const struct arena *arena,
                                          const struct span *span,
                                          uint32_t slot)
{
  return (uintptr_t)arena_page(arena, arena_span_page(arena, span)) +
         (uintptr_t)slot * span->size;
}

static inline size_t span_bytes(const struct span *span)
{
  return (size_t)span->pages << PAGE_LOG2;
}

/* A span of free slots, CACHED, of the given epoch; NULL: no memory. */
WARN_UNUSED struct span *span_make(struct arena *arena, uint16_t kind,
                                   uint8_t size_class, uint32_t epoch);

/* A span for one object of at least `bytes`, LARGE, not yet zeroed. */
WARN_UNUSED struct span *span_make_large(struct arena *arena, uint16_t kind,
                                         size_t bytes, uint32_t epoch);

/* Makes the span known to look-ups: after it reads as an empty span or a zeroed
 * object. */
void span_publish(struct arena *arena, struct span *span);

/* Takes a span out of all look-ups; its bits are clear in both bitmaps.  Its
 * pages are the caller's to give back. */
void span_unpublish(struct arena *arena, struct span *span);

/* The first page at or after `page` where a span in use begins; PAGE_NONE:
 * there is none.  Any thread: spans that appear meanwhile may be missed. */
uint32_t arena_next_head(const struct arena *arena, uint32_t page);

/* The object that the word points into; false: none.  "Object" is a slot of a
 * span in use; whether it is allocated is for the caller to ask. */
struct object {
  uintptr_t start;
  size_t bytes;
  struct span *span;
};
bool object_find(const struct arena *arena, uintptr_t word,
                 struct object *object);

#endif
