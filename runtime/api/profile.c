/* SPDX-License-Identifier: MIT */
/* profile.c -- who allocates, what is in use, and how long it lives
 *
 * Tested by tests/api/profile.c. */
#include "api/caller.h"
#include "mutator/poll.h"
#include "report/heapprofile.h"

#include "dusk/profile.h"

#include <errno.h>

int64_t dusk_set_profile_rate(dusk_heap *heap, int64_t bytes)
{
  if (!heap)
    return -1;
  struct profile *profile = &heap->collector.arena.profile;
  int64_t old = (int64_t)profile_rate(profile);
  if (bytes >= 0 && profile_set_rate(profile, (uint64_t)bytes) != 0)
    return -1;
  return old;
}

/* Writing takes milliseconds, and the cycle should not wait for a thread of
 * ours that does it. */
static NOINLINE int write_outside(dusk_heap *heap, int fd, uintptr_t sp,
                                  int (*write)(dusk_heap *heap, int fd))
{
  dusk_thread *own = caller_find(heap);
  bool inside = own && thread_state(own) == THREAD_IN_HEAP;
  if (inside) {
    own->entry_sp = sp;
    poll_go_outside(own, sp);
  }
  int error = write(heap, fd);
  if (inside)
    poll_come_back(own);
  return error;
}

NOINLINE int dusk_write_heap_profile(dusk_heap *heap, int fd)
{
  return heap ? write_outside(heap, fd, CALLER_SP(), heapprofile_write)
              : EINVAL;
}

NOINLINE int dusk_write_lifetime_profile(dusk_heap *heap, int fd)
{
  return heap
             ? write_outside(heap, fd, CALLER_SP(), heapprofile_write_lifetimes)
             : EINVAL;
}
