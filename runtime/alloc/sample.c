/* SPDX-License-Identifier: MIT */
/* sample.c -- noting a sampled object, for the heap profile
 *
 * Runs on the thread that allocates, between the object's birth and the next
 * safepoint: for which cycle it counts, and what the collector thinks of it, is
 * what the thread's colour says now.
 *
 * Tested by tests/api/profile.c. */
#include "alloc/sample.h"

#include "base/bits.h"
#include "collect/heap.h"
#include "os/unwind.h"

/* From the caller of the allocation outwards. */
enum { SAMPLE_FRAMES = 64 };

bool sample_is_due(struct dusk_thread *thread, size_t bytes)
{
  uint64_t at;
  return sampling_falls(&thread->sampling,
                        profile_rate(&thread->arena->profile),
                        align_up(bytes, PAGE_BYTES), &at);
}

COLD void sample_note(struct dusk_thread *thread, void *object,
                      uintptr_t caller)
{
  struct arena *arena = thread->arena;
  uintptr_t pcs[SAMPLE_FRAMES];
  struct object found;
  if (!object_find(arena, (uintptr_t)object, &found))
    return;
  unsigned count = unwind_program(caller, pcs, SAMPLE_FRAMES);
  if (!count) {
    pcs[0] = caller; /* built without libunwind: that much is known */
    count = 1;
  }
  const struct birth birth = {
      .object = found.start,
      .bytes = found.bytes,
      .kind = found.span->kind,
      .epoch = thread->epoch,
      .black = thread->black,
      .rate = thread->sampling.rate,
  };
  profile_add(&arena->profile, &birth, pcs, count);
}
