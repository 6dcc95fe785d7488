/* SPDX-License-Identifier: MIT */
/* timeline.c -- what the collector and the threads did, and when
 *
 * Tested by tests/api/timeline.c. */
#include "api/caller.h"
#include "collect/recording.h"
#include "mutator/poll.h"
#include "report/timeline.h"

#include "dusk/timeline.h"

#include <errno.h>

enum { DEFAULT_BYTES = 256 * 1024, LEAST_BYTES = 1024 };
#define MOST_BYTES ((size_t)1 << 30)

int dusk_timeline_start(dusk_heap *heap, size_t bytes_per_thread)
{
  size_t bytes = bytes_per_thread ? bytes_per_thread : DEFAULT_BYTES;
  if (!heap || bytes < LEAST_BYTES || bytes > MOST_BYTES)
    return EINVAL;
  return recording_start(&heap->collector, ring_room(bytes));
}

void dusk_timeline_stop(dusk_heap *heap)
{
  if (heap)
    recording_stop(&heap->collector);
}

/* Writing takes milliseconds: the cycle shall not wait for a thread that does
 * it. */
NOINLINE int dusk_write_timeline(dusk_heap *heap, int fd)
{
  if (!heap)
    return EINVAL;
  dusk_thread *own = caller_find(heap);
  bool inside = own && thread_state(own) == THREAD_IN_HEAP;
  if (inside) {
    own->entry_sp = CALLER_SP();
    poll_go_outside(own, CALLER_SP());
  }
  int error = timeline_write(heap, fd);
  if (inside)
    poll_come_back(own);
  return error;
}
