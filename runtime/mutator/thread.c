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
  /* Other numbers in each thread, and in each run of the program. */
  if (!thread->sampling.state)
    thread->sampling.state = clock_now() ^ (uintptr_t)thread << 20;
  memset(&thread->timings, 0, sizeof thread->timings);
  thread->slow_name = (struct slow_name){0};
  thread->joined_ns = clock_now();
  utilisation_begin(&thread->utilisation, thread->joined_ns);
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
  registry_leave_timings(registry, thread);
  if (registry->traced_room)
    end_life(thread);
  track_mark(&thread->track, EVENT_leave, thread->life.number);
  registry_remove(registry, thread);
  memset(&thread->taken, 0, sizeof thread->taken);
  lock_release(&registry->lock);
}

/* A service on the thread's behalf may have been under way, so nothing of its
 * cache is worth keeping. */
static void forget_cache(struct dusk_thread *thread)
{
  const struct kinds *kinds = &thread->arena->kinds;
  for (uint32_t k = 0; k < kinds_count(kinds); k++)
    for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++)
      if (kind_has_class(kind_find(kinds, k), c))
        *cache_run(thread, k, c) = (struct dusk_run){0};
  thread->held = PAGE_NONE;
  thread->version = 0;
  memset(&thread->taken, 0, sizeof thread->taken);
}

/* What it recorded is the parent's. */
static void forget_track(struct dusk_thread *thread)
{
  track_clear(&thread->track);
  thread->traced_ring = NULL;
  thread->traced = (struct ring_reader){0};
}

void thread_revive(struct dusk_thread *thread)
{
  struct registry *registry = thread->registry;
  forget_cache(thread);
  forget_track(thread);
  thread->log = grey_packet(thread->grey); /* as many are usable as before */
  memset(thread->recent, 0, sizeof thread->recent);
  thread->credit = 0;
  thread->abi.barrier = registry->barrier;
  thread->black = false;
  thread->scanned = false;
  thread_set_epoch(thread, registry->joining.epoch);
  thread->served = registry->round;
  thread->abi.poll = 0;
  thread->next = NULL;
  thread->standing.held = false;
  if (thread_state(thread) != THREAD_IN_HEAP) { /* nobody serves it now */
    STORE_RELAXED(&thread->state, THREAD_OUTSIDE);
    registry->outside = 1;
  }
}
