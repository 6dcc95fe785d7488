/* SPDX-License-Identifier: MIT */
/* profile.c -- who allocates, what is in use, and how long it lives
 *
 * Tested by tests/api/profile.c. */
#include "api/caller.h"
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

/* Writing takes milliseconds, for which no cycle should wait. */
static NOINLINE int write_outside(dusk_heap *heap, int fd, uintptr_t sp,
                                  int (*write)(dusk_heap *heap, int fd))
{
  caller_wait_begin(heap, sp);
  int error = write(heap, fd);
  caller_wait_end();
  return error && error != ENOMEM ? EIO : error;
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
