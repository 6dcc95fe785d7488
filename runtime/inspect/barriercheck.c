/* SPDX-License-Identifier: MIT */
/* barriercheck.c -- DUSK_DEBUG=barriercheck: was every pointer stored through
 * the library?
 *
 * WHAT IS CHECKED
 *   layouts, callbacks   each slot that they name: it holds what was announced
 *                        for it last.  That a pointer was made NULL without
 *                        barrier is as bad as that one was stored.
 *   conservative         words that hold the address of an object, or held one
 *                        when they were announced last.  Other data comes and
 *                        goes without a barrier, as it may.
 *   roots                nothing.
 *
 * A slot to which several threads stored since the last cycle is passed over
 * (heap/shadow.h), as no store of a correct program may be reported.
 *
 * Tested by tests/unit/barriercheck.c, tests/api/barriercheck.c,
 * tests/api/forkmodes.c and tests/mistakes.sh. */
#include "inspect/barriercheck.h"

#include "base/check.h"
#include "heap/shadow.h"
#include "inspect/thing.h"
#include "os/fence.h"

enum { REPORTS_MAX = 8, WORD = sizeof(uintptr_t) };

struct check {
  struct arena *arena;
  struct roles roles;
  unsigned found;
};

static bool is_object(const struct check *check, uintptr_t word)
{
  struct thing thing;
  return thing_find(check->arena, word, &thing) &&
         thing_is_allocated(&thing, check->roles);
}

static void print_value(const struct check *check, const char *what,
                        uintptr_t word)
{
  struct thing thing;
  char text[256];
  if (!thing_find(check->arena, word, &thing)) {
    complain("  %s 0x%zx", what, (size_t)word);
    return;
  }
  thing_print(&thing, text, sizeof text);
  complain("  %s object %s", what, text);
  if (thing_is_allocated(&thing, check->roles))
    thing_print_origin(check->arena, thing.start, "    ");
}

/* Who did it; if it was noticed. */
static void print_store(uintptr_t slot, uintptr_t found)
{
  struct fence_store store;
  if (fence_find(slot, found, &store)) {
    complain("  changed by");
    thing_print_stack(store.pcs, store.count, "  ");
  }
}

static void report(struct check *check, const struct thing *holder,
                   uintptr_t slot, uintptr_t expected, uintptr_t found)
{
  char text[256];
  if (check->found++ >= REPORTS_MAX)
    return;
  thing_print(holder, text, sizeof text);
  complain("barriercheck: slot +%zu of object %s was changed without a barrier",
           (size_t)(slot - holder->start), text);
  print_store(slot, found);
  thing_print_origin(check->arena, holder->start, "  ");
  print_value(check, "it should hold", expected);
  print_value(check, "it holds", found);
}

static void check_slot(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  struct check *check = context;
  uintptr_t found = thing_word(slot);
  uintptr_t expected;
  if (shadow_read(check->arena, slot, &expected) && found != expected &&
      (precise || is_object(check, found) || is_object(check, expected)))
    report(check, holder, slot, expected, found);
  shadow_settle(check->arena, slot, found);
}

static void check_thing(void *context, const struct thing *thing)
{
  struct check *check = context;
  if (thing_is_marked(thing, check->roles))
    thing_slots(thing, check_slot, check);
}

/* Leaves are written to as anybody likes.  Called in a signal handler. */
static enum fence_guard guards(void *context, uintptr_t address)
{
  const struct arena *arena = context;
  uint64_t info = LOAD_ACQUIRE(
      &arena->info[arena_page_of(arena, address)]); /* with span_publish() */
  if (!info)
    return FENCE_FAULT;
  return kind_is_scanned(&arena->kinds, pageinfo_kind(info)) ? FENCE_WANTED
                                                             : FENCE_UNWANTED;
}

bool barriercheck_fence(struct arena *arena)
{
  arena->fenced = fence_open(arena->base, arena->bytes, guards, arena);
  return arena->fenced;
}

bool barriercheck_run(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  struct check check = {
      .arena = &collector->arena,
      .roles = arena_roles(&collector->arena, collector->epoch),
  };
  thing_each(check.arena, check.roles, check_thing, &check);
  if (check.found > REPORTS_MAX)
    complain("barriercheck: and %u more", check.found - REPORTS_MAX);
  return check.found == 0;
}

struct settling {
  struct arena *arena;
  const struct span *span; /* the last one that was fenced */
};

/* A page that a thread had open for one store was left so. */
static void settle_thing(void *context, const struct thing *thing)
{
  struct settling *settling = context;
  struct arena *arena = settling->arena;
  if (thing->kind->scan == DUSK_SCAN_LEAF)
    return;
  for (uintptr_t at = thing->start; at < thing->start + thing->bytes;
       at += WORD)
    shadow_settle(arena, at, thing_word(at));
  if (arena->fenced && thing->span != settling->span) {
    uint32_t page = arena_span_page(arena, thing->span);
    fence_raise((uintptr_t)arena_page(arena, page), span_bytes(thing->span));
    settling->span = thing->span;
  }
}

void barriercheck_revive(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  struct arena *arena = &collector->arena;
  struct settling settling = {.arena = arena};
  thing_each(arena, arena_roles(arena, collector->registry.joining.epoch),
             settle_thing, &settling);
}
