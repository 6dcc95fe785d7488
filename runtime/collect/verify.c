/* SPDX-License-Identifier: MIT */
/* verify.c -- DUSK_DEBUG=checkmark=1: is what a marked object names marked?
 *
 * When marking is over, all that the program can reach is marked.  So is all
 * that marked objects name, those included that became garbage meanwhile: their
 * fields were read, or were overwritten by something the program could reach.
 * Therefore the check needs no stop, although the program goes on writing: a
 * field that changes under our eyes changes from a marked object to another.
 *
 * Precise pointers only.  An ambiguous word may be any number, and look like
 * the address of an object that nobody refers to.
 *
 * A separate reading of the heap, sharing scan.c with the marker and nothing
 * else: a lost mark, a lost packet and a lost log all show here. */
#include "collect/verify.h"

#include "base/check.h"
#include "collect/scan.h"

#include <stdio.h>

/* The tracer of a check: what mark_word() finds white it pushes, so a marker
 * whose marks are all set but these finds nothing to push. */
static COLD void report(const struct arena *arena, const struct span *span,
                        uintptr_t holder, uintptr_t found)
{
  const struct kind *kind = kind_of_page(&arena->kinds, span->kind);
  PANIC("checkmark: object %p (kind %u%s%s, %u bytes a slot) is marked and "
        "refers to %p, which is not",
        (void *)holder, span->kind, kind->name ? " " : "",
        kind->name ? kind->name : "", span->size, (void *)found);
}

static void check_object(struct dusk_tracer *tracer, const struct span *span,
                         const struct kind *kind, uintptr_t start)
{
  const struct arena *arena = &tracer->collector->arena;
  size_t bytes = span->size ? span->size : span_bytes(span);
  scan_range(tracer, kind, start, start + bytes);
  if (tracer->packet->count)
    report(arena, span, start, tracer->packet->words[0]);
}

static void check_span(struct dusk_tracer *tracer, const struct span *span)
{
  const struct arena *arena = &tracer->collector->arena;
  const struct kind *kind = kind_of_page(&arena->kinds, span->kind);
  size_t granule = span_first_granule(arena, span);
  size_t end = granule + (size_t)span->pages * PAGE_GRANULES;
  if (kind->scan != DUSK_SCAN_LAYOUT && kind->scan != DUSK_SCAN_TRACE)
    return;
  for (; (granule = bits_find(tracer->marks, granule, end)) < end; granule++)
    /* Acquire: who is born black is zeroed before it is marked. */
    if (bit_test_acquire(tracer->marks, granule))
      check_object(tracer, span, kind, arena->base + (granule << GRANULE_LOG2));
}

void verify_marks(struct collector *collector, uint32_t epoch)
{
  struct arena *arena = &collector->arena;
  struct packet *packet = grey_packet(&collector->grey);
  if (!packet)
    return; /* no memory to check with */
  struct dusk_tracer tracer = {
      .base = arena->base,
      .bytes = (size_t)LOAD_ACQUIRE(&arena->end) << PAGE_LOG2,
      .roles = arena_roles(arena, epoch),
      .collector = collector,
      .packet = packet,
  };
  tracer.marks = tracer.roles.marks;
  for (uint32_t page = 0; (page = arena_next_head(arena, page + 1));)
    check_span(&tracer, &arena->spans[page]);
  grey_recycle(&collector->grey, packet);
}
