/* SPDX-License-Identifier: MIT */
/* assist.c -- what a thread pays for its allocation, and what it has paid
 *
 * Tested by tests/api/assist.c. */
#include "dusk/assist.h"

#include "api/caller.h"
#include "collect/heap.h"

#include <errno.h>
#include <string.h>

int dusk_set_assist(dusk_thread *thread, dusk_assist policy,
                    dusk_assist_cap cap)
{
  bool capped = policy == DUSK_ASSIST_CAPPED;
  if (!caller_owns(thread, "dusk_set_assist") ||
      (unsigned)policy > DUSK_ASSIST_EXEMPT ||
      (capped && !cap.bytes && !cap.microseconds))
    return EINVAL;
  thread->assist_rule = (struct assist_rule){
      .policy = policy, .cap = capped ? cap : (dusk_assist_cap){0}};
  return 0;
}

/* Fills what the caller's struct has of it. */
static int tell(const struct assists *assists, dusk_assist_stats *out)
{
  size_t size = out->struct_size;
  dusk_assist_stats all = {.struct_size = size};
  if (size < offsetof(dusk_assist_stats, total_ns))
    return EINVAL;
  assists_tell(assists, &all);
  memcpy(out, &all, size < sizeof all ? size : sizeof all);
  return 0;
}

int dusk_read_assist(const dusk_thread *thread, dusk_assist_stats *out)
{
  return thread && out ? tell(&thread->assists, out) : EINVAL;
}

int dusk_read_heap_assist(dusk_heap *heap, dusk_assist_stats *out)
{
  if (!heap || !out)
    return EINVAL;
  struct registry *registry = &heap->collector.registry;
  struct assists sum = {0};
  lock_acquire(&registry->lock);
  assists_fold(&sum, &registry->left_assists);
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    assists_fold(&sum, &t->assists);
  lock_release(&registry->lock);
  return tell(&sum, out);
}
