/* SPDX-License-Identifier: MIT */
/* caller.c -- may the caller use this handle?
 *
 * Tested by tests/api/thread.c. */
#include "api/caller.h"

#include "base/check.h"
#include "mutator/thread.h"

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

bool caller_is_inside(const dusk_thread *thread, const char *call)
{
  if (!caller_owns(thread, call))
    return false;
  if (thread_state(thread) == THREAD_IN_HEAP)
    return true;
  complain("%s: the thread is in a blocking region", call);
  return false;
}
