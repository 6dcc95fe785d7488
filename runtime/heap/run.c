/* SPDX-License-Identifier: MIT */
/* run.c -- stretches of neighbouring free slots in a span
 *
 * Reads the bitmap of allocated slots, which for a cached span nobody else
 * writes.  Tested by tests/unit/run.c against a slot-by-slot search. */
#include "heap/run.h"

#include "base/chaos.h"
#include "os/tools.h"

#include <string.h>

/* The first slot at or after `slot` whose bit is clear. */
static uint32_t next_free(const uint64_t *allocated, size_t first,
                          size_t stride, uint32_t slot, uint32_t slots)
{
  while (slot < slots && bit_test(allocated, first + slot * stride))
    slot++;
  return slot;
}

/* A slot that one thread abandoned and the next one zeroes again may be read at
 * the same moment by mark_rescan(), which saw it marked: zeros over zeros.  For
 * ThreadSanitizer that is said with atomic stores. */
static void zero(uintptr_t start, uintptr_t limit)
{
  CHAOS("not-zeroed");
  if (!THREAD_SANITIZER)
    memset((void *)start, 0, limit - start);
  else
    for (; start < limit; start += sizeof(uint64_t))
      STORE_RELAXED((uint64_t *)start, 0);
}

struct run run_next(const struct arena *arena, const uint64_t *allocated,
                    struct span *span)
{
  size_t first = span_first_granule(arena, span);
  size_t stride = span_stride(span);
  uint32_t slot =
      next_free(allocated, first, stride, span->next_slot, span->slots);
  if (slot == span->slots) {
    span->next_slot = slot;
    return (struct run){0};
  }
  uint32_t stop = slot + 1;
  if (!arena->careful) {
    /* Only slot starts have bits, so the next bit ends the run. */
    size_t end = bits_find(allocated, first + slot * stride,
                           first + span->slots * stride);
    stop = span_slot(span, (end - first) << GRANULE_LOG2);
  }
  struct run run = {
      .slot = slot,
      .slots = stop - slot,
      .start = span_slot_address(arena, span, slot),
      .limit = span_slot_address(arena, span, stop),
  };
  if (arena->watched)
    tool_handed_out(arena, run.start, span->size);
  if (span->needs_zero)
    zero(run.start, run.limit);
  /* After the zeros: in the child of a fork, slots below it count as allocated
   * (recount.c), and this thread may have vanished here. */
  STORE_RELEASE(&span->next_slot, stop);
  return run;
}
