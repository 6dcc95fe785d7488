/* SPDX-License-Identifier: MIT */
/* worker.c -- marking in the background, and how much of a processor it takes
 *
 * Runs on the driver (worker 0), on helpers and on idle workers.  Helpers sleep
 * between cycles and wake by themselves while one marks: a millisecond's delay
 * costs little where there are four processors or more.
 *
 * SHARES  Go's fractional worker goes on to 1.2 times its share and then stops
 * until it is below; ours looks every 50 us and holds back above 1.0 times: it
 * is one thread all the time, not one a processor, so it has no other to wait
 * for.  Credit goes to the pool after each quantum, Go's after 2,000 bytes and
 * first to those who wait in a queue: here nobody waits, a thread that finds
 * neither credit nor work goes on allocating.
 *
 * IDLE WORKERS are threads that the system runs only on processors which no
 * ordinary thread wants.  That is not enough.  A marker inside the grey set's
 * door holds up the end of marking, and an idle thread that loses its processor
 * there stands still until one is free: on a machine that has just become busy
 * for 35 ms and more (os/priority.c), and on Linux before 6.12 for a second,
 * in which the driver finds `busy` and waits.  Nobody else does: the program
 * runs, and pays assists.  So
 *
 *   .spare    an idle worker comes in only while threads in the heap, workers
 *             and idle workers together are no more than the processors;
 *   .short    it leaves, holding nothing, after some 10 us, and asks again;
 *   .shy      one that runs a millisecond late after it was woken, or loses its
 *             processor in a quantum, stays away for an eighth of a second, and
 *             twice as long each time that it happens again: the processors
 *             are others' to use;
 *   .few      there are at most as many as processors without a worker, and
 *             none in a periodic cycle: a program that does nothing shall not
 *             make every processor of the machine hot each two minutes. */
#include "collect/worker.h"

#include "base/chaos.h"
#include "collect/limiting.h"
#include "collect/pacing.h"
#include "os/block.h"
#include "os/clock.h"
#include "os/priority.h"
#include "os/task.h"

#include <errno.h>

enum {
  /* Bytes scanned between two looks at the clock: about 50 us. */
  QUANTUM_BYTES = 64 * 1024,
  /* The longest that a worker holds back before it looks up again. */
  REST_MAX_NS = 1000 * 1000,
  /* How often a helper looks for work while there is none. */
  LOOK_NS = 500 * 1000,
  /* An idle worker that finds none, or no processor, looks half as often each
   * time, down to this. */
  IDLE_LOOK_MAX_NS = 16 * LOOK_NS,
  /* Bytes that an idle worker scans before it leaves: about 10 us. */
  IDLE_QUANTUM_BYTES = 16 * 1024,
  /* Asking for a thread's processor time takes the system up to 2 us: an idle
   * worker asks once in so many quanta. */
  IDLE_QUANTA = 8,
  /* A worker that is so late, or a quantum that takes longer, had to wait for a
   * processor. */
  LOST_NS = 1000 * 1000,
  /* More markers than this only wait for each other's packets. */
  IDLE_WORKERS_MAX = 16,
};

/* How long an idle worker stays away (.shy), at least and at most. */
#define AWAY_MIN_NS (UINT64_C(125) * 1000 * 1000)
#define AWAY_MAX_NS (64 * AWAY_MIN_NS)

struct helper {
  struct collector *collector;
  unsigned worker;
  pthread_t thread;
};

unsigned worker_count(unsigned processors)
{
  struct pacer_workers workers = pacer_workers(processors);
  return workers.dedicated + (workers.fractional > 0);
}

unsigned worker_idle_count(unsigned processors, unsigned workers)
{
  unsigned left = processors > workers ? processors - workers : 0;
  return left < IDLE_WORKERS_MAX ? left : IDLE_WORKERS_MAX;
}

/* A worker's part of the quarter, in processors. */
static double worker_share(const struct collector *collector, unsigned worker)
{
  struct pacer_workers workers = pacer_workers(collector->processors);
  if (collector->workers_are_asked) {
    double quarter =
        workers.dedicated + workers.fractional * collector->processors;
    return quarter < collector->workers ? quarter / collector->workers : 1;
  }
  if (worker < workers.dedicated)
    return 1;
  return workers.fractional * collector->processors;
}

static struct track *worker_track(struct collector *collector, unsigned worker)
{
  return worker ? &collector->helper_track[worker - 1] : &collector->track;
}

void turn_begin(struct turn *turn, struct collector *collector, unsigned worker)
{
  double fair = worker_share(collector, worker);
  *turn = (struct turn){
      .collector = collector,
      .share = collector->workers_are_asked ? 1 : fair,
      .fair = fair,
      .wakes_idle = worker == 0 && collector->idle_workers,
      .began_ns = clock_now(),
      .cpu_ns = clock_thread_cpu(),
      .track = worker_track(collector, worker),
  };
  turn->looked_ns = turn->began_ns;
}

/* Is there a processor that no thread of the program wants, with so many at
 * work besides?  The two counts are read one after the other: a thread that
 * attaches or comes back in between is missed until the next look. */
static bool processor_is_spare(const struct collector *collector,
                               unsigned markers)
{
  const struct registry *registry = &collector->registry;
  uint32_t outside = LOAD_RELAXED(&registry->outside);
  uint32_t attached = LOAD_RELAXED(&registry->attached);
  uint32_t inside = attached > outside ? attached - outside : 0;
  return inside + markers <= collector->processors;
}

static void count_idle(struct collector *collector, uint64_t ns)
{
  ADD_RELAXED(&collector->pacing.idle_ns, ns);
  limiter_add_idle(&collector->limiting.limiter, ns);
}

void turn_count(struct turn *turn)
{
  struct collector *collector = turn->collector;
  uint64_t now = clock_now();
  uint64_t all = clock_thread_cpu() - turn->cpu_ns;
  uint64_t used = all - turn->noted_ns;
  uint64_t fair = (uint64_t)((double)(now - turn->looked_ns) * turn->fair);
  turn->noted_ns = all;
  turn->looked_ns = now;
  if (used > fair && processor_is_spare(collector, 1)) {
    count_idle(collector, used - fair);
    used = fair;
  }
  ADD_RELAXED(&collector->pacing.worker_ns, used);
  limiter_add_gc(&collector->limiting.limiter, used);
  limiting_update(collector, now);
}

/* Sleeps until the worker's time is its share of the time that has passed; what
 * it holds is for others meanwhile. */
static void hold_back(struct turn *turn, struct dusk_tracer *tracer)
{
  if (turn->share >= 1 || processor_is_spare(turn->collector, 1) ||
      pacing_is_owed(turn->collector)) {
    /* What was used freely is not owed later. */
    turn->began_ns = clock_now();
    turn->cpu_ns += turn->noted_ns;
    turn->noted_ns = 0;
    return;
  }
  uint64_t due = (uint64_t)((double)turn->noted_ns / turn->share);
  uint64_t passed = clock_now() - turn->began_ns;
  if (due <= passed)
    return;
  mark_share(tracer);
  uint64_t start = track_begin(turn->track);
  clock_sleep(due - passed < REST_MAX_NS ? due - passed : REST_MAX_NS);
  track_end(turn->track, EVENT_rest, start, 0, 0);
}

/* Is a processor free for an idle worker, with so many markers?  (.spare)  In
 * builds that look for races, always: tests have more threads than processors,
 * and there idle workers are neither shy nor rare. */
static bool idle_is_welcome(const struct collector *collector, unsigned markers)
{
  return DUSK_CHAOS || processor_is_spare(collector, markers);
}

/* The driver wakes idle workers once a cycle: as soon as there is a processor
 * for one, and the cycle is more than a quantum's work. */
static void wake_idle(struct turn *turn)
{
  struct collector *collector = turn->collector;
  if (!turn->wakes_idle || !idle_is_welcome(collector, collector->workers + 1))
    return;
  turn->wakes_idle = false;
  STORE_RELAXED(&collector->spare_ns, clock_now());
  park_signal(&collector->spare);
}

bool turn_mark(struct turn *turn, struct dusk_tracer *tracer)
{
  uint64_t before = tracer->work;
  bool more = mark_drain(tracer, QUANTUM_BYTES);
  turn_count(turn);
  ADD_RELAXED(&turn->collector->pacing.credit,
              (int64_t)(tracer->work - before));
  pacing_revise(turn->collector);
  if (more && LOAD_RELAXED(&turn->collector->grey.hungry))
    mark_share(tracer);
  if (more) {
    wake_idle(turn);
    hold_back(turn, tracer);
  }
  return more;
}

/* Marks until the cycle needs no more of it. */
static void help(struct helper *helper)
{
  struct dusk_tracer tracer;
  struct turn turn;
  struct track *track = worker_track(helper->collector, helper->worker);
  uint64_t start = track_begin(track);
  if (grey_is_empty(&helper->collector->grey) ||
      !mark_enter(&tracer, helper->collector))
    return;
  turn_begin(&turn, helper->collector, helper->worker);
  while (turn_mark(&turn, &tracer))
    ;
  mark_leave(&tracer);
  track_end(track, EVENT_slice, start, tracer.work, 0);
}

/* May one more idle worker mark now? */
static bool idle_begin(struct collector *collector)
{
  if (!idle_enter(&collector->idle))
    return false;
  unsigned markers = collector->workers + idle_count(&collector->idle);
  if (idle_is_welcome(collector, markers))
    return true;
  idle_leave(&collector->idle);
  return false;
}

enum help { HELP_NONE, HELP_SOME, HELP_LOST };

/* Marks while there is work and a processor to spare. */
static enum help help_idly(struct collector *collector, struct track *track)
{
  uint64_t noted = clock_thread_cpu();
  uint64_t start = track_begin(track);
  uint64_t work = 0;
  enum help help = HELP_NONE;
  unsigned quanta = 0;
  while (idle_begin(collector)) {
    uint64_t begun = clock_now();
    uint64_t done = mark_some(collector, IDLE_QUANTUM_BYTES); /* .short */
    idle_leave(&collector->idle);
    work += done;
    ADD_RELAXED(&collector->pacing.credit, (int64_t)done);
    if (clock_now() - begun > LOST_NS && !DUSK_CHAOS)
      help = HELP_LOST; /* .shy */
    if (!done || help == HELP_LOST)
      break;
    help = HELP_SOME;
    if (++quanta % IDLE_QUANTA == 0) {
      uint64_t used = clock_thread_cpu();
      count_idle(collector, used - noted);
      noted = used;
    }
  }
  count_idle(collector, clock_thread_cpu() - noted);
  if (work)
    track_end(track, EVENT_slice, start, work, 0);
  return help;
}

/* When an idle worker looks again. */
struct attention {
  uint64_t wait_ns;  /* until the next look in this cycle */
  uint64_t due_ns;   /* when that is; 0: when the driver wakes it */
  uint64_t away_ns;  /* how long it stays away for want of a processor */
  uint64_t until_ns; /* that is: until then */
};

/* .shy */
static enum help help_if_in_time(const struct attention *attention,
                                 struct collector *collector, uint64_t now,
                                 struct track *track)
{
  uint64_t due = attention->due_ns ? attention->due_ns
                                   : LOAD_RELAXED(&collector->spare_ns);
  bool late = now > due + LOST_NS && !DUSK_CHAOS;
  return late ? HELP_LOST : help_idly(collector, track);
}

/* Helps, or not; returns how long to wait until the next look. */
static uint64_t attend(struct attention *attention, struct collector *collector,
                       struct track *track)
{
  uint64_t now = clock_now();
  enum help help = HELP_NONE;
  bool present =
      collector_phase(collector) == PHASE_MARK && now >= attention->until_ns;
  if (present)
    help = help_if_in_time(attention, collector, now, track);
  if (help == HELP_LOST) {
    attention->until_ns = clock_now() + attention->away_ns;
    if (attention->away_ns < AWAY_MAX_NS)
      attention->away_ns *= 2;
  }
  if (help == HELP_SOME && attention->away_ns > AWAY_MIN_NS)
    attention->away_ns /= 2;
  if (!present || help == HELP_LOST) {
    attention->due_ns = 0;
    attention->wait_ns = LOOK_NS;
    return UINT64_MAX;
  }
  uint64_t wait_ns = help == HELP_SOME ? LOOK_NS : attention->wait_ns;
  attention->wait_ns = wait_ns < IDLE_LOOK_MAX_NS ? 2 * wait_ns : wait_ns;
  attention->due_ns = clock_now() + wait_ns;
  return wait_ns;
}

static void *idle_main(void *argument)
{
  struct helper *helper = argument;
  struct collector *collector = helper->collector;
  struct track *track = worker_track(collector, helper->worker);
  struct attention attention = {.wait_ns = LOOK_NS, .away_ns = AWAY_MIN_NS};
  if (!priority_be_idle())
    return NULL;
  for (;;) {
    uint64_t noted = park_note(&collector->spare);
    if (LOAD_ACQUIRE(&collector->closing)) /* with collector_close() */
      return NULL;
    park_wait(&collector->spare, noted, attend(&attention, collector, track));
  }
}

static void *helper_main(void *argument)
{
  struct helper *helper = argument;
  struct collector *collector = helper->collector;
  for (;;) {
    uint64_t noted = park_note(&collector->wake);
    if (LOAD_ACQUIRE(&collector->closing)) /* with collector_close() */
      return NULL;
    if (collector_phase(collector) == PHASE_MARK) {
      help(helper);
      park_wait(&collector->wake, noted, LOOK_NS);
    } else {
      park_wait(&collector->wake, noted, UINT64_MAX);
    }
  }
}

void helpers_wake(struct collector *collector)
{
  struct pacer_workers workers = pacer_workers(collector->processors);
  uint32_t most = collector->processors - workers.dedicated;
  if (collector->periodic)
    most = workers.dedicated == 0; /* .few */
  idle_set_max(&collector->idle, collector->idle_workers ? most : 0);
  if (collector->workers > 1)
    park_signal(&collector->wake);
}

static unsigned most_helpers(const struct collector *collector)
{
  return collector->workers - 1 + collector->idle_workers;
}

int helpers_make_tracks(struct collector *collector)
{
  unsigned count = most_helpers(collector);
  collector->helper_track = block_make(count * sizeof(struct track));
  if (!collector->helper_track)
    return ENOMEM;
  collector->helper_tracks = count;
  for (unsigned i = 0; i < count; i++)
    collector->helper_track[i].owner = OWNER_WORKERS + 1 + i;
  return 0;
}

void helpers_drop_tracks(struct collector *collector)
{
  block_free(collector->helper_track);
  collector->helper_track = NULL;
  collector->helper_tracks = 0;
}

int helpers_start(struct collector *collector)
{
  unsigned count = most_helpers(collector);
  collector->helpers = block_make(count * sizeof *collector->helpers);
  if (!collector->helpers)
    return ENOMEM;
  for (unsigned i = 0; i < count; i++) {
    struct helper *helper = &collector->helpers[i];
    helper->collector = collector;
    helper->worker = i + 1;
    bool is_idle = helper->worker >= collector->workers;
    int error =
        task_start(&helper->thread, is_idle ? idle_main : helper_main, helper);
    if (error) {
      helpers_stop(collector);
      return error;
    }
    collector->helper_count++;
  }
  return 0;
}

void helpers_stop(struct collector *collector)
{
  STORE_RELEASE(&collector->closing, 1); /* with helper_main() */
  park_signal(&collector->wake);
  park_signal(&collector->spare);
  while (collector->helper_count)
    task_join(collector->helpers[--collector->helper_count].thread);
  block_free(collector->helpers);
  collector->helpers = NULL;
}

pthread_t helper_thread(const struct collector *collector, unsigned index)
{
  return collector->helpers[index].thread;
}
