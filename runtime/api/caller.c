/* SPDX-License-Identifier: MIT */
/* caller.c -- may the caller use this handle?
 *
 * Tested by tests/api/thread.c. */
#include "api/caller.h"

#include "base/check.h"
#include "collect/heap.h"

/* The handle's own words tell whether the call is allowed; the line says what
 * is wrong otherwise. */
bool caller_owns(const dusk_thread *thread, const char *call)
{
  const char *why = NULL;
  if (!thread)
    why = "the handle is NULL";
  else if (thread_state(thread) == THREAD_DETACHED)
    why = "the thread is detached";
  else if (!pthread_equal(thread->self, self_thread()))
    why = "the handle belongs to another thread";
  if (why)
    complain("%s: %s", call, why);
  return !why;
}

dusk_thread *caller_find(const dusk_heap *heap)
{
  /* Before the first attached, there are no words to ask for. */
  if (!LOAD_RELAXED(&heap->collector.registry.joined))
    return NULL;
  dusk_thread *own = self_word();
  while (own && own->heap != heap)
    own = own->next_own;
  return own;
}

bool caller_is_inside(const dusk_thread *thread, const char *call)
{
  if (!caller_owns(thread, call))
    return false;
  if (thread_state(thread) == THREAD_IN_HEAP)
    return true;
  complain("%s: the thread is in a blocking region", call);
  return false;
}
