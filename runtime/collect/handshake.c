/* SPDX-License-Identifier: MIT */
/* handshake.c -- the five steps that every thread takes in a cycle
 *
 * The steps run on the threads themselves, at their safepoints, or on the
 * driver for a thread in a blocking region.  They take no lock but those of the
 * packet store and of nothing else, and wait for nobody.
 *
 * Why each step is where it is, and what is lost without it: runtime/README.md.
 * Tested by tests/unit, which serve the steps one by one, tests/api/handover.c
 * and the stress tests. */
#include "collect/handshake.h"

#include "base/chaos.h"
#include "base/check.h"
#include "mutator/barrier.h"
#include "mutator/cache.h"
#include "mutator/poll.h"
#include "os/clock.h"
#include "os/probe.h"
#include "os/unwind.h"

enum {
  /* The driver looks for threads that went into a blocking region this often:
   * they do not wake it. */
  LOOK_MIN_NS = 50 * 1000,
  LOOK_MAX_NS = 1000 * 1000,
  SPIN_NS = 20 * 1000,
  REPORT_FRAMES = 32,
};

static bool serve_h1(struct dusk_thread *thread, const struct stack_view *stack)
{
  (void)stack;
  barrier_begin(thread);
  thread->credit = 0;
  STORE_RELAXED(&thread->assists.debt_bytes, 0);
  thread->abi.barrier |= BARRIER_LOG;
  CHAOS("barrier-on");
  return true;
}

static bool serve_h1b(struct dusk_thread *thread,
                      const struct stack_view *stack)
{
  (void)thread;
  (void)stack;
  return true;
}

static bool serve_h2(struct dusk_thread *thread, const struct stack_view *stack)
{
  uint64_t start = clock_now();
  uintptr_t words = (uintptr_t)stack->words;
  uintptr_t words_end = words + stack->count * sizeof(uintptr_t);
  uintptr_t sp = stack->sp & ~(uintptr_t)(sizeof(uintptr_t) - 1);
  if (!gather(thread->arena, thread->grey, &thread->log, words, words_end) ||
      !gather(thread->arena, thread->grey, &thread->log, sp,
              thread->stack_high) ||
      !gather_fake(thread->arena, thread->grey, &thread->log, stack->fake,
                   words, words_end) ||
      !gather_fake(thread->arena, thread->grey, &thread->log, stack->fake, sp,
                   thread->stack_high))
    return false;
  ADD_RELAXED(&thread->registry->stack_bytes, thread->stack_high - sp);
  counter_add(&thread->timings.copied_bytes, thread->stack_high - sp);
  histogram_add(&thread->timings.copy, clock_now() - start);
  CHAOS("gathered-not-black");
  cache_blacken(thread);
  thread->black = true;
  thread->scanned = true;
  if (UNLIKELY(thread->registry->scrubs))
    cache_leave(thread); /* the limit of a run names the object behind it */
  return true;
}

static bool serve_h3(struct dusk_thread *thread, const struct stack_view *stack)
{
  (void)stack;
  return barrier_flush(thread);
}

static bool serve_h4(struct dusk_thread *thread, const struct stack_view *stack)
{
  (void)stack;
  thread->abi.barrier &= ~(uint32_t)BARRIER_LOG;
  CHAOS("barrier-off");
  thread->log->count = 0; /* marking is over: nothing in it is white */
  cache_drop(thread);
  thread->black = false;
  thread->scanned = false;
  thread_set_epoch(thread, thread->epoch + 1);
  return true;
}

/* The step, and the state in which threads join once it is posted. */
static const struct {
  handshake_step *step;
  bool barrier;
  bool black;
  bool owes;
  uint32_t epochs; /* added to the cycle's */
  enum service_half half;
} steps[] = {
    [HANDSHAKE_1] = {serve_h1, true, false, false, 0, SERVICE_STARTING},
    [HANDSHAKE_1B] = {serve_h1b, true, false, false, 0, SERVICE_STARTING},
    [HANDSHAKE_2] = {serve_h2, true, true, true, 0, SERVICE_STARTING},
    [HANDSHAKE_3] = {serve_h3, true, true, false, 0, SERVICE_ENDING},
    [HANDSHAKE_4] = {serve_h4, false, false, false, 1, SERVICE_ENDING},
};

_Static_assert(EVENT_h1 + (int)HANDSHAKE_4 == (int)EVENT_h4 &&
                   EVENT_h1 + (int)HANDSHAKE_2 == (int)EVENT_h2,
               "events.def has the handshakes in their order");

void handshake_post(struct collector *collector, enum handshake which,
                    uint32_t epoch)
{
  collector->posted = (struct posted){
      .which = which, .start_ns = track_begin(&collector->track)};
  STORE_RELAXED(&collector->registry.half, steps[which].half);
  registry_post(&collector->registry, steps[which].step,
                (struct joining){.epoch = epoch + steps[which].epochs,
                                 .barrier = steps[which].barrier,
                                 .black = steps[which].black,
                                 .owes = steps[which].owes});
  PROBE2(handshake__begin, collector->registry.round, (int)which);
  CHAOS("round-posted");
}

/* The thread has served the round, or is served. */
static bool serve_one(struct collector *collector, struct dusk_thread *thread)
{
  struct registry *registry = &collector->registry;
  if (LOAD_ACQUIRE(&thread->served) == registry->round) /* acknowledge */
    return true;
  uint64_t start = track_begin(&collector->track);
  if (!poll_serve_outside(registry, thread))
    return false;
  track_end(&collector->track, EVENT_served, start, thread->life.number,
            registry->round);
  return true;
}

/* A thread that has not served the round, and is not in a blocking region;
 * serves those that are.  With the registry's lock. */
static struct dusk_thread *serve_outside(struct collector *collector)
{
  struct dusk_thread *late = NULL;
  for (struct dusk_thread *t = collector->registry.first; t; t = t->next)
    if (!serve_one(collector, t))
      late = t;
  return late;
}

void handshake_report_late(const struct dusk_thread *thread, uint64_t waited_ns)
{
  uintptr_t pcs[REPORT_FRAMES];
  char name[256];
  complain("thread %p has not reached a safepoint for %llu ms: it delays the "
           "collection (a loop without dusk_safepoint, or a wait outside a "
           "blocking region)",
           (const void *)thread, (unsigned long long)(waited_ns / 1000000));
  unsigned count = unwind_thread(thread->self, pcs, REPORT_FRAMES);
  for (unsigned i = 0; i < count; i++) {
    unwind_name(pcs[i], name, sizeof name);
    complain("  #%u %s", i, name);
  }
}

static bool is_complete(const struct registry *registry)
{
  return __atomic_load_n(&registry->owing, __ATOMIC_SEQ_CST) == 0;
}

/* Threads that allocate answer in a microsecond, and waking a parked driver
 * costs them several: with a processor of its own it first waits awake. */
static bool spin(const struct collector *collector)
{
  const struct registry *registry = &collector->registry;
  if (collector->processors == 1)
    return is_complete(registry);
  uint64_t start = clock_now();
  while (!is_complete(registry)) {
    CHAOS("spinning");
    if (clock_now() - start > SPIN_NS)
      return false;
  }
  return true;
}

static void park(struct registry *registry, uint64_t ns)
{
  uint64_t noted = park_note(&registry->acknowledged);
  /* With registry_acknowledge(). */
  __atomic_store_n(&registry->collector_waits, 1, __ATOMIC_SEQ_CST);
  if (!is_complete(registry))
    park_wait(&registry->acknowledged, noted, ns);
  STORE_RELAXED(&registry->collector_waits, 0);
}

static void await_all(struct collector *collector)
{
  struct registry *registry = &collector->registry;
  uint64_t start = clock_now();
  uint64_t slow_ns = collector->slow_ms * 1000000;
  uint64_t look_ns = LOOK_MIN_NS;
  bool reported = slow_ns == 0;
  for (;;) {
    lock_acquire(&registry->lock);
    struct dusk_thread *late = serve_outside(collector);
    /* Reported with the lock held: the thread cannot leave, so its pthread
     * exists. */
    if (late && !reported && clock_now() - start >= slow_ns) {
      reported = true;
      handshake_report_late(late, clock_now() - start);
    }
    lock_release(&registry->lock);
    if (spin(collector))
      return;
    park(registry, look_ns);
    if (look_ns < LOOK_MAX_NS)
      look_ns *= 2;
  }
}

void handshake_wait(struct collector *collector)
{
  const struct posted *posted = &collector->posted;
  await_all(collector);
  PROBE2(handshake__end, collector->registry.round, (int)posted->which);
  track_end(&collector->track, (enum event_id)(EVENT_h1 + posted->which),
            posted->start_ns, collector->registry.round, collector->begun);
}
