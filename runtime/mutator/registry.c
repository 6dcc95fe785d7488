/* SPDX-License-Identifier: MIT */
/* registry.c -- the attached threads, and the handshake that is under way
 *
 * ALWAYS TRUE
 *   .counted  a thread in the list has served the current round, or is one of
 *             `owing` and has its poll set.
 *   .alone    a round is posted only when the one before has owing == 0. */
#include "mutator/registry.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "base/check.h"
#include "base/steps.h"
#include "os/probe.h"
#include "os/vm.h"

#include <string.h>

static size_t record_bytes(void)
{
  return align_up(sizeof(struct dusk_thread), vm_page_size());
}

void registry_init(struct registry *registry)
{
  *registry = (struct registry){.joining = {.epoch = 1}};
  lock_init(&registry->lock, RANK_registry);
  park_init(&registry->acknowledged);
}

void registry_destroy(struct registry *registry)
{
  while (registry->records) {
    struct dusk_thread *thread = registry->records;
    registry->records = thread->next_record;
    track_clear(&thread->track);
    vm_unmap(thread, record_bytes());
  }
  park_destroy(&registry->acknowledged);
  lock_destroy(&registry->lock);
}

static struct dusk_thread *make_record(struct registry *registry)
{
  struct dusk_thread *thread = vm_map(record_bytes());
  if (!thread)
    return NULL;
  lock_acquire(&registry->lock);
  thread->next_record = registry->records;
  registry->records = thread;
  lock_release(&registry->lock);
  ADD_RELAXED(&registry->caches, 1);
  return thread;
}

struct dusk_thread *registry_make(struct registry *registry)
{
  lock_acquire(&registry->lock);
  struct dusk_thread *thread = registry->spare;
  if (thread)
    registry->spare = thread->next;
  lock_release(&registry->lock);
  return thread ? thread : make_record(registry);
}

void registry_spare(struct registry *registry, struct dusk_thread *thread)
{
  lock_acquire(&registry->lock);
  thread->next = registry->spare;
  registry->spare = thread;
  lock_release(&registry->lock);
}

/* Becomes one more thread that owes the round; false: it is complete. */
static bool owe_too(struct registry *registry)
{
  uint32_t owing = LOAD_RELAXED(&registry->owing);
  while (owing)
    if (CAS_ACQUIRE(&registry->owing, &owing, owing + 1)) /* acknowledge */
      return true;
  return false;
}

void registry_start_track(struct registry *registry, struct track *track)
{
  CHECK(lock_rank_is_held(RANK_registry));
  ADD_RELAXED(&registry->ring_bytes, track_start(track, registry->ring_room));
}

/* Whose events these are from now on. */
static void begin_track(struct registry *registry, struct dusk_thread *thread)
{
  thread->track.owner = OWNER_THREADS + (uint32_t)thread->life.number;
  if (registry->ring_room)
    registry_start_track(registry, &thread->track);
  else
    track_stop(&thread->track);
  track_mark(&thread->track, EVENT_attach, thread->life.number);
}

void registry_join(struct registry *registry, struct dusk_thread *thread)
{
  lock_acquire(&registry->lock);
  thread->life.number = registry->joined + 1;
  STORE_RELAXED(&registry->joined, thread->life.number);
  begin_track(registry, thread);
  struct joining joining = registry->joining;
  bool owes = (joining.owes || joining.halts) && owe_too(registry);
  thread_set_epoch(thread, joining.epoch);
  thread->abi.barrier = registry->barrier | joining.barrier;
  thread->black = joining.black && !(owes && joining.owes);
  thread->scanned = thread->black;
  thread->served = registry->round - owes;
  STORE_RELAXED(&thread->abi.poll, owes);
  STORE_RELEASE(&thread->state, THREAD_IN_HEAP); /* with thread_state() */
  thread->next = registry->first;
  registry->first = thread;
  STORE_RELAXED(&registry->attached, registry->attached + 1);
  lock_release(&registry->lock);
}

void registry_leave_timings(struct registry *registry,
                            const struct dusk_thread *thread)
{
  struct timings *left = &registry->left_timings;
  if (thread->timings.longest_answer_ns > left->longest_answer_ns)
    registry->left_slow_name = thread->slow_name;
  timings_fold(left, &thread->timings);
}

void registry_remove(struct registry *registry, struct dusk_thread *thread)
{
  CHECK(lock_rank_is_held(RANK_registry));
  struct dusk_thread **link = &registry->first;
  while (*link != thread)
    link = &(*link)->next;
  *link = thread->next;
  STORE_RELAXED(&registry->attached, registry->attached - 1);
  STORE_RELEASE(&thread->state, THREAD_DETACHED); /* with thread_state() */
}

void registry_post(struct registry *registry, handshake_step *step,
                   struct joining joining)
{
  lock_acquire(&registry->lock);
  CHECK(LOAD_RELAXED(&registry->owing) == 0); /* .alone */
  registry->step = step;
  registry->posted_ns = clock_now();
  registry->joining = joining;
  STORE_RELAXED(&registry->owing, registry->attached + joining.halts);
  /* Pairs with the acquire in poll_serve(): who sees the number sees the step,
   * and all that the collector did before. */
  STORE_RELEASE(&registry->round, registry->round + 1);
  CHAOS("round-half-posted");
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    STORE_RELAXED(&t->abi.poll, 1);
  lock_release(&registry->lock);
}

void registry_acknowledge(struct registry *registry, struct dusk_thread *thread)
{
  /* Release: all that the thread stored and shaded until now is seen by the
   * collector once it finds owing == 0. */
  STORE_RELEASE(&thread->served, LOAD_RELAXED(&registry->round));
  CHAOS("served-not-counted");
  /* Sequentially consistent, with handshake_wait(): either it sees that nobody
   * owes, or we see that it waits. */
  if (__atomic_sub_fetch(&registry->owing, 1, __ATOMIC_SEQ_CST) == 0 &&
      __atomic_load_n(&registry->collector_waits, __ATOMIC_SEQ_CST))
    park_signal(&registry->acknowledged);
}

struct service registry_begin_service(struct registry *registry)
{
  /* Before this thread's part of the round is done; so who finds the round
   * complete finds this too. */
  ADD_RELAXED(&registry->noting, 1);
  return (struct service){.start_ns = clock_now(),
                          .round = LOAD_RELAXED(&registry->round),
                          .half = LOAD_RELAXED(&registry->half)};
}

void registry_end_service(struct registry *registry, struct dusk_thread *thread,
                          struct service service)
{
  uint64_t ns = clock_now() - service.start_ns;
  uint64_t *longest = &registry->longest_service[service.half];
  uint64_t seen = LOAD_RELAXED(longest);
  while (ns > seen && !CAS_ACQUIRE(longest, &seen, ns))
    ;
  histogram_add(&thread->timings.service, ns);
  thread_was_held(thread, service.start_ns, service.start_ns + ns);
  PROBE3(service, thread->life.number, service.round, ns);
  track_note(&thread->track, EVENT_service, service.start_ns, ns, service.round,
             0);
  /* Pairs with registry_await_notes(): both notes are seen. */
  SUB_RELEASE(&registry->noting, 1);
}

void registry_await_notes(const struct registry *registry)
{
  while (LOAD_ACQUIRE(&registry->noting)) /* with registry_end_service() */
    steps_yield();
}

/* ---- after a fork ---- */

/* Whose thread has vanished, wherever it was: a record like a new one, but that
 * it tells where the last stack was.  What the program may still do with the
 * handle is answered as for one that detached. */
static void forget(struct registry *registry, struct dusk_thread *thread)
{
  uintptr_t low = thread->stack_low;
  uintptr_t high = thread->stack_high;
  struct dusk_thread *next_record = thread->next_record;
  track_clear(&thread->track);
  if (!vm_release(thread, record_bytes()))
    memset(thread, 0, record_bytes());
  thread->stack_low = low;
  thread->stack_high = high;
  thread->next_record = next_record;
  thread->next = registry->spare;
  registry->spare = thread;
}

static struct dusk_thread *find_own(const struct registry *registry)
{
  struct dusk_thread *thread = registry->first;
  while (thread && !pthread_equal(thread->self, self_thread()))
    thread = thread->next;
  return thread;
}

void registry_revive(struct registry *registry, uint32_t epoch)
{
  struct dusk_thread *own = find_own(registry);
  lock_renew(&registry->lock);
  park_init(&registry->acknowledged);
  for (struct dusk_thread *t = registry->first; t; t = t->next) {
    tally_fold(&registry->left, &t->taken);
    STORE_RELAXED(&t->assists.debt_bytes, 0);
    if (t != own) {
      assists_fold(&registry->left_assists, &t->assists);
      registry_leave_timings(registry, t);
    }
  }
  registry->joining = (struct joining){.epoch = epoch};
  registry->owing = 0;
  registry->collector_waits = 0;
  registry->noting = 0;
  registry->all_scanned = 0;
  registry->traced_room = 0;
  registry->ring_room = 0;
  registry->ring_bytes = 0;
  registry->first = own;
  registry->attached = own != NULL;
  registry->outside = 0;
  registry->spare = NULL;
  registry->caches = 0;
  for (struct dusk_thread *t = registry->records; t; t = t->next_record) {
    registry->caches++;
    if (t != own)
      forget(registry, t);
  }
  if (own)
    thread_revive(own);
}
