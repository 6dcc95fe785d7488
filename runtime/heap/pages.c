/* SPDX-License-Identifier: MIT */
/* pages.c -- the page heap: which pages are free
 *
 * Runs on threads that need a span, and on the collector when the census frees
 * one, under pages.lock.  Nothing here waits for anything else, but for one
 * case: a thread that finds no pages while some are claimed waits for those,
 * which are on their way back.
 *
 * ALWAYS TRUE, with the lock free:
 *   .apart     two free extents never touch: putting one in joins them.
 *   .frontier  no extent and no claim reaches the frontier or beyond.
 *   .clean     a page whose dirty bit is clear reads as zero.
 *   .chunks    a chunk's counts are those of its pages, claims included.
 *
 * Tested by tests/unit/pages.c against an array of flags. */
#include "heap/pages.h"

#include "base/bits.h"
#include "heap/arena.h"
#include "heap/scavenge.h"
#include "os/clock.h"
#include "os/vm.h"

/* How long a claim is waited for before the next look. */
enum { CLAIM_NS = 20 * 1000 };

void pages_init(struct pages *pages, uint32_t limit)
{
  lock_init(&pages->lock, RANK_pages);
  pages->root = PAGE_NONE;
  pages->frontier = 1; /* page 0 is PAGE_NONE */
  pages->committed = 0;
  pages->limit = limit;
  pages->cap = UINT64_MAX;
  pages->random = 2463534242u;
  pages->ready_limit = UINT64_MAX;
  pages->retain = UINT64_MAX;
}

/* Xorshift (Marsaglia 2003): any spread will do. */
static uint32_t next_priority(struct pages *pages)
{
  pages->random ^= pages->random << 13;
  pages->random ^= pages->random >> 17;
  pages->random ^= pages->random << 5;
  return pages->random;
}

/* The tree.  `t` is the array of descriptors; index 0 is the empty tree. */

static uint32_t longest_in(const struct span *t, uint32_t node)
{
  return node ? t[node].longest : 0;
}

static void refresh(struct span *t, uint32_t node)
{
  uint32_t longest = t[node].pages;
  uint32_t left = longest_in(t, t[node].left);
  uint32_t right = longest_in(t, t[node].right);
  if (left > longest)
    longest = left;
  if (right > longest)
    longest = right;
  t[node].longest = longest;
}

/* Joins two trees; every extent of `low` lies below those of `high`. */
static uint32_t join(struct span *t, uint32_t low, uint32_t high)
{
  if (!low || !high)
    return low ? low : high;
  uint32_t top = t[low].priority > t[high].priority ? low : high;
  if (top == low)
    t[low].right = join(t, t[low].right, high);
  else
    t[high].left = join(t, low, t[high].left);
  refresh(t, top);
  return top;
}

static void split(struct span *t, uint32_t node, uint32_t page, uint32_t *low,
                  uint32_t *high)
{
  if (!node) {
    *low = *high = 0;
    return;
  }
  if (node < page) {
    split(t, t[node].right, page, &t[node].right, high);
    *low = node;
  } else {
    split(t, t[node].left, page, low, &t[node].left);
    *high = node;
  }
  refresh(t, node);
}

static void insert(struct pages *pages, struct span *t, uint32_t page,
                   uint32_t count)
{
  uint32_t low, high;
  t[page].pages = count;
  t[page].longest = count;
  t[page].left = t[page].right = 0;
  t[page].priority = next_priority(pages);
  split(t, pages->root, page, &low, &high);
  pages->root = join(t, join(t, low, page), high);
}

static void remove_extent(struct span *t, uint32_t *link, uint32_t page)
{
  uint32_t node = *link;
  if (node == page) {
    *link = join(t, t[node].left, t[node].right);
    return;
  }
  remove_extent(t, page < node ? &t[node].left : &t[node].right, page);
  refresh(t, node);
}

/* The last extent that begins below `page`, or 0. */
static uint32_t extent_below(const struct pages *pages, const struct span *t,
                             uint32_t page)
{
  uint32_t found = 0;
  for (uint32_t node = pages->root; node;) {
    if (node < page)
      found = node;
    node = node < page ? t[node].right : t[node].left;
  }
  return found;
}

/* Cuts `count` pages off the low end of the lowest extent that has them: what
 * is left moves its node up by `count`, with its priority and its children. */
static uint32_t take_lowest(struct span *t, uint32_t *link, uint32_t count)
{
  uint32_t node = *link;
  uint32_t page;
  if (longest_in(t, t[node].left) >= count) {
    page = take_lowest(t, &t[node].left, count);
  } else if (t[node].pages < count) {
    page = take_lowest(t, &t[node].right, count);
  } else if (t[node].pages == count) {
    *link = join(t, t[node].left, t[node].right);
    return node;
  } else {
    struct span *rest = &t[node + count];
    page = node;
    rest->pages = t[node].pages - count;
    rest->left = t[node].left;
    rest->right = t[node].right;
    rest->priority = t[node].priority;
    *link = node = node + count;
  }
  refresh(t, node);
  return page;
}

/* The dirty bits. */

static uint32_t count_dirty(const uint64_t *dirty, uint32_t page,
                            uint32_t count)
{
  uint32_t found = 0;
  for (uint32_t end = page + count; page < end;) {
    uint32_t stop = (page | 63) + 1 < end ? (page | 63) + 1 : end;
    uint64_t mask = bit_range(page & 63, ((stop - 1) & 63) + 1);
    found += bit_count(dirty[page >> 6] & mask);
    page = stop;
  }
  return found;
}

static void set_dirty(uint64_t *dirty, uint32_t page, uint32_t count,
                      bool value)
{
  for (uint32_t end = page + count; page < end;) {
    uint32_t stop = (page | 63) + 1 < end ? (page | 63) + 1 : end;
    uint64_t mask = bit_range(page & 63, ((stop - 1) & 63) + 1);
    if (value)
      dirty[page >> 6] |= mask;
    else
      dirty[page >> 6] &= ~mask;
    page = stop;
  }
}

uint32_t pages_extent_below_locked(const struct arena *arena, uint32_t page)
{
  return extent_below(&arena->pages, arena->spans, page);
}

uint32_t pages_count_dirty_locked(const struct arena *arena, uint32_t page,
                                  uint32_t count)
{
  return count_dirty(arena->dirty, page, count);
}

/* Puts a stretch into the tree.  .apart: joins it with its neighbours, if they
 * are free. */
static void put(struct arena *arena, uint32_t page, uint32_t count)
{
  struct pages *pages = &arena->pages;
  struct span *t = arena->spans;
  uint32_t end = page + count;
  uint32_t above = end;
  uint32_t below = extent_below(pages, t, page);
  if (below && below + t[below].pages == page) {
    remove_extent(t, &pages->root, below);
    page = below;
  }
  if (above < pages->frontier && extent_below(pages, t, above + 1) == above) {
    end += t[above].pages;
    remove_extent(t, &pages->root, above);
  }
  insert(pages, t, page, end - page);
}

void pages_claim_locked(struct arena *arena, uint32_t page, uint32_t count)
{
  struct pages *pages = &arena->pages;
  struct span *t = arena->spans;
  uint32_t extent = extent_below(pages, t, page + 1);
  CHECK(extent && page + count <= extent + t[extent].pages);
  uint32_t end = extent + t[extent].pages;
  remove_extent(t, &pages->root, extent);
  if (extent < page)
    insert(pages, t, extent, page - extent);
  if (page + count < end)
    insert(pages, t, page + count, end - page - count);
  pages->claims++;
}

void pages_unclaim_locked(struct arena *arena, uint32_t page, uint32_t count,
                          bool clean)
{
  struct pages *pages = &arena->pages;
  CHECK(page / CHUNK_PAGES == (page + count - 1) / CHUNK_PAGES);
  if (clean) {
    uint32_t dirty = count_dirty(arena->dirty, page, count);
    pages->idle_dirty -= dirty;
    arena->chunks[page / CHUNK_PAGES].dirty -= (uint16_t)dirty;
    set_dirty(arena->dirty, page, count, false);
  }
  pages->claims--;
  put(arena, page, count);
}

/* Taking and giving. */

/* Moves the frontier up far enough; the free extent that touches it, if there
 * is one, is part of what is taken. */
static uint32_t take_at_frontier(struct arena *arena, uint32_t count)
{
  struct pages *pages = &arena->pages;
  struct span *t = arena->spans;
  uint32_t start = pages->frontier;
  uint32_t last = extent_below(pages, t, start);
  if (last && last + t[last].pages == start)
    start = last;
  if (count > pages->limit - start)
    return PAGE_NONE;
  if (start + count > pages->committed && !arena_commit(arena, start + count))
    return PAGE_NONE;
  if (start == last)
    remove_extent(t, &pages->root, last);
  pages->frontier = start + count;
  return start;
}

void pages_set_cap(struct pages *pages, uint64_t bytes)
{
  STORE_RELAXED(&pages->cap, bytes >> PAGE_LOG2);
}

static bool is_capped(const struct pages *pages, uint32_t count)
{
  return pages->in_use + count > LOAD_RELAXED(&pages->cap);
}

/* Any `count` pages, or PAGE_NONE.  With the lock, which is let go of while it
 * waits for claims. */
static uint32_t take(struct arena *arena, uint32_t count)
{
  struct pages *pages = &arena->pages;
  while (!is_capped(pages, count)) {
    uint32_t page = longest_in(arena->spans, pages->root) >= count
                        ? take_lowest(arena->spans, &pages->root, count)
                        : take_at_frontier(arena, count);
    if (page != PAGE_NONE || !pages->claims)
      return page;
    lock_release(&pages->lock);
    clock_sleep(CLAIM_NS);
    lock_acquire(&pages->lock);
  }
  return PAGE_NONE;
}

/* Counts the pages as taken, chunk by chunk; returns how many were dirty. */
static uint32_t count_taken(struct arena *arena, uint32_t page, uint32_t count)
{
  uint32_t dirty = 0;
  for (uint32_t end = page + count, stop; page < end; page = stop) {
    struct chunk *chunk = &arena->chunks[page / CHUNK_PAGES];
    stop = (uint32_t)align_down(page, CHUNK_PAGES) + CHUNK_PAGES;
    stop = stop < end ? stop : end;
    uint32_t here = count_dirty(arena->dirty, page, stop - page);
    chunk->in_use += (uint16_t)(stop - page);
    chunk->dirty -= (uint16_t)here;
    set_dirty(arena->dirty, page, stop - page, true);
    dirty += here;
  }
  return dirty;
}

static void count_given(struct arena *arena, uint32_t page, uint32_t count)
{
  for (uint32_t end = page + count, stop; page < end; page = stop) {
    struct chunk *chunk = &arena->chunks[page / CHUNK_PAGES];
    stop = (uint32_t)align_down(page, CHUNK_PAGES) + CHUNK_PAGES;
    stop = stop < end ? stop : end;
    chunk->in_use -= (uint16_t)(stop - page);
    chunk->dirty += (uint16_t)(stop - page);
  }
}

uint32_t pages_take(struct arena *arena, uint32_t count, bool *needs_zero)
{
  struct pages *pages = &arena->pages;
  struct scavenge_debt debt = {0};
  CHECK(count > 0);
  lock_acquire(&pages->lock);
  uint32_t frontier = pages->frontier;
  uint32_t page = take(arena, count);
  if (page != PAGE_NONE) {
    uint32_t dirty = count_taken(arena, page, count);
    pages->idle_dirty -= dirty;
    pages->in_use += count;
    *needs_zero = dirty > 0;
    debt = scavenge_debt_locked(
        pages, count - dirty,
        page + count > frontier ? page + count - frontier : 0);
  }
  lock_release(&pages->lock);
  /* The pages taken hold no memory before they are touched: so this is in
   * time. */
  if (debt.bytes)
    scavenge_pay(arena, debt);
  return page;
}

void pages_give(struct arena *arena, uint32_t page, uint32_t count)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  pages->in_use -= count;
  pages->idle_dirty += count;
  count_given(arena, page, count);
  put(arena, page, count);
  scavenge_raise_locked(pages, page + count);
  lock_release(&pages->lock);
}

void pages_retire(struct arena *arena, uint32_t page, uint32_t count)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  pages->in_use -= count;
  pages->retired += count;
  set_dirty(arena->dirty, page, count, false);
  for (uint32_t end = page + count; page < end; page++)
    arena->chunks[page / CHUNK_PAGES].in_use--;
  lock_release(&pages->lock);
}

void pages_note_use(struct arena *arena)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  size_t chunks = divide_up(pages->committed, CHUNK_PAGES);
  for (size_t i = 0; i < chunks; i++)
    arena->chunks[i].last_in_use = arena->chunks[i].in_use;
  STORE_RELAXED(&pages->last_in_use, pages->in_use); /* scavenger_retarget() */
  scavenge_raise_locked(pages, pages->frontier);
  lock_release(&pages->lock);
}

void pages_forget_use(struct arena *arena)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  size_t chunks = divide_up(pages->committed, CHUNK_PAGES);
  for (size_t i = 0; i < chunks; i++)
    arena->chunks[i].last_in_use = 0;
  scavenge_raise_locked(pages, pages->frontier);
  lock_release(&pages->lock);
}

struct pages_figures pages_read(struct arena *arena)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  uint64_t idle = pages->committed - pages->in_use;
  struct pages_figures figures = {
      .committed = (uint64_t)pages->committed << PAGE_LOG2,
      .in_use = pages->in_use << PAGE_LOG2,
      .released = (idle - pages->idle_dirty) << PAGE_LOG2,
      .tables = arena->tables_usable,
  };
  lock_release(&pages->lock);
  return figures;
}

/* ---- after a fork ---- */

/* The dirty bits are true whoever vanished: they are set when pages are taken,
 * and cleared under the lock, which the forking thread had. */
static void recount(struct arena *arena, uint32_t page, uint32_t count,
                    bool in_use)
{
  struct pages *pages = &arena->pages;
  for (uint32_t end = page + count; page < end; page++) {
    struct chunk *chunk = &arena->chunks[page / CHUNK_PAGES];
    bool dirty = arena->dirty[page >> 6] >> (page & 63) & 1;
    if (in_use) {
      chunk->in_use++;
      pages->in_use++;
    } else if (dirty) {
      chunk->dirty++;
      pages->idle_dirty++;
    }
  }
}

static void clear_word(uint64_t *word)
{
  if (*word) /* a page that is only read stays shared with the parent */
    *word = 0;
}

/* Somebody may have vanished while he was publishing a span here, or taking one
 * out; a large object has its bit before that. */
static void forget_spans(struct arena *arena, uint32_t page, uint32_t count)
{
  for (uint32_t end = page + count; page < end; page++) {
    clear_word(&arena->info[page]);
    clear_word(&arena->marks[0][(size_t)page * PAGE_MARK_WORDS]);
    clear_word(&arena->marks[1][(size_t)page * PAGE_MARK_WORDS]);
  }
}

/* What a census had found dead and not closed yet is closed now, if the system
 * lets us; nobody is given it in any case. */
static void retire(struct arena *arena, uint32_t page, uint32_t count)
{
  bool closed = vm_close(arena_page(arena, page), (size_t)count << PAGE_LOG2);
  (void)closed;
  arena->pages.retired += count;
  set_dirty(arena->dirty, page, count, false);
}

static void rebuild_extent(struct arena *arena, uint32_t page, uint32_t end)
{
  struct pages *pages = &arena->pages;
  if (page == end)
    return;
  forget_spans(arena, page, end - page);
  if (arena->efence) {
    retire(arena, page, end - page);
    return;
  }
  recount(arena, page, end - page, false);
  insert(pages, arena->spans, page, end - page);
}

void pages_rebuild(struct arena *arena)
{
  struct pages *pages = &arena->pages;
  uint32_t page = PAGE_NONE + 1;
  lock_renew(&pages->lock);
  pages->root = PAGE_NONE;
  pages->claims = 0;
  pages->retired = 0;
  pages->in_use = 0;
  pages->idle_dirty = 0;
  for (size_t i = 0; i < divide_up(pages->committed, CHUNK_PAGES); i++)
    arena->chunks[i].in_use = arena->chunks[i].dirty = 0;
  for (uint32_t head; (head = arena_next_head(arena, page));) {
    uint32_t count = arena->spans[head].pages;
    rebuild_extent(arena, page, head);
    recount(arena, head, count, true);
    page = head + count;
  }
  rebuild_extent(arena, page, pages->frontier);
  scavenge_raise_locked(pages, pages->frontier);
}
