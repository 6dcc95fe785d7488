/* SPDX-License-Identifier: MIT */
/* recount.c -- what is allocated, when all threads but one have vanished
 *
 * Runs in the child of a fork, alone, in one pass over the spans.  The others
 * stopped wherever they were; of each, all that it had done before is here, and
 * what it did because of another's doing is here only with that.  So each step
 * of theirs must leave the heap such that the rules below hold; the places say
 * so where the order of two stores matters.
 *
 * ALLOCATED is a slot
 *
 *   .marked   whose bit is set in the bitmap of marks: an object that was found
 *             or born black, or a zeroed slot of a black run.
 *   .listed   whose bit is set in the bitmap of allocated slots, unless a
 * census had begun: then that bitmap is of the cycle before, and names objects
 * whose referents may have been freed. .cached   below next_slot of a span that
 * was in a cache.  Its thread may have handed the slot out without having
 * published that; if it has not, the slot is zero.
 *
 * The set is closed: what an object in it names is in it.  It may hold garbage,
 * which the next cycle finds; a slot taken for free that is not would be handed
 * out twice, and one taken for allocated whose words are stale would lead the
 * marker astray.
 *
 * .freed  A span with nothing in it goes.  That is right for one that somebody
 *         had just made, and for one that the census was about to free.
 *
 * COST  Each page that is written to is copied, which is dearer than all else:
 * so nothing is written that is right already.  A pass then reads a descriptor
 * and a line of bits, or two, for each span: 16 MiB for a GiB of small objects.
 * Tested by tests/unit/recount.c, state by state, and tests/api/fork.c. */
#include "heap/recount.h"

#include "base/bits.h"
#include "heap/central.h"
#include "heap/freed.h"
#include "heap/shade.h"
#include "os/vm.h"

static void set(uint32_t *field, uint32_t value)
{
  if (*field != value)
    *field = value;
}

/* .marked and .listed. */
static void join_bits(struct roles roles, uint32_t page, uint32_t pages)
{
  size_t word = (size_t)page * PAGE_MARK_WORDS;
  size_t end = word + (size_t)pages * PAGE_MARK_WORDS;
  for (; word < end; word++)
    if (roles.marks[word] & ~roles.allocated[word])
      roles.allocated[word] |= roles.marks[word];
}

/* Allocated slots, which the bitmap tells afterwards. */
static uint32_t settle(struct arena *arena, struct span *span,
                       struct roles roles, enum unfinished unfinished)
{
  uint32_t page = arena_span_page(arena, span);
  /* Of a large object only the first page has a bit. */
  uint32_t pages = span->size_class == CLASS_LARGE ? 1 : span->pages;
  if (unfinished == UNFINISHED_MARKING)
    join_bits(roles, page, pages);
  if (span_state(span) == SPAN_CACHED) /* .cached */
    allocated_set(roles.allocated, span_first_granule(arena, span),
                  span_stride(span), span->next_slot);
  if (unfinished == UNFINISHED_CENSUS && arena->careful)
    freed_slots(arena, span, roles);
  return (uint32_t)bits_count(roles.allocated, page, pages);
}

static void count(struct recount *recount, const struct arena *arena,
                  const struct span *span)
{
  bool large = span->size_class == CLASS_LARGE;
  uint64_t bytes =
      large ? span_bytes(span) : (uint64_t)span->allocated * span->size;
  tally_add(&recount->objects, large ? COUNTER_LARGE : span->size_class,
            span->allocated, large ? bytes : 0);
  recount->live += bytes;
  if (kind_is_scanned(&arena->kinds, span->kind))
    recount->live_scan += bytes;
}

/* Files a span of small objects. */
static void file(struct arena *arena, struct span *span)
{
  enum span_state state =
      span->allocated < span->slots ? SPAN_LISTED : SPAN_FULL;
  if (span_state(span) != state)
    span_set_state(span, state);
  if (state == SPAN_FULL)
    return;
  set(&span->next_slot, 0);
  set(&span->needs_zero, 1);
  central_refile(arena, span);
}

static void visit(struct arena *arena, struct span *span, uint32_t epoch,
                  enum unfinished unfinished, struct recount *recount)
{
  struct roles roles = arena_roles(arena, epoch);
  set(&span->allocated, settle(arena, span, roles, unfinished));
  set(&span->epoch, epoch);
  if (!span->allocated) {
    span_unpublish(arena, span); /* .freed */
    return;
  }
  count(recount, arena, span);
  if (span->size_class != CLASS_LARGE)
    file(arena, span);
}

/* All of it at once: to write zeros would copy every page first. */
static void clear_marks(struct arena *arena, uint32_t epoch)
{
  uint64_t *marks = arena_roles(arena, epoch).marks;
  uint32_t pages = arena->pages.committed;
  size_t bytes = (size_t)pages * PAGE_MARK_WORDS * sizeof(uint64_t);
  if (bytes && !vm_release(marks, align_up(bytes, vm_page_size())))
    bits_clear(marks, 0, pages);
}

struct recount recount_run(struct arena *arena, uint32_t epoch,
                           enum unfinished unfinished)
{
  struct recount recount = {0};
  centrals_refile_begin(arena, epoch);
  for (uint32_t page = 0; (page = arena_next_head(arena, page + 1));)
    visit(arena, &arena->spans[page], epoch, unfinished, &recount);
  centrals_refile_end(arena);
  pages_rebuild(arena);
  if (unfinished != UNFINISHED_NOTHING)
    clear_marks(arena, epoch);
  flow_recount(&arena->flow, recount.live, recount.live_scan);
  return recount;
}
