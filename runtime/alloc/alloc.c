/* SPDX-License-Identifier: MIT */
/* alloc.c -- allocation's slow path: once a run, not once an object
 *
 *   run used up --> next run of the span --> a span of the central list
 *               --> a span of free pages --> collect, twice --> NULL
 *
 * Runs on mutators.  Each step is a safepoint at its beginning and none at its
 * end: handshakes are served before a span is taken, so no thread takes a span
 * under a phase that it has left, and the new object is initialised before
 * anybody asks.
 *
 * Tested by tests/api/alloc.c, tests/api/oom.c and the stress tests. */
#include "alloc/alloc.h"

#include "alloc/assist.h"
#include "alloc/large.h"
#include "alloc/sample.h"
#include "base/chaos.h"
#include "collect/cycle.h"
#include "collect/pacing.h"
#include "collect/recording.h"
#include "heap/central.h"
#include "heap/origin.h"
#include "mutator/cache.h"
#include "mutator/checking.h"
#include "mutator/poll.h"
#include "os/clock.h"
#include "os/probe.h"

#include <errno.h>

/* Objects that die while a cycle runs are freed by the one after it. */
enum { EXHAUSTED_CYCLES = 2 };

NOINLINE void alloc_collect(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  poll_go_outside(thread, CALLER_SP());
  uint64_t start = track_begin(&thread->track);
  uint64_t number = cycle_ask(collector, true);
  cycle_await(collector, number);
  track_end(&thread->track, EVENT_collect, start, number, 0);
  poll_come_back(thread);
}

/* Has the program let something go? */
static NOINLINE bool ask_program(struct dusk_thread *thread, size_t bytes)
{
  struct dusk_heap *heap = thread->heap;
  lock_acquire(&heap->calls_lock);
  struct calls calls = heap->calls;
  lock_release(&heap->calls_lock);
  if (!calls.exhausted || thread->asking)
    return false;
  thread->asking = true;
  bool let_go = calls.exhausted(thread, bytes, calls.exhausted_context);
  thread->asking = false;
  return let_go;
}

/* There is no memory for `bytes`: collects, so that the caller may try again;
 * false: in vain, and the program has nothing to let go. */
static bool find_memory(struct dusk_thread *thread, size_t bytes,
                        unsigned *tries)
{
  if (*tries == EXHAUSTED_CYCLES) {
    if (!ask_program(thread, bytes))
      return false;
    *tries = 0;
  }
  ++*tries;
  alloc_collect(thread);
  return true;
}

/* When it began, if it is one of those that are timed; else 0.
 * DUSK_DEBUG=stress=N: cycles without end, so that rare moments are common. */
static uint64_t begin_slow_path(struct dusk_thread *thread)
{
  bool timed = timings_count_slow(&thread->timings);
  uint64_t every = thread->heap->debug.stress;
  if (UNLIKELY(every) && ++thread->slow_paths % every == 0)
    cycle_ask(thread_collector(thread), false);
  return UNLIKELY(timed) ? clock_now() : 0;
}

/* Takes a span with free slots; NULL: the heap cannot grow. */
static struct span *take_span(struct dusk_thread *thread, dusk_kind kind,
                              unsigned size_class)
{
  struct arena *arena = thread->arena;
  CHAOS("span-not-taken");
  struct span *span = central_take(arena, kind, size_class, thread->epoch);
  if (!span)
    span = span_make(arena, (uint16_t)kind, (uint8_t)size_class, thread->epoch);
  if (span) {
    uint64_t bytes = (uint64_t)(span->slots - span->allocated) * span->size;
    flow_take(&arena->flow, thread->epoch, bytes,
              kind_is_scanned(&arena->kinds, span->kind));
    assist_charge(thread, bytes);
    CHAOS("span-taken");
  }
  return span;
}

/* What a thread does for the collector before it takes more. */
static void earn(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  cycle_ask_if_due(collector);
  if (track_is_on(&thread->track))
    recording_sample(collector, &thread->track);
  assist_settle(thread);
  if (UNLIKELY(pacing_is_over(collector)))
    assist_step_aside(thread);
}

/* Gets a run of the class; false: there is no memory, and the heap has been
 * collected in vain. */
static bool refill(struct dusk_thread *thread, dusk_kind kind,
                   unsigned size_class)
{
  earn(thread);
  for (unsigned tries = 0;;) {
    struct span *span = take_span(thread, kind, size_class);
    if (span && cache_adopt(thread, span))
      return true;
    if (!span && !find_memory(thread, dusk_class_size(size_class), &tries))
      return false;
  }
}

static void *alloc_small(struct dusk_thread *thread, dusk_kind kind,
                         size_t bytes, bool *sampled)
{
  unsigned size_class = dusk_size_class(bytes);
  struct dusk_run *run = cache_run(thread, kind, size_class);
  uintptr_t size = dusk_class_size(size_class);
  for (;;) {
    uintptr_t start = run->cursor;
    if (start + size <= run->limit) {
      STORE_RELAXED(&run->cursor, start + size); /* with cache_read() */
      return (void *)start;
    }
    void *object = cache_take_sampled(thread, kind, size_class);
    if (object) {
      *sampled = true;
      return object;
    }
    if (!cache_next_run(thread, kind, size_class) &&
        !refill(thread, kind, size_class))
      return NULL;
  }
}

static void *alloc_large(struct dusk_thread *thread, dusk_kind kind,
                         size_t bytes, bool *sampled)
{
  if (bytes > thread->arena->bytes)
    return NULL;
  assist_charge(thread, bytes);
  earn(thread);
  for (unsigned tries = 0;;) {
    void *object = large_alloc(thread, kind, bytes);
    if (object)
      *sampled = sample_is_due(thread, bytes);
    if (object || !find_memory(thread, bytes, &tries))
      return object;
  }
}

/* What a careful heap knows of an object that has just been made. */
static void note(struct dusk_thread *thread, void *object, uintptr_t caller)
{
  struct arena *arena = thread->arena;
  if (checking_is_on(thread))
    checking_begin(thread, (uintptr_t)object);
  thread->fresh = (uintptr_t)object;
  if (arena->origins)
    origin_note(arena, (uintptr_t)object, caller);
}

void *alloc_slow(struct dusk_thread *thread, dusk_kind kind, size_t bytes,
                 uintptr_t caller)
{
  const struct kind *k = kind_find(&thread->arena->kinds, kind);
  if (!k || (k->size && k->size != bytes)) {
    errno = EINVAL;
    return NULL;
  }
  PROBE3(alloc__slow, thread->life.number, kind, bytes);
  uint64_t start = begin_slow_path(thread);
  poll_check(thread);
  if (checking_is_on(thread))
    checking_let(thread, true);
  bool small = bytes <= DUSK_SMALL_MAX && !thread->arena->efence;
  bool sampled = false;
  void *object = small ? alloc_small(thread, kind, bytes, &sampled)
                       : alloc_large(thread, kind, bytes ? bytes : 1, &sampled);
  if (checking_is_on(thread))
    checking_let(thread, false);
  if (UNLIKELY(start))
    histogram_add(&thread->timings.slow, clock_now() - start);
  if (sampled)
    sample_note(thread, object, caller);
  if (!object)
    errno = ENOMEM;
  else if (thread->arena->careful)
    note(thread, object, caller);
  return object;
}

void *alloc_fixed_slow(struct dusk_thread *thread, dusk_kind kind,
                       uintptr_t caller)
{
  const struct kind *k = kind_find(&thread->arena->kinds, kind);
  if (!k || !k->size) {
    errno = EINVAL;
    return NULL;
  }
  if (k->size <= DUSK_SMALL_MAX) {
    struct dusk_row *row = &thread->abi.rows[kind];
    row->size_class = dusk_size_class(k->size);
    row->step = dusk_class_size((unsigned)row->size_class);
  }
  return alloc_slow(thread, kind, k->size, caller);
}
