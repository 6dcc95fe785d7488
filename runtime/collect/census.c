/* SPDX-License-Identifier: MIT */
/* census.c -- what is left: counting mark bits, span by span
 *
 *   mark bits --> [census.c] --> central lists, free pages, live bytes
 *
 * This is the sweep, and it reads no object (but see freed.h): one line of bits
 * a page, a population count.  The marks of the cycle that ended are the
 * allocated slots of the epoch that has begun, and stay as they are; the other
 * bitmap is cleared on the way, to be the marks of the next cycle.
 *
 * Runs on the driver while the program runs in the new epoch.  It owns every
 * span of an earlier epoch: all threads have dropped theirs (H4), and no list
 * that holds one is read in the new epoch (central.h).  Spans that threads take
 * meanwhile have the new epoch, and are passed over.
 *
 * Go makes allocation sweep in proportion to what it takes (PACING 3.11), since
 * a sweep may last until the next cycle.  A census takes about a millisecond
 * for a GiB, and the cycle is not over before it: nobody has to help.
 *
 * .freed  A span is unpublished before its pages are given back, and both its
 *         lines of bits are clear by then: whoever takes them finds a span as
 *         good as new, but for the zeros.
 *
 * Tested by tests/unit/census.c and, by its sums, tests/api/stats.c. */
#include "collect/census.h"

#include "base/chaos.h"
#include "base/check.h"
#include "heap/central.h"
#include "heap/freed.h"

/* Neighbouring pages that were freed and not yet given back: one operation on
 * the page heap for all of them. */
struct extent {
  uint32_t page;
  uint32_t count;
};

static void give_back(struct arena *arena, struct extent *extent)
{
  if (extent->count && arena->efence)
    freed_pages(arena, extent->page, extent->count);
  else if (extent->count)
    pages_give(arena, extent->page, extent->count);
  extent->count = 0;
}

static void free_span(struct arena *arena, struct span *span,
                      struct extent *extent)
{
  uint32_t page = arena_span_page(arena, span);
  span_unpublish(arena, span); /* .freed */
  CHAOS("unpublished-not-given");
  if (extent->count && extent->page + extent->count != page)
    give_back(arena, extent);
  if (!extent->count)
    extent->page = page;
  extent->count += span->pages;
}

/* Marked objects of a span; clears its bits in the old bitmap. */
static uint32_t count_marked(struct collector *collector, struct span *span,
                             uint32_t epoch)
{
  struct arena *arena = &collector->arena;
  struct roles roles = arena_roles(arena, epoch);
  uint32_t page = arena_span_page(arena, span);
  /* Of a large object only the first page has a bit. */
  uint32_t pages = span->size_class == CLASS_LARGE ? 1 : span->pages;
  CHAOS("counting");
  if (arena->careful)
    freed_slots(arena, span, roles);
  bits_clear(roles.marks, page, pages);
  return (uint32_t)bits_count(roles.allocated, page, pages);
}

static void count_freed(struct collector *collector, const struct span *span,
                        uint32_t freed)
{
  if (span->size_class != CLASS_LARGE)
    tally_add(&collector->freed, span->size_class, freed, 0);
  else if (freed)
    tally_add(&collector->freed, COUNTER_LARGE, 1, span_bytes(span));
}

static void visit(struct collector *collector, struct span *span,
                  uint32_t epoch, struct census *census, struct extent *extent)
{
  struct arena *arena = &collector->arena;
  bool large = span->size_class == CLASS_LARGE;
  uint32_t marked = count_marked(collector, span, epoch);
  uint64_t live = large ? marked * (uint64_t)span_bytes(span)
                        : (uint64_t)marked * span->size;
  CHECK(marked <= span->allocated && span->allocated <= span->slots);
  count_freed(collector, span, span->allocated - marked);
  census->spans++;
  census->live += live;
  if (kind_is_scanned(&arena->kinds, span->kind))
    census->live_scan += live;
  span->allocated = marked;
  span->next_slot = 0;
  span->run_slot = 0;
  span->needs_zero = 1;
  span->epoch = epoch;
  if (!marked) {
    census->freed++;
    free_span(arena, span, extent);
  } else if (!large) {
    if (marked < span->slots)
      central_give(arena, span, epoch);
    else
      span_set_state(span, SPAN_FULL);
  }
}

struct census census_run(struct collector *collector, uint32_t epoch)
{
  struct arena *arena = &collector->arena;
  struct census census = {0};
  struct extent extent = {0};
  pages_note_use(arena);
  for (uint32_t page = 0; (page = arena_next_head(arena, page + 1));) {
    struct span *span = &arena->spans[page];
    CHAOS("span-seen");
    if (LOAD_RELAXED(&span->epoch) != epoch)
      visit(collector, span, epoch, &census, &extent);
  }
  give_back(arena, &extent);
  flow_count(&arena->flow, epoch, census.live, census.live_scan);
  return census;
}
