/* SPDX-License-Identifier: MIT */
/* heapcheck.c -- DUSK_DEBUG=verify=1: do pages, spans, bits and totals agree?
 *
 *   1. with pages.lock: the tree of free extents, its figures, and the spans
 *      between the extents
 *   2. with each central's lock: the spans in its lists
 *   3. the sum of both against what allocation and the census have counted
 *
 * WHAT MAY BE SAID WHILE THE PROGRAM RUNS.  Between cycles the marks are clear
 * and nothing is freed: a span that is published stays, and one that is FULL or
 * LARGE stays as it is.  A LISTED one does with its list's lock.  A CACHED one
 * belongs to its thread: of it only what never changes is looked at.  Pages may
 * be taken and not yet published, or claimed; those are counted as what they
 * may be at most.
 *
 * The lists come last: a span that was FULL in the first walk is in no list in
 * the second, so none is counted twice, and the sum is no more than is live.
 *
 * IN A HALT (inspect/inspect.c) spans of caches count as a whole, and of pages
 * only those are in no span that a thread has taken for a large object and is
 * clearing, which it tells.
 *
 * Tested by tests/unit/heapcheck.c, which plants what is looked for. */
#include "heap/heapcheck.h"

#include "base/bits.h"
#include "base/check.h"
#include "heap/central.h"
#include "heap/shade.h"

struct walk {
  struct arena *arena;
  uint32_t epoch;
  bool stopped;
  uint64_t unpublished; /* pages, if it is stopped */
  struct roles roles;

  uint64_t free_pages; /* in the tree */
  uint64_t free_dirty; /* of those */
  uint64_t span_pages; /* published */
  uint64_t live;       /* bytes that count as live, at least */
};

static COLD void fail(const struct walk *walk, uint32_t page, const char *what,
                      uint64_t expected, uint64_t found)
{
  PANIC("heapcheck: page %u (%p): %s: expected %llu (0x%llx), found %llu "
        "(0x%llx)",
        page, arena_page(walk->arena, page), what, (unsigned long long)expected,
        (unsigned long long)expected, (unsigned long long)found,
        (unsigned long long)found);
}

static void expect(const struct walk *walk, uint32_t page, const char *what,
                   uint64_t expected, uint64_t found)
{
  if (UNLIKELY(expected != found))
    fail(walk, page, what, expected, found);
}

static void expect_between(const struct walk *walk, uint32_t page,
                           const char *what, uint64_t low, uint64_t high,
                           uint64_t found)
{
  if (UNLIKELY(found < low || found > high))
    fail(walk, page, what, found < low ? low : high, found);
}

/* Spans. */

/* What never changes while a span is in use. */
static void check_shape(const struct walk *walk, uint32_t page,
                        const struct span *span)
{
  const struct arena *arena = walk->arena;
  expect_between(walk, page, "the span's kind", 0,
                 kinds_count(&arena->kinds) - 1, span->kind);
  expect(walk, page, "the span's epoch", walk->epoch, span->epoch);
  if (span->size_class == CLASS_LARGE) {
    expect(walk, page, "slots of a large span", 1, span->slots);
    expect(walk, page, "slot size of a large span", 0, span->size);
    return;
  }
  expect_between(walk, page, "the span's size class", 0, DUSK_SIZE_CLASSES - 1,
                 span->size_class);
  const struct sizeclass *class = &arena->classes[span->size_class];
  expect(walk, page, "slot size", class->size, span->size);
  expect(walk, page, "slots of the span", class->slots, span->slots);
  expect(walk, page, "pages of the span", class->pages, span->pages);
  expect(walk, page, "the span's reciprocal", class->reciprocal,
         span->reciprocal);
}

/* Every page says which span it is in, and no other begins there. */
static void check_pages(const struct walk *walk, uint32_t page,
                        const struct span *span, uint32_t end)
{
  const struct arena *arena = walk->arena;
  uint64_t info = pageinfo_make(page, span->kind, span->size_class);
  expect_between(walk, page, "pages of the span", 1, end - page, span->pages);
  for (uint32_t i = 0; i < span->pages; i++) {
    expect(walk, page + i, "the page's word in the page map", info,
           LOAD_RELAXED(&arena->info[page + i]));
    expect(walk, page + i, "its being dirty", 1,
           arena->dirty[(page + i) >> 6] >> ((page + i) & 63) & 1);
    expect(walk, page + i, "marks between two cycles", 0,
           bits_count(walk->roles.marks, page + i, 1));
  }
  uint32_t next = arena_next_head(arena, page + 1);
  expect_between(walk, page, "where the next span begins", page + span->pages,
                 UINT32_MAX, next ? next : UINT32_MAX);
}

/* Bits stand at slot starts alone; how many do. */
static uint32_t count_slots(const struct walk *walk, uint32_t page,
                            const struct span *span)
{
  size_t first = span_first_granule(walk->arena, span);
  size_t end = first + (size_t)span->pages * PAGE_GRANULES;
  size_t stride = span->size ? span_stride(span) : end - first;
  uint32_t count = 0;
  for (size_t at = first;
       (at = bits_find(walk->roles.allocated, at, end)) < end; at++, count++) {
    expect(walk, page, "granules from a slot's start to an allocated bit", 0,
           (at - first) % stride);
    expect_between(walk, page, "the slot of an allocated bit", 0,
                   span->slots - 1, (at - first) / stride);
  }
  return count;
}

static uint64_t slot_bytes(const struct span *span)
{
  return span->size ? span->size : span_bytes(span);
}

static void check_counted(struct walk *walk, uint32_t page,
                          const struct span *span)
{
  expect(walk, page, "objects of the span, by its bits", span->allocated,
         count_slots(walk, page, span));
  walk->live += span->allocated * slot_bytes(span);
}

static void check_span(struct walk *walk, uint32_t page, uint32_t end)
{
  const struct span *span = &walk->arena->spans[page];
  enum span_state state = span_state(span);
  check_shape(walk, page, span);
  check_pages(walk, page, span, end);
  walk->span_pages += span->pages;
  bool large = span->size_class == CLASS_LARGE;
  expect_between(walk, page, "the span's state", SPAN_CACHED, SPAN_LARGE,
                 state);
  expect(walk, page, "the state of a span with this class", large,
         state == SPAN_LARGE);
  if (state == SPAN_FULL || state == SPAN_LARGE) {
    expect(walk, page, "objects of a full span", span->slots, span->allocated);
    check_counted(walk, page, span);
  } else {
    count_slots(walk, page, span);
  }
  /* What its thread has not used counts as live. */
  if (state == SPAN_CACHED && walk->stopped)
    walk->live += (uint64_t)span->slots * span->size;
}

/* The spans in [page, end), a gap between two free extents. */
static void check_gap(struct walk *walk, uint32_t page, uint32_t end)
{
  const struct arena *arena = walk->arena;
  uint64_t covered = walk->span_pages;
  for (uint32_t at = page; (at = arena_next_head(arena, at)) && at < end;
       at += arena->spans[at].pages)
    check_span(walk, at, end);
  covered = walk->span_pages - covered;
  if (walk->stopped && !walk->unpublished && arena->pages.retired == 0 &&
      arena->pages.claims == 0)
    expect(walk, page, "pages in spans, up to the next free extent", end - page,
           covered);
}

/* The tree of free extents. */

static void check_extent(struct walk *walk, uint32_t page, uint32_t count)
{
  const struct arena *arena = walk->arena;
  for (uint32_t at = page; at < page + count; at++) {
    expect(walk, at, "the page map's word of a free page", 0,
           LOAD_RELAXED(&arena->info[at]));
    expect(walk, at, "bits of a free page", 0,
           bits_count(walk->roles.allocated, at, 1) +
               bits_count(walk->roles.marks, at, 1));
  }
  uint32_t head = arena_next_head(arena, page);
  expect_between(walk, page, "where the next span begins", page + count,
                 UINT32_MAX, head ? head : UINT32_MAX);
  walk->free_pages += count;
  walk->free_dirty += pages_count_dirty_locked(arena, page, count);
}

static uint32_t longest_in(const struct span *t, uint32_t node)
{
  return node ? t[node].longest : 0;
}

static void check_node(const struct walk *walk, uint32_t node)
{
  const struct span *t = walk->arena->spans;
  uint32_t longest = t[node].pages;
  uint32_t below[] = {t[node].left, t[node].right};
  for (int i = 0; i < 2; i++) {
    if (!below[i])
      continue;
    uint32_t there = longest_in(t, below[i]);
    longest = there > longest ? there : longest;
    expect_between(walk, below[i], "priority of an extent below another", 0,
                   t[node].priority, t[below[i]].priority);
  }
  expect(walk, node, "longest extent of a subtree", longest, t[node].longest);
}

/* The subtree's extents lie in [low, high), and between them lie spans: checks
 * both in order.  Returns where its last extent ends, `low` if it is empty. The
 * bounds shrink on the way down, so that a circle is found out. */
static uint32_t check_tree(struct walk *walk, uint32_t node, uint32_t low,
                           uint32_t high, uint32_t done)
{
  if (!node)
    return done;
  const struct span *t = walk->arena->spans;
  expect_between(walk, node, "the page of a free extent", low, high - 1, node);
  expect_between(walk, node, "pages of a free extent", 1, high - node,
                 t[node].pages);
  check_node(walk, node);
  done = check_tree(walk, t[node].left, low, node, done);
  /* Two that touch would be one. */
  expect_between(walk, node, "the page of a free extent, apart from the last",
                 done > 1 ? done + 1 : done, high - 1, node);
  check_gap(walk, done, node);
  check_extent(walk, node, t[node].pages);
  return check_tree(walk, t[node].right, node + 1, high, node + t[node].pages);
}

/* The figures of the page heap. */

static void check_chunks(const struct walk *walk)
{
  const struct arena *arena = walk->arena;
  const struct pages *pages = &arena->pages;
  uint64_t in_use = 0, dirty = 0;
  for (uint32_t at = 0; at < pages->committed; at += CHUNK_PAGES) {
    const struct chunk *chunk = &arena->chunks[at / CHUNK_PAGES];
    expect_between(walk, at, "pages of a chunk", 0, CHUNK_PAGES,
                   (uint64_t)chunk->in_use + chunk->dirty);
    in_use += chunk->in_use;
    dirty += chunk->dirty;
  }
  expect(walk, 0, "pages in use, chunk by chunk", pages->in_use, in_use);
  expect(walk, 0, "free pages with memory, chunk by chunk", pages->idle_dirty,
         dirty);
}

static void check_figures(const struct walk *walk)
{
  const struct arena *arena = walk->arena;
  const struct pages *pages = &arena->pages;
  /* Page 0 is nobody's. */
  uint64_t rest = pages->frontier - 1 - walk->free_pages - pages->retired;
  uint64_t claimed = (uint64_t)pages->claims * CHUNK_PAGES;
  uint64_t released = 0;
  for (int by = 0; by < SCAVENGE_BYS; by++)
    released += pages->scavenged.bytes[by];
  expect_between(walk, 0, "the frontier", 1, pages->committed, pages->frontier);
  expect(walk, 0, "pages ready for the heap", pages->committed, arena->end);
  expect_between(walk, 0, "pages in use, by the free ones",
                 rest > claimed ? rest - claimed : 0, rest - pages->claims,
                 pages->in_use);
  expect_between(walk, 0, "free pages with memory", walk->free_dirty,
                 walk->free_dirty + claimed, pages->idle_dirty);
  expect(walk, 0, "bytes released", released, pages->released);
  expect_between(walk, 0, "pages of all spans",
                 walk->stopped ? pages->in_use - walk->unpublished : 0,
                 pages->in_use - walk->unpublished, walk->span_pages);
  check_chunks(walk);
}

static void check_page_heap(struct walk *walk)
{
  struct pages *pages = &walk->arena->pages;
  lock_acquire(&pages->lock);
  if (pages->committed) { /* or the tables may not be touched */
    uint32_t done = check_tree(walk, pages->root, 1, pages->frontier, 1);
    check_gap(walk, done, pages->frontier);
    check_figures(walk);
  }
  lock_release(&pages->lock);
}

/* The central lists. */

static void check_list(struct walk *walk, const struct central *central,
                       const struct spanlist *list, uint32_t kind,
                       unsigned size_class)
{
  const struct arena *arena = walk->arena;
  uint32_t last = PAGE_NONE, left = LOAD_ACQUIRE(&arena->end); /* commit */
  for (uint32_t page = list->first; page; page = arena->spans[page].next) {
    const struct span *span = &arena->spans[page];
    expect_between(walk, page, "a page in a list (or the list is a circle)", 1,
                   left ? LOAD_RELAXED(&arena->end) - 1 : 0, page);
    expect(walk, page, "the state of a span in a list", SPAN_LISTED,
           span_state(span));
    expect(walk, page, "the kind of a span in a list", kind, span->kind);
    expect(walk, page, "the class of a span in a list", size_class,
           span->size_class);
    expect(walk, page, "the epoch of a span in a list", central->epoch,
           span->epoch);
    expect_between(walk, page, "objects of a span with free slots", 0,
                   span->slots - 1, span->allocated);
    check_counted(walk, page, span);
    last = page;
    left--;
  }
  expect(walk, last, "the last span of a list", last, list->last);
}

static void check_centrals(struct walk *walk)
{
  struct arena *arena = walk->arena;
  for (uint32_t kind = 0; kind < kinds_count(&arena->kinds); kind++) {
    const struct kind *k = kind_find(&arena->kinds, kind);
    for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
      struct central *central = central_of(arena, kind, c);
      if (!(LOAD_RELAXED(&k->classes[c / 64]) >> (c % 64) & 1))
        continue;
      lock_acquire(&central->lock);
      if (central->epoch == walk->epoch) {
        check_list(walk, central, &central->roomy, kind, c);
        check_list(walk, central, &central->tight, kind, c);
      }
      lock_release(&central->lock);
    }
  }
}

static void check_totals(const struct walk *walk)
{
  const struct flow *flow = &walk->arena->flow;
  uint64_t live = flow_live(flow) - flow_external(flow);
  expect_between(walk, 0, "bytes that count as live", walk->live,
                 walk->stopped ? walk->live : UINT64_MAX, live);
}

void heapcheck_walk(struct arena *arena, uint32_t epoch, uint64_t unpublished)
{
  bool stopped = unpublished != HEAPCHECK_RUNNING;
  struct walk walk = {
      .arena = arena,
      .epoch = epoch,
      .stopped = stopped,
      .unpublished = stopped ? unpublished : 0,
      .roles = arena_roles(arena, epoch),
  };
  check_page_heap(&walk);
  check_centrals(&walk);
  check_totals(&walk);
}
