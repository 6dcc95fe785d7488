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
 *   HOLD_IN_ROOTS      The straggler serves the first two handshakes and not
 *                      the third: all stacks have been scanned but its own.
 *   HOLD_MARKING       A trace callback does not return.  All threads have
 *                      been scanned, and what hangs from the gate, the object
 *                      being traced, and from nothing else, is white.
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

enum hold_place {
  HOLD_NOWHERE,
  HOLD_BEFORE_ROOTS,
  HOLD_IN_ROOTS,
  HOLD_MARKING,
  HOLD_PLACES
};

/* Words of its stack that a straggler gives away. */
enum { OWN_WORDS = 400 };

struct hold {
  dusk_heap *heap;
  enum hold_place place;
  pthread_t owner; /* never waits in the callback, so it can let go */
  void **gate;     /* a registered root: the object whose trace waits */
  pthread_t collector;
  pthread_t straggler;

  /* What a test may set before hold_start().  The first runs on a thread that
   * ends, and its result hangs from gate[1]; the others on the straggler, which
   * owns the words: before the cycle, and when hold_give() says so. */
  void *(*make_hidden)(dusk_thread *thread);
  void (*make_own)(dusk_thread *thread, void *volatile *own);
  void (*give_own)(dusk_thread *thread, void *volatile *own, void *argument);
  void *give_argument;

  /* Atomic, from here on. */
  bool ready; /* the straggler is attached, and owns its words */
  bool reached;
  bool give;
  bool given;
  bool let_go;
};

static inline bool hold_flag(const bool *flag)
{
  return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static inline void hold_raise(bool *flag)
{
  __atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

static inline void hold_trace(void *object, size_t bytes, dusk_tracer *tracer,
                              void *context)
{
  struct hold *hold = context;
  (void)bytes;
  if (hold->place == HOLD_MARKING) {
    hold_raise(&hold->reached);
    while (!pthread_equal(pthread_self(), hold->owner) &&
           !hold_flag(&hold->let_go))
      api_sleep_us(100);
  }
  dusk_trace(tracer, (void *const *)object + 1);
}

static inline void *hold_make_gate(void *argument)
{
  struct hold *hold = argument;
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "gate";
  spec.size = 64;
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = hold_trace;
  spec.context = hold;
  ck_assert_int_eq(dusk_kind_define(hold->heap, &spec, &kind), 0);
  dusk_thread *thread = api_attach(hold->heap);
  dusk_store(thread, &hold->gate, api_alloc(thread, kind, 64));
  if (hold->make_hidden)
    dusk_store(thread, &hold->gate[1], hold->make_hidden(thread));
  dusk_detach(thread);
  return NULL;
}

/* Comes to so many safepoints that had something to serve, then to none. */
static inline void hold_serve(dusk_thread *thread, int handshakes)
{
  while (handshakes > 0) {
    if (__atomic_load_n(&dusk_abi(thread)->poll, __ATOMIC_RELAXED)) {
      dusk_safepoint(thread);
      handshakes--;
    }
    api_sleep_us(20);
  }
}

static __attribute__((noinline, unused)) void
hold_straggle_with(struct hold *hold, dusk_thread *thread)
{
  void *volatile own[OWN_WORDS] = {NULL};
  if (hold->make_own)
    hold->make_own(thread, own);
  hold_raise(&hold->ready);
  if (hold->place == HOLD_BEFORE_ROOTS)
    hold_raise(&hold->reached);
  else
    hold_serve(thread, 2);
  while (hold->place == HOLD_IN_ROOTS && !hold_flag(&hold->reached))
    if (__atomic_load_n(&dusk_abi(thread)->poll, __ATOMIC_RELAXED))
      hold_raise(&hold->reached);
  while (!hold_flag(&hold->let_go)) {
    if (hold_flag(&hold->give) && !hold_flag(&hold->given)) {
      hold->give_own(thread, own, hold->give_argument);
      for (int i = 0; i < OWN_WORDS; i++)
        own[i] = NULL;
      api_scrub_stack();
      hold_raise(&hold->given);
    }
    api_sleep_us(100);
  }
}

static inline void *hold_straggle(void *argument)
{
  struct hold *hold = argument;
  dusk_thread *thread = api_attach(hold->heap);
  hold_straggle_with(hold, thread);
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

/* Comes to safepoints meanwhile. */
static inline void hold_await(const bool *flag, dusk_thread *thread)
{
  while (!hold_flag(flag)) {
    dusk_safepoint(thread);
    api_sleep_us(100);
  }
}

static inline void hold_init(struct hold *hold, dusk_heap *heap,
                             enum hold_place place)
{
  *hold = (struct hold){.heap = heap, .place = place, .owner = pthread_self()};
}

/* Starts a cycle and returns when it has come to its place. */
static inline void hold_start(struct hold *hold, dusk_thread *thread)
{
  ck_assert_int_eq(dusk_root_add(hold->heap, &hold->gate, sizeof(hold->gate)),
                   0);
  pthread_join(api_start(hold_make_gate, hold), NULL);
  if (hold->place == HOLD_NOWHERE)
    return;
  if (hold->place != HOLD_MARKING) {
    hold->straggler = api_start(hold_straggle, hold);
    hold_await(&hold->ready, thread);
  }
  hold->collector = api_start(hold_collect, hold);
  hold_await(&hold->reached, thread);
  /* What was posted to the others was posted to this thread, or is about to. */
  for (int i = 0; i < 10 || !dusk_barrier_is_on(thread); i++) {
    dusk_safepoint(thread);
    api_sleep_us(100);
  }
}

static inline void hold_begin(struct hold *hold, dusk_heap *heap,
                              dusk_thread *thread, enum hold_place place)
{
  hold_init(hold, heap, place);
  hold_start(hold, thread);
}

/* The straggler gives away what it owns, and forgets it. */
static inline void hold_give(struct hold *hold, void *argument)
{
  hold->give_argument = argument;
  hold_raise(&hold->give);
  while (!hold_flag(&hold->given))
    api_sleep_us(100);
}

/* Lets the cycle run on, and returns when it has ended. */
static inline void hold_end(struct hold *hold, dusk_thread *thread)
{
  if (hold->place != HOLD_NOWHERE) {
    hold_raise(&hold->let_go);
    dusk_blocking_begin(thread);
    pthread_join(hold->collector, NULL);
    if (hold->place != HOLD_MARKING)
      pthread_join(hold->straggler, NULL);
    dusk_blocking_end(thread);
  }
  ck_assert_int_eq(dusk_root_remove(hold->heap, &hold->gate), 0);
}

#endif
