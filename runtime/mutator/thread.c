/* SPDX-License-Identifier: MIT */
/* thread.c -- threads that come and go, at any moment of a cycle
 *
 * Joining and leaving hold the registry's lock, as posting does: a thread is
 * counted by a round, or joins as if it had served it, or leaves having served
 * it.  There is no fourth way.
 *
 * Tested by tests/api/thread.c and tests/stress/threads.c. */
#include "mutator/thread.h"

#include "base/chaos.h"
#include "mutator/barrier.h"
#include "mutator/cache.h"
#include "mutator/checking.h"
#include "mutator/poll.h"
#include "os/clock.h"

#include <errno.h>
#include <string.h>

static void begin_life(struct dusk_thread *thread)
{
  delays_clear(thread->delays);
  thread->life =
      (struct life){.attached_ns = clock_now(), .cpu_ns = clock_thread_cpu()};
}

/* Before its counts are gone. */
static void end_life(struct dusk_thread *thread)
{
  struct tally allocated = {0};
  cache_read(thread, &allocated);
  thread->life.allocated_bytes = tally_bytes(&allocated);
  thread->life.cpu_ns = clock_thread_cpu() - thread->life.cpu_ns;
  thread->life.detached_ns = clock_now();
}

int thread_enter(struct dusk_thread *thread)
{
  int error = self_stack(&thread->stack_low, &thread->stack_high);
  if (error)
    return error;
  thread->log = grey_packet(thread->grey);
  if (!thread->log)
    return ENOMEM;
  thread->self = self_thread();
  thread->credit = 0;
  thread->fresh = 0;
  memset(thread->recent, 0, sizeof thread->recent);
  memset(&thread->assists, 0, sizeof thread->assists);
  if (thread->delays)
    begin_life(thread);
  CHAOS("not-joined");
  registry_join(thread->registry, thread);
  CHAOS("joined");
  return 0;
}

/* Takes the registry's lock at a moment when this thread owes nothing. */
static void lock_when_served(struct dusk_thread *thread)
{
  struct registry *registry = thread->registry;
  lock_acquire(&registry->lock);
  while (thread->served != registry->round) {
    lock_release(&registry->lock);
    poll_serve(thread);
    lock_acquire(&registry->lock);
  }
}

void thread_leave(struct dusk_thread *thread)
{
  struct registry *registry = thread->registry;
  if (checking_is_on(thread))
    checking_settle(thread);
  lock_when_served(thread);
  CHAOS("leaving");
  if (thread->log->count)
    grey_hand_over(thread->grey, &thread->grey->raw, thread->log);
  else
    grey_recycle(thread->grey, thread->log);
  thread->log = NULL;
  CHAOS("log-left");
  cache_leave(thread);
  cache_read(thread, &registry->left);
  STORE_RELAXED(&thread->assists.debt_bytes, 0);
  assists_fold(&registry->left_assists, &thread->assists);
  if (thread->delays)
    end_life(thread);
  registry_remove(registry, thread);
  memset(&thread->taken, 0, sizeof thread->taken);
  lock_release(&registry->lock);
}
