/* SPDX-License-Identifier: MIT */
/* thread.c -- what an attached thread calls
 *
 * A pthread's attachments hang on its word (os/self.h), so that attaching twice
 * is found out, and a pthread that ends while attached is detached by its exit:
 * the collector must not wait for it, nor read its stack. */
#include "api/caller.h"

#include "alloc/alloc.h"
#include "base/check.h"
#include "collect/heap.h"
#include "heap/scavenge.h"
#include "mutator/poll.h"
#include "os/self.h"
#include "report/trace.h"

#include "dusk/alloc.h"
#include "dusk/control.h"
#include "dusk/thread.h"

#include <errno.h>

static void leave(dusk_thread *thread)
{
  struct registry *registry = thread->registry;
  thread_leave(thread);
  trace_thread(thread->heap, thread);
  registry_spare(registry, thread);
}

/* The pthread ends: detaches what it is still attached to. */
static void pthread_ends(void *first)
{
  dusk_thread *thread = first;
  while (thread) {
    dusk_thread *next = thread->next_own;
    if (thread_state(thread) == THREAD_OUTSIDE ||
        thread_state(thread) == THREAD_SERVED)
      poll_come_back(thread);
    leave(thread);
    thread = next;
  }
}

static bool is_attached(const dusk_thread *own, const dusk_heap *heap)
{
  while (own && own->heap != heap)
    own = own->next_own;
  return own != NULL;
}

int dusk_attach(dusk_heap *heap, dusk_thread **thread)
{
  if (!heap || !thread)
    return EINVAL;
  int error = self_word_open(pthread_ends);
  if (error)
    return error;
  dusk_thread *own = self_word();
  if (is_attached(own, heap))
    return EBUSY;
  struct collector *collector = &heap->collector;
  dusk_thread *made = registry_make(&collector->registry);
  if (!made)
    return ENOMEM;
  made->heap = heap;
  made->registry = &collector->registry;
  made->arena = &collector->arena;
  made->grey = &collector->grey;
  made->assist_rule = collector->assist_rule;
  made->next_own = own;
  error = self_set_word(made);
  if (!error && (error = thread_enter(made)))
    self_set_word(own);
  if (error) {
    registry_spare(&collector->registry, made);
    return error;
  }
  *thread = made;
  return 0;
}

/* Stays NULL if no key can be had: then nobody is attached. */
static dusk_thread *own_attachments(void)
{
  return self_word_open(pthread_ends) ? NULL : self_word();
}

/* Frames are kept, for the report that is being waited for. */
NOINLINE uint64_t caller_wait_begin(const dusk_heap *heap, uintptr_t sp)
{
  uint64_t number = 0;
  for (dusk_thread *own = own_attachments(); own; own = own->next_own) {
    if (own->heap == heap)
      number = own->life.number;
    if (thread_state(own) != THREAD_IN_HEAP)
      continue;
    own->entry_sp = sp;
    own->waits = own->framed = true;
    poll_go_outside(own, sp);
  }
  return number;
}

void caller_wait_end(void)
{
  for (dusk_thread *own = own_attachments(); own; own = own->next_own)
    if (own->waits) {
      poll_come_back(own);
      own->waits = own->framed = false;
    }
}

void dusk_detach(dusk_thread *thread)
{
  if (!caller_is_inside(thread, "dusk_detach"))
    return;
  dusk_thread *first = self_word();
  dusk_thread **link = &first;
  while (*link != thread)
    link = &(*link)->next_own;
  *link = thread->next_own;
  self_set_word(first);
  leave(thread);
}

void dusk_safepoint_slow(dusk_thread *thread)
{
  thread->entry_sp = CALLER_SP();
  poll_check(thread);
}

NOINLINE void dusk_blocking_begin(dusk_thread *thread)
{
  if (!caller_is_inside(thread, "dusk_blocking_begin"))
    return;
  thread->entry_sp = CALLER_SP();
  poll_go_outside(thread, CALLER_SP());
}

void dusk_blocking_end(dusk_thread *thread)
{
  if (!caller_owns(thread, "dusk_blocking_end"))
    return;
  if (thread_state(thread) == THREAD_IN_HEAP) {
    complain("dusk_blocking_end: the thread is not in a blocking region");
    return;
  }
  poll_come_back(thread);
}

/* The waits enter a region of their own, and leave the caller's alone: inside
 * one they just wait.  false: the caller is inside, or the handle is bad. */
static NOINLINE bool enter_region(dusk_thread *thread, uintptr_t sp,
                                  const char *call)
{
  if (!caller_owns(thread, call) || thread_state(thread) != THREAD_IN_HEAP)
    return false;
  thread->entry_sp = sp;
  poll_go_outside(thread, sp);
  return true;
}

int dusk_mutex_lock(dusk_thread *thread, pthread_mutex_t *mutex)
{
  int error = pthread_mutex_trylock(mutex);
  if (error != EBUSY)
    return error;
  bool entered = enter_region(thread, CALLER_SP(), "dusk_mutex_lock");
  error = pthread_mutex_lock(mutex);
  if (entered)
    poll_come_back(thread);
  return error;
}

int dusk_cond_wait(dusk_thread *thread, pthread_cond_t *cond,
                   pthread_mutex_t *mutex)
{
  bool entered = enter_region(thread, CALLER_SP(), "dusk_cond_wait");
  int error = pthread_cond_wait(cond, mutex);
  if (entered)
    poll_come_back(thread);
  return error;
}

int dusk_cond_timedwait(dusk_thread *thread, pthread_cond_t *cond,
                        pthread_mutex_t *mutex, const struct timespec *deadline)
{
  bool entered = enter_region(thread, CALLER_SP(), "dusk_cond_timedwait");
  int error = pthread_cond_timedwait(cond, mutex, deadline);
  if (entered)
    poll_come_back(thread);
  return error;
}

void *dusk_alloc_slow(dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  thread->entry_sp = CALLER_SP();
  void *object = alloc_slow(thread, kind, bytes, CALLER_PC());
  poll_scrub(thread);
  return object;
}

void *dusk_new_slow(dusk_thread *thread, dusk_kind kind)
{
  thread->entry_sp = CALLER_SP();
  void *object = alloc_fixed_slow(thread, kind, CALLER_PC());
  poll_scrub(thread);
  return object;
}

void dusk_collect(dusk_thread *thread)
{
  if (!caller_is_inside(thread, "dusk_collect"))
    return;
  thread->entry_sp = CALLER_SP();
  alloc_collect(thread);
  poll_scrub(thread);
}

void dusk_release_memory(dusk_thread *thread)
{
  if (!caller_is_inside(thread, "dusk_release_memory"))
    return;
  thread->entry_sp = CALLER_SP();
  alloc_collect(thread);
  scavenge_all(thread->arena);
  poll_scrub(thread);
}
