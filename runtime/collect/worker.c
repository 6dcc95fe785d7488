/* SPDX-License-Identifier: MIT */
/* worker.c -- marking in the background, and how much of a processor it takes
 *
 * Runs on the driver (worker 0) and on helpers.  Helpers sleep between cycles
 * and wake by themselves while one marks: a millisecond's delay costs little
 * where there are four processors or more. */
#include "collect/worker.h"

#include "collect/pacing.h"
#include "os/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
  /* Bytes scanned between two looks at the clock: about 50 us. */
  QUANTUM_BYTES = 64 * 1024,
  /* The longest that a worker holds back before it looks up again. */
  REST_MAX_NS = 1000 * 1000,
  /* How often a helper looks for work while there is none. */
  LOOK_NS = 500 * 1000,
};

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

static double worker_share(const struct collector *collector, unsigned worker)
{
  struct pacer_workers workers = pacer_workers(collector->processors);
  if (collector->workers_are_asked || worker < workers.dedicated)
    return 1;
  return workers.fractional * collector->processors;
}

void turn_begin(struct turn *turn, struct collector *collector, unsigned worker)
{
  *turn = (struct turn){
      .collector = collector,
      .share = worker_share(collector, worker),
      .began_ns = clock_now(),
      .cpu_ns = clock_thread_cpu(),
  };
}

void turn_count(struct turn *turn)
{
  uint64_t used = clock_thread_cpu() - turn->cpu_ns;
  ADD_RELAXED(&turn->collector->pacing.worker_ns, used - turn->noted_ns);
  turn->noted_ns = used;
}

/* Is there a processor that no thread of the program wants? */
static bool processor_is_spare(const struct collector *collector)
{
  const struct registry *registry = &collector->registry;
  uint32_t attached = LOAD_RELAXED(&registry->attached);
  uint32_t outside = LOAD_RELAXED(&registry->outside);
  return attached - outside < collector->processors;
}

/* Sleeps until the worker's time is its share of the time that has passed; what
 * it holds is for others meanwhile. */
static void hold_back(struct turn *turn, struct dusk_tracer *tracer)
{
  if (turn->share >= 1 || processor_is_spare(turn->collector)) {
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
  clock_sleep(due - passed < REST_MAX_NS ? due - passed : REST_MAX_NS);
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
  if (more)
    hold_back(turn, tracer);
  return more;
}

/* Marks until the cycle needs no more of it. */
static void help(struct helper *helper)
{
  struct dusk_tracer tracer;
  struct turn turn;
  if (grey_is_empty(&helper->collector->grey) ||
      !mark_enter(&tracer, helper->collector))
    return;
  turn_begin(&turn, helper->collector, helper->worker);
  while (turn_mark(&turn, &tracer))
    ;
  mark_leave(&tracer);
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

int helpers_start(struct collector *collector)
{
  unsigned count = collector->workers - 1;
  collector->helpers = calloc(count ? count : 1, sizeof *collector->helpers);
  if (!collector->helpers)
    return EAGAIN;
  for (unsigned i = 0; i < count; i++) {
    struct helper *helper = &collector->helpers[i];
    helper->collector = collector;
    helper->worker = i + 1;
    if (pthread_create(&helper->thread, NULL, helper_main, helper) != 0) {
      helpers_stop(collector);
      return EAGAIN;
    }
    collector->helper_count++;
  }
  return 0;
}

void helpers_stop(struct collector *collector)
{
  STORE_RELEASE(&collector->closing, 1); /* with helper_main() */
  park_signal(&collector->wake);
  while (collector->helper_count)
    pthread_join(collector->helpers[--collector->helper_count].thread, NULL);
  free(collector->helpers);
  collector->helpers = NULL;
}
