/* SPDX-License-Identifier: MIT */
/* scavenge.c -- giving the memory of free pages back to the system
 *
 *   find the highest stretch --> cut it out of the tree --> [lock free] release
 *                            --> its pages are clean --> put it back
 *
 * Runs on the heap's scavenger, on threads that make the heap grow, and in
 * dusk_release_memory().  Several may be at it at once: a stretch belongs to
 * who has claimed it.
 *
 * WHICH PAGES.  The highest address first, as the lowest is taken first: what
 * is returned is what will be missed last.  Whole huge pages before parts of
 * one: returning a part makes the system split it, and what is left of it costs
 * the program more misses in the TLB.  A chunk that is nearly full, or was when
 * the last cycle had marked, is left alone unless somebody must have the
 * memory: it is about to be filled again.  That makes four levels; each
 * remembers down to where there is nothing, so that a search does not begin at
 * the top each time.
 *
 * ALWAYS TRUE
 *
 *   .claimed   No page of a claim is taken before it is back in the tree; so
 *              the dirty bits are cleared while the pages read as zero, and
 *              nobody has written to them.
 *
 *   .rounded   What is released are whole pages of the system, which may be
 *              larger than ours; a free part of one is kept.
 *
 * Tested by tests/unit/scavenge.c against a model. */
#include "heap/scavenge.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "base/sums.h"
#include "os/clock.h"
#include "os/vm.h"

enum level {
  LEVEL_WHOLE_SPARSE,
  LEVEL_PART_SPARSE,
  LEVEL_WHOLE,
  LEVEL_PART,
};
_Static_assert(LEVEL_PART + 1 == SCAVENGE_LEVELS, "a top for each level");

enum {
  /* From here on a chunk is dense: 31 of 32 pages. */
  DENSE_PAGES = CHUNK_PAGES - CHUNK_PAGES / 32,
  /* The least that an eager thread gives back: less would be a call to the
   * system for each span. */
  EAGER_MIN_BYTES = 64 * 1024,
  /* The most that it gives back beyond what it took: one allocation is not to
   * pay for all the heap. */
  EAGER_EXTRA_BYTES = 4 << 20,
};

struct stretch {
  uint32_t page;
  uint32_t count;
};

static bool is_whole(enum level level)
{
  return level == LEVEL_WHOLE || level == LEVEL_WHOLE_SPARSE;
}

/* Is there something in the chunk to be had at this level? */
static bool is_worth_a_look(const struct chunk *chunk, enum level level)
{
  if (!chunk->dirty)
    return false;
  return level >= LEVEL_WHOLE ||
         (chunk->in_use < DENSE_PAGES && chunk->last_in_use < DENSE_PAGES);
}

/* Our pages to one of the system's. */
static uint32_t system_step(void)
{
  size_t bytes = vm_page_size();
  return bytes > PAGE_BYTES ? (uint32_t)(bytes / PAGE_BYTES) : 1;
}

/* The highest huge page within [from, to) that holds memory. */
static bool find_whole(const struct arena *arena, uint32_t from, uint32_t to,
                       struct stretch *found)
{
  uint32_t huge = arena->huge_pages;
  from = (uint32_t)align_up(from, huge);
  for (to = (uint32_t)align_down(to, huge); from + huge <= to; to -= huge)
    if (pages_count_dirty_locked(arena, to - huge, huge)) {
      *found = (struct stretch){to - huge, huge};
      return true;
    }
  return false;
}

/* The highest stretch of dirty pages within [from, to), of at most `most`.
 * .rounded. */
static bool find_part(const struct arena *arena, uint32_t from, uint32_t to,
                      uint32_t most, struct stretch *found)
{
  uint32_t step = system_step();
  from = (uint32_t)align_up(from, step);
  to = (uint32_t)align_down(to, step);
  while (from + step <= to && !pages_count_dirty_locked(arena, to - step, step))
    to -= step;
  if (from + step > to)
    return false;
  uint32_t page = to - step;
  while (page >= from + step && to - page < most &&
         pages_count_dirty_locked(arena, page - step, step))
    page -= step;
  *found = (struct stretch){page, to - page};
  return true;
}

/* The same in the free extents of one chunk, below `top`. */
static bool find_in_chunk(const struct arena *arena, uint32_t low, uint32_t top,
                          enum level level, uint32_t most,
                          struct stretch *found)
{
  uint32_t extent = top;
  do {
    extent = pages_extent_below_locked(arena, extent);
    uint32_t end = extent + arena->spans[extent].pages;
    if (!extent || end <= low)
      return false;
    uint32_t from = extent > low ? extent : low;
    uint32_t to = end < top ? end : top;
    if (is_whole(level) ? find_whole(arena, from, to, found)
                        : find_part(arena, from, to, most, found))
      return true;
  } while (extent > low);
  return false;
}

/* The highest stretch of a level; its top comes down to it.  With the lock. */
static bool find_locked(struct arena *arena, enum level level, uint32_t most,
                        struct stretch *found)
{
  struct pages *pages = &arena->pages;
  uint32_t top = pages->tops[level];
  top = top < pages->frontier ? top : pages->frontier;
  while (top) {
    uint32_t low = (uint32_t)align_down(top - 1, CHUNK_PAGES);
    if (is_worth_a_look(&arena->chunks[low / CHUNK_PAGES], level) &&
        find_in_chunk(arena, low, top, level, most, found)) {
      pages->tops[level] = found->page;
      return true;
    }
    top = low;
  }
  pages->tops[level] = 0;
  return false;
}

/* Claims one stretch of the first level that has any. */
static bool claim(struct arena *arena, enum scavenge_how how, uint64_t bytes,
                  struct stretch *found)
{
  struct pages *pages = &arena->pages;
  enum level level = how == SCAVENGE_FORCED ? LEVEL_WHOLE : LEVEL_WHOLE_SPARSE;
  uint32_t most = bytes < CHUNK_BYTES
                      ? (uint32_t)divide_up((size_t)bytes, PAGE_BYTES)
                      : CHUNK_PAGES;
  lock_acquire(&pages->lock);
  bool claimed = find_locked(arena, level, most, found) ||
                 find_locked(arena, level + 1, most, found);
  if (claimed)
    pages_claim_locked(arena, found->page, found->count);
  lock_release(&pages->lock);
  return claimed;
}

/* Releases a claim's memory, and puts it back. */
static uint64_t release(struct arena *arena, struct stretch claim)
{
  struct pages *pages = &arena->pages;
  size_t bytes = (size_t)claim.count << PAGE_LOG2;
  CHAOS("claimed-not-released");
  bool clean = vm_release(arena_page(arena, claim.page), bytes);
  CHAOS("released-not-put-back");
  lock_acquire(&pages->lock);
  uint64_t dirty = pages->idle_dirty;
  pages_unclaim_locked(arena, claim.page, claim.count, clean); /* .claimed */
  uint64_t gone = (dirty - pages->idle_dirty) << PAGE_LOG2;
  lock_release(&pages->lock);
  return gone;
}

static void count(struct arena *arena, enum scavenge_by by, uint64_t bytes,
                  uint64_t ns)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  pages->released += bytes;
  pages->scavenged.bytes[by] += bytes;
  pages->scavenged.ns[by] += ns;
  lock_release(&pages->lock);
}

uint64_t scavenge(struct arena *arena, uint64_t bytes, enum scavenge_how how,
                  enum scavenge_by by)
{
  struct stretch found;
  uint64_t gone = 0;
  uint64_t before = clock_now();
  while (gone < bytes && claim(arena, how, bytes - gone, &found))
    gone += release(arena, found);
  if (gone)
    count(arena, by, gone, clock_now() - before);
  return gone;
}

/* Not more than is free now: a program that frees as fast would keep the caller
 * here.  What the system refused before is tried again. */
uint64_t scavenge_all(struct arena *arena)
{
  struct pages *pages = &arena->pages;
  lock_acquire(&pages->lock);
  uint64_t bytes = pages->idle_dirty << PAGE_LOG2;
  scavenge_raise_locked(pages, pages->frontier);
  lock_release(&pages->lock);
  return scavenge(arena, bytes, SCAVENGE_FORCED, SCAVENGE_ASKED);
}

struct scavenged scavenge_read(struct arena *arena)
{
  lock_acquire(&arena->pages.lock);
  struct scavenged scavenged = arena->pages.scavenged;
  lock_release(&arena->pages.lock);
  return scavenged;
}

struct scavenge_debt scavenge_debt_locked(const struct pages *pages,
                                          uint32_t fresh, uint32_t grown)
{
  struct scavenge_debt debt = {0};
  uint64_t held = (pages->in_use + pages->idle_dirty) << PAGE_LOG2;
  uint64_t limit = LOAD_RELAXED(&pages->ready_limit);
  uint64_t retain = LOAD_RELAXED(&pages->retain);
  if (!fresh || !pages->idle_dirty || LOAD_RELAXED(&pages->eager_is_off))
    return debt;
  if (held > limit && (pages->tops[LEVEL_WHOLE] || pages->tops[LEVEL_PART])) {
    uint64_t most = ((uint64_t)fresh << PAGE_LOG2) + EAGER_EXTRA_BYTES;
    uint64_t over = held - limit;
    debt.bytes = min_u64(max_u64(over, EAGER_MIN_BYTES), most);
    debt.how = SCAVENGE_FORCED;
  } else if (grown && held > retain) {
    debt.bytes = min_u64((uint64_t)grown << PAGE_LOG2, held - retain);
    debt.how = SCAVENGE_SPARSE;
  }
  return debt;
}

void scavenge_pay(struct arena *arena, struct scavenge_debt debt)
{
  scavenge(arena, debt.bytes, debt.how, SCAVENGE_EAGER);
}
