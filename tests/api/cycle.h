/* SPDX-License-Identifier: MIT */
/* cycle.h -- to have a cycle running when a test needs one
 *
 * A cycler collects over and over on a thread of its own.
 *
 * A hold stops one cycle at a chosen place, for as long as the test likes, and
 * with nothing but the public contract:
 *
 *   HOLD_BEFORE_ROOTS  An attached thread, the straggler, does not come to a
 *                      safepoint.  The test's own thread has its barrier on,
 *                      and no stack has been scanned.
 *   HOLD_MARKING       A trace callback does not return.  All threads have
 *                      been scanned, and some objects have not been marked.
 *
 * While a hold lasts, the test's thread may do all that the contract promises
 * not to wait for the collector. */
#ifndef DUSK_TESTS_CYCLE_H
#define DUSK_TESTS_CYCLE_H

#include "api.h"

struct cycler {
  dusk_heap *heap;
  bool stop;
  pthread_t thread;
};

static inline void *cycler_body(void *argument)
{
  struct cycler *cycler = argument;
  dusk_thread *thread = api_attach(cycler->heap);
  while (!__atomic_load_n(&cycler->stop, __ATOMIC_RELAXED))
    dusk_collect(thread);
  dusk_detach(thread);
  return NULL;
}

static inline void cycler_start(struct cycler *cycler, dusk_heap *heap)
{
  *cycler = (struct cycler){.heap = heap};
  cycler->thread = api_start(cycler_body, cycler);
}

/* From outside blocking regions; enters one. */
static inline void cycler_stop(struct cycler *cycler, dusk_thread *thread)
{
  __atomic_store_n(&cycler->stop, true, __ATOMIC_RELAXED);
  dusk_blocking_begin(thread);
  pthread_join(cycler->thread, NULL);
  dusk_blocking_end(thread);
}

enum hold_place { HOLD_NOWHERE, HOLD_BEFORE_ROOTS, HOLD_MARKING, HOLD_PLACES };

struct hold {
  dusk_heap *heap;
  enum hold_place place;
  pthread_t owner; /* never waits in the callback, so it can let go */
  bool reached;
  bool let_go;
  void *gate; /* a registered root: the object whose trace waits */
  pthread_t collector;
  pthread_t straggler;
};

static inline void hold_trace(void *object, size_t bytes, dusk_tracer *tracer,
                              void *context)
{
  struct hold *hold = context;
  (void)object, (void)bytes, (void)tracer;
  __atomic_store_n(&hold->reached, true, __ATOMIC_RELEASE);
  if (pthread_equal(pthread_self(), hold->owner))
    return;
  while (!__atomic_load_n(&hold->let_go, __ATOMIC_ACQUIRE))
    api_sleep_us(100);
}

static inline void *hold_straggle(void *argument)
{
  struct hold *hold = argument;
  dusk_thread *thread = api_attach(hold->heap);
  __atomic_store_n(&hold->reached, true, __ATOMIC_RELEASE);
  while (!__atomic_load_n(&hold->let_go, __ATOMIC_ACQUIRE))
    api_sleep_us(100);
  dusk_detach(thread);
  return NULL;
}

static inline void *hold_collect(void *argument)
{
  struct hold *hold = argument;
  dusk_thread *thread = api_attach(hold->heap);
  dusk_collect(thread);
  dusk_detach(thread);
  return NULL;
}

static inline void hold_await_reached(struct hold *hold, dusk_thread *thread)
{
  while (!__atomic_load_n(&hold->reached, __ATOMIC_ACQUIRE)) {
    dusk_safepoint(thread);
    api_sleep_us(100);
  }
}

/* Starts a cycle and returns when it has come to `place`. */
static inline void hold_begin(struct hold *hold, dusk_heap *heap,
                              dusk_thread *thread, enum hold_place place)
{
  *hold = (struct hold){.heap = heap, .place = place, .owner = pthread_self()};
  if (place == HOLD_NOWHERE)
    return;
  if (place == HOLD_BEFORE_ROOTS) {
    hold->straggler = api_start(hold_straggle, hold);
    hold_await_reached(hold, thread);
  } else {
    dusk_kind kind;
    dusk_kind_spec spec = DUSK_KIND_INIT;
    spec.name = "gate";
    spec.scan = DUSK_SCAN_TRACE;
    spec.trace = hold_trace;
    spec.context = hold;
    ck_assert_int_eq(dusk_kind_define(heap, &spec, &kind), 0);
    ck_assert_int_eq(dusk_root_add(heap, &hold->gate, sizeof(hold->gate)), 0);
    dusk_store(thread, &hold->gate, api_alloc(thread, kind, 64));
  }
  hold->collector = api_start(hold_collect, hold);
  if (place == HOLD_MARKING)
    hold_await_reached(hold, thread);
  while (!dusk_barrier_is_on(thread)) {
    dusk_safepoint(thread);
    api_sleep_us(100);
  }
}

/* Lets the cycle run on, and returns when it has ended. */
static inline void hold_end(struct hold *hold, dusk_thread *thread)
{
  if (hold->place == HOLD_NOWHERE)
    return;
  __atomic_store_n(&hold->let_go, true, __ATOMIC_RELEASE);
  dusk_blocking_begin(thread);
  pthread_join(hold->collector, NULL);
  if (hold->place == HOLD_BEFORE_ROOTS)
    pthread_join(hold->straggler, NULL);
  dusk_blocking_end(thread);
  if (hold->place == HOLD_MARKING)
    ck_assert_int_eq(dusk_root_remove(hold->heap, &hold->gate), 0);
}

#endif
