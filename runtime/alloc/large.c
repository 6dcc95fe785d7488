/* SPDX-License-Identifier: MIT */
/* large.c -- objects that have their pages to themselves
 *
 * Until the span is published nobody finds it: the thread may zero it in peace,
 * and serve handshakes between pieces.  The object's colour is the one that the
 * thread has when it publishes. */
#include "alloc/large.h"

#include "base/chaos.h"
#include "mutator/cache.h"
#include "mutator/poll.h"
#include "os/tools.h"

#include <string.h>

/* About 20 us of zeroing between two looks for a handshake. */
enum { PIECE_BYTES = 256 * 1024 };

static void zero(struct dusk_thread *thread, char *start, size_t bytes)
{
  thread->unpublished = (uint32_t)(bytes >> PAGE_LOG2);
  for (size_t done = 0; done < bytes; done += PIECE_BYTES) {
    CHAOS("not-zeroed");
    size_t piece = bytes - done < PIECE_BYTES ? bytes - done : PIECE_BYTES;
    memset(start + done, 0, piece);
    poll_check(thread);
  }
  thread->unpublished = 0;
}

void *large_alloc(struct dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  struct arena *arena = thread->arena;
  struct span *span =
      span_make_large(arena, (uint16_t)kind, bytes, thread->epoch);
  if (!span)
    return NULL;
  char *start = arena_page(arena, arena_span_page(arena, span));
  if (arena->watched)
    tool_handed_out(arena, (uintptr_t)start, span_bytes(span));
  if (span->needs_zero)
    zero(thread, start, span_bytes(span));
  CHAOS("large-zeroed");
  /* A handshake may have been served meanwhile. */
  span->epoch = thread->epoch;
  span->allocated = 1;
  size_t granule = span_first_granule(arena, span);
  if (thread->black)
    marks_set(thread->roles.marks, granule, 1, 1);
  else
    allocated_set(thread->roles.allocated, granule, 1, 1);
  cache_count_large(thread, span_bytes(span));
  flow_take(&arena->flow, thread->epoch, span_bytes(span),
            kind_is_scanned(&arena->kinds, span->kind));
  CHAOS("not-published");
  span_publish(arena, span);
  return start;
}
