/* SPDX-License-Identifier: MIT */
/* central.c -- the spans of one kind and size class that have free slots
 *
 * Threads take; the census gives, and so does a thread that leaves; all under
 * the central's own lock.  Lists of an epoch that is over are forgotten when
 * the first span of the new one arrives: the census finds their spans by
 * itself. */
#include "heap/central.h"

#include "base/bits.h"
#include "os/vm.h"

bool centrals_commit(struct arena *arena, dusk_kind kind)
{
  struct central *first = central_of(arena, kind, 0);
  size_t unit = vm_page_size();
  uintptr_t start = align_down((uintptr_t)first, unit);
  uintptr_t end = align_up((uintptr_t)(first + DUSK_SIZE_CLASSES), unit);
  if (!vm_commit((void *)start, end - start))
    return false;
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++)
    lock_init(&first[i].lock, RANK_central);
  return true;
}

struct span *central_take(struct arena *arena, dusk_kind kind,
                          unsigned size_class, uint32_t epoch)
{
  struct central *central = central_of(arena, kind, size_class);
  uint32_t page = PAGE_NONE;
  lock_acquire(&central->lock);
  if (central->epoch == epoch) {
    page = spanlist_pop(&central->roomy, arena->spans);
    if (page == PAGE_NONE)
      page = spanlist_pop(&central->tight, arena->spans);
    if (page != PAGE_NONE)
      span_set_state(&arena->spans[page], SPAN_CACHED);
  }
  lock_release(&central->lock);
  return page == PAGE_NONE ? NULL : &arena->spans[page];
}

/* With the central's lock. */
static void move_to_epoch(struct central *central, uint32_t epoch)
{
  if (central->epoch != epoch) {
    central->epoch = epoch;
    central->roomy = central->tight = (struct spanlist){0};
  }
}

void central_give(struct arena *arena, struct span *span, uint32_t epoch)
{
  struct central *central = central_of(arena, span->kind, span->size_class);
  bool is_roomy = span->allocated <= span->slots / 2;
  lock_acquire(&central->lock);
  move_to_epoch(central, epoch);
  span_set_state(span, SPAN_LISTED);
  spanlist_push(is_roomy ? &central->roomy : &central->tight,
                arena_span_page(arena, span), arena->spans);
  lock_release(&central->lock);
}

/* ---- after a fork ---- */

static void link_to(struct span *spans, uint32_t page, uint32_t next)
{
  if (page && spans[page].next != next)
    spans[page].next = next;
}

/* Whoever had a lock has vanished. */
void centrals_refile_begin(struct arena *arena, uint32_t epoch)
{
  for (uint32_t kind = 0; kind < kinds_count(&arena->kinds); kind++)
    for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
      struct central *central = central_of(arena, kind, c);
      lock_init(&central->lock, RANK_central);
      central->roomy = central->tight = (struct spanlist){0};
      central->epoch = epoch;
    }
}

void central_refile(struct arena *arena, struct span *span)
{
  struct central *central = central_of(arena, span->kind, span->size_class);
  uint32_t page = arena_span_page(arena, span);
  bool is_roomy = span->allocated <= span->slots / 2;
  struct spanlist *list = is_roomy ? &central->roomy : &central->tight;
  link_to(arena->spans, list->last, page);
  if (!list->first)
    list->first = page;
  list->last = page;
}

void centrals_refile_end(struct arena *arena)
{
  for (uint32_t kind = 0; kind < kinds_count(&arena->kinds); kind++)
    for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
      if (!kind_has_class(kind_find(&arena->kinds, kind), c))
        continue;
      const struct central *central = central_of(arena, kind, c);
      link_to(arena->spans, central->roomy.last, PAGE_NONE);
      link_to(arena->spans, central->tight.last, PAGE_NONE);
    }
}
