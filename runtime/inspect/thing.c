/* SPDX-License-Identifier: MIT */
/* thing.c -- an object as an inspector sees it, and the slots in it
 *
 * Tested by tests/unit/checkmark.c on objects of each kind. */
#include "inspect/thing.h"

#include "base/bits.h"
#include "base/check.h"
#include "collect/mark.h"
#include "heap/origin.h"
#include "os/symbol.h"

#include <stdio.h>
#include <string.h>

enum { WORD = sizeof(uintptr_t) };

bool thing_find(const struct arena *arena, uintptr_t word, struct thing *thing)
{
  uintptr_t offset = word - arena->base;
  size_t page = offset >> PAGE_LOG2;
  if (offset >= arena->bytes || page >= LOAD_ACQUIRE(&arena->end))
    return false;                                   /* with arena_commit() */
  uint64_t info = LOAD_ACQUIRE(&arena->info[page]); /* with span_publish() */
  if (!info)
    return false;
  const struct span *span = &arena->spans[pageinfo_head(info)];
  uintptr_t first =
      arena->base + ((uintptr_t)(span - arena->spans) << PAGE_LOG2);
  size_t bytes = span->size ? span->size : (size_t)span->pages << PAGE_LOG2;
  size_t slot = (word - first) / bytes;
  if (slot >= span->slots)
    return false; /* the rest of a span, where no slot fits */
  *thing = (struct thing){
      .start = first + slot * bytes,
      .bytes = bytes,
      .span = span,
      .kind = arena->kinds.table[span->kind],
  };
  thing->granule = (thing->start - arena->base) >> GRANULE_LOG2;
  return true;
}

static bool bit(const uint64_t *bits, size_t granule)
{
  return LOAD_ACQUIRE(&bits[granule / 64]) >> granule % 64 &
         1; /* as markbits */
}

bool thing_is_marked(const struct thing *thing, struct roles roles)
{
  return bit(roles.marks, thing->granule);
}

bool thing_is_allocated(const struct thing *thing, struct roles roles)
{
  return bit(roles.allocated, thing->granule) || thing_is_marked(thing, roles);
}

bool thing_ends_at(const struct arena *arena, uintptr_t address,
                   struct thing *thing)
{
  return thing_find(arena, address - 1, thing) &&
         thing->start + thing->bytes == address;
}

size_t thing_size_in_front(const struct arena *arena, const struct thing *thing)
{
  size_t page = (size_t)(thing->span - arena->spans);
  uint64_t info = page ? LOAD_ACQUIRE(&arena->info[page - 1]) : 0; /* publish */
  return info ? arena->spans[pageinfo_head(info)].size : 0;
}

READS_AMBIGUOUS_WORDS
uintptr_t thing_word(uintptr_t address)
{
  return *(const volatile uintptr_t *)address;
}

struct slot_visit {
  const struct thing *thing;
  thing_visit *visit;
  void *context;
};

static void note_slot(void *context, void *const *slot)
{
  const struct slot_visit *to = context;
  uintptr_t address = (uintptr_t)slot;
  if (address - to->thing->start < to->thing->bytes && address % WORD == 0)
    to->visit(to->context, to->thing, address, true);
}

static void trace_slots(const struct thing *thing, thing_visit *visit,
                        void *context)
{
  struct slot_visit to = {thing, visit, context};
  struct dusk_tracer tracer = {.note = note_slot, .note_context = &to};
  const struct kind *kind = thing->kind;
  kind->trace((void *)thing->start, kind->size ? kind->size : thing->bytes,
              &tracer, kind->context);
}

static void layout_slots(const struct thing *thing, thing_visit *visit,
                         void *context)
{
  const struct kind *kind = thing->kind;
  size_t words = thing->bytes / WORD;
  if (!kind->repeat && kind->period < words)
    words = kind->period;
  for (size_t i = 0; i < words; i++) {
    size_t at = i % kind->period;
    if (kind->pointers[at / 64] >> at % 64 & 1)
      visit(context, thing, thing->start + i * WORD, true);
  }
}

void thing_slots(const struct thing *thing, thing_visit *visit, void *context)
{
  switch (thing->kind->scan) {
  case DUSK_SCAN_LEAF:
    break;
  case DUSK_SCAN_CONSERVATIVE:
    for (size_t at = 0; at < thing->bytes; at += WORD)
      visit(context, thing, thing->start + at, false);
    break;
  case DUSK_SCAN_LAYOUT:
    layout_slots(thing, visit, context);
    break;
  case DUSK_SCAN_TRACE:
    trace_slots(thing, visit, context);
    break;
  }
}

void thing_each(const struct arena *arena, struct roles roles,
                void (*visit)(void *context, const struct thing *thing),
                void *context)
{
  uint32_t end = LOAD_ACQUIRE(&arena->end); /* with arena_commit() */
  for (uint32_t page = 1; page < end;) {
    struct thing thing;
    uintptr_t start = arena->base + ((uintptr_t)page << PAGE_LOG2);
    if (!thing_find(arena, start, &thing)) {
      page++;
      continue;
    }
    for (uint32_t i = 0; i < thing.span->slots; i++) {
      if (thing_is_allocated(&thing, roles))
        visit(context, &thing);
      thing.start += thing.bytes;
      thing.granule += thing.bytes >> GRANULE_LOG2;
    }
    page += thing.span->pages;
  }
}

void thing_print(const struct thing *thing, char *text, size_t size)
{
  const char *name = thing->kind->name;
  snprintf(text, size, "0x%zx (kind %u%s%s%s, %zu bytes)", (size_t)thing->start,
           thing->span->kind, name ? " \"" : "", name ? name : "",
           name ? "\"" : "", thing->bytes);
}

/* What a thread begins with before the program's own functions. */
static bool is_start(const char *function)
{
  static const char *const starts[] = {"__libc_start", "start_thread", "_start",
                                       "__clone", "clone"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (strncmp(function, starts[i], strlen(starts[i])) == 0)
      return true;
  return false;
}

void thing_print_stack(const uintptr_t *pcs, unsigned count, const char *indent)
{
  char text[512];
  for (unsigned i = 0; i < count; i++) {
    symbol_print(pcs[i], text, sizeof text);
    if (i && is_start(text))
      return;
    complain("%s  #%u %s", indent, i, text);
  }
}

void thing_print_origin(const struct arena *arena, uintptr_t object,
                        const char *indent)
{
  uintptr_t pcs[ORIGIN_FRAMES];
  unsigned count = origin_stack(arena, object, pcs, ORIGIN_FRAMES);
  if (count)
    complain("%sallocated by", indent);
  thing_print_stack(pcs, count, indent);
}
