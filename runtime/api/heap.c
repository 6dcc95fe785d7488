/* SPDX-License-Identifier: MIT */
/* heap.c -- opening and closing a heap, its driver, and the controls
 *
 * The driver is the thread that runs the cycles.  It lives here, at the top,
 * because what it does after a cycle belongs to report/: lower layers return
 * their results. */
#include "api/fork.h"
#include "api/limit.h"
#include "api/option.h"
#include "alloc/alloc.h"
#include "base/check.h"
#include "collect/budget.h"
#include "collect/careful.h"
#include "collect/crew.h"
#include "collect/pacing.h"
#include "collect/scavenger.h"
#include "collect/worker.h"
#include "heap/shade.h"
#include "inspect/inspect.h"
#include "mutator/poll.h"
#include "os/self.h"
#include "os/task.h"
#include "os/vm.h"
#include "report/gctrace.h"
#include "report/profilefile.h"
#include "report/recorder.h"
#include "report/scavtrace.h"
#include "report/stats.h"
#include "report/trace.h"

#include "dusk/alloc.h"
#include "dusk/control.h"
#include "dusk/kind.h"
#include "dusk/root.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static size_t heap_bytes(void)
{
  size_t unit = vm_page_size();
  return (sizeof(dusk_heap) + unit - 1) / unit * unit;
}

static void *driver_main(void *argument)
{
  dusk_heap *heap = argument;
  struct collector *collector = &heap->collector;
  fork_note_driver(heap);
  while (cycle_next(collector)) {
    inspect_begin(heap);
    struct cycle_record record = cycle_mark(collector);
    inspect_cycle(heap, record.forced);
    cycle_sweep(collector, &record);
    inspect_census(heap);
    stats_add_cycle(heap, &record);
    if (heap->debug.gctrace)
      gctrace_print(heap, &record, stats_cpu_fraction(heap));
    trace_cycle(heap, &record);
    if (heap->debug.scavtrace)
      scavtrace_print(heap);
    budget_settle(heap);
    cycle_finish(collector, &record);
    recorder_look(heap, &record);
    limit_tell(heap);
  }
  return NULL;
}

/* Starts the scavenger, and the driver if there is none. */
static int start_threads(dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  int error = scavenger_start(collector);
  if (error || heap->has_driver)
    return error;
  error = task_start(&heap->driver, driver_main, heap);
  heap->has_driver = !error;
  if (error) {
    STORE_RELEASE(&collector->closing, 1); /* with scavenger_main() */
    scavenger_stop(collector);
  }
  return error;
}

/* Ends all threads of the collector but its helpers. */
static void stop_threads(dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  STORE_RELEASE(&collector->closing, 1); /* with cycle_next() */
  park_signal(&collector->wake);
  if (crew_is_there(collector))
    scavenger_stop(collector);
  if (heap->has_driver)
    task_join(heap->driver);
}

/* Opens the collector and starts its threads; the driver last, as it writes the
 * trace. */
static int start_collector(dusk_heap *heap, const struct collector_setup *setup,
                           const char *trace)
{
  int error = collector_open(&heap->collector, setup);
  if (error)
    return error;
  inspect_imply(&heap->debug);
  careful_open(&heap->collector.arena, &heap->debug);
  inspect_open(heap);
  if (trace)
    trace_open(heap, trace);
  profilefile_open(heap);
  recorder_open(heap);
  error = start_threads(heap);
  if (error) {
    recorder_close(heap, false);
    profilefile_forget(heap);
    trace_close(heap);
    collector_close(&heap->collector);
  }
  return error;
}

/* The collector's threads take no signals: those are the program's. */
static void block_signals(sigset_t *old)
{
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGSEGV); /* of a fence: os/fence.h */
  sigdelset(&all, SIGTRAP);
  pthread_sigmask(SIG_SETMASK, &all, old);
}

static int start_quietly(dusk_heap *heap, const struct collector_setup *setup,
                         const char *trace)
{
  sigset_t old;
  block_signals(&old);
  int error = start_collector(heap, setup, trace);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error;
}

/* In the child of a fork, for crew_call(). */
static int start_crew(struct collector *collector)
{
  dusk_heap *heap =
      (dusk_heap *)((char *)collector - offsetof(dusk_heap, collector));
  sigset_t old;
  block_signals(&old);
  int error = helpers_start(collector);
  if (!error && (error = start_threads(heap)))
    helpers_stop(collector);
  STORE_RELEASE(&collector->closing, 0); /* with those who are started next */
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return error;
}

/* A program that ends without closing its heaps. */
static void write_files(void)
{
  fork_for_heaps(profilefile_write);
  fork_for_heaps(recorder_write);
}

static void await_exit(void)
{
  atexit(write_files);
}

int dusk_heap_open(const dusk_options *options, dusk_heap **heap)
{
  static uint64_t opened; /* by this process so far; atomic */
  struct collector_setup setup;
  struct debug_options debug;
  if (!heap)
    return EINVAL;
  int error = option_resolve(options, &setup, &debug);
  if (!error)
    error = fork_is_handled();
  if (error)
    return error;
  dusk_heap *made = vm_map(heap_bytes());
  if (!made)
    return ENOMEM;
  made->number = ADD_RELAXED(&opened, 1) + 1;
  made->debug = debug;
  made->collector.start_crew = start_crew;
  history_init(&made->history);
  lock_init(&made->calls_lock, RANK_calls);
  lock_init(&made->member_lock, RANK_member);
  error = start_quietly(made, &setup, option_trace(options));
  if (error) {
    lock_destroy(&made->member_lock);
    lock_destroy(&made->calls_lock);
    history_destroy(&made->history);
    vm_unmap(made, heap_bytes());
    return error;
  }
  fork_add_heap(made);
  if (made->profile_file || made->recorder) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, await_exit);
  }
  *heap = made;
  return 0;
}

void dusk_heap_close(dusk_heap *heap)
{
  if (!heap)
    return;
  struct collector *collector = &heap->collector;
  uint32_t attached = LOAD_RELAXED(&collector->registry.attached);
  if (attached) {
    complain("dusk_heap_close: %u thread%s still attached to heap %p; it "
             "stays open",
             attached, attached == 1 ? " is" : "s are", (void *)heap);
    return;
  }
  budget_leave(heap);
  /* After it has left: a budget in the child of a fork names only heaps that
   * are in the list. */
  fork_remove_heap(heap);
  stop_threads(heap);
  trace_close(heap);
  profilefile_close(heap);
  recorder_close(heap, true);
  collector_close(collector);
  inspect_close(heap);
  lock_destroy(&heap->member_lock);
  lock_destroy(&heap->calls_lock);
  history_destroy(&heap->history);
  vm_unmap(heap, heap_bytes());
}

int dusk_kind_define(dusk_heap *heap, const dusk_kind_spec *spec,
                     dusk_kind *kind)
{
  if (!heap || !spec || !kind)
    return EINVAL;
  return arena_define_kind(&heap->collector.arena, spec, kind);
}

int dusk_root_add(dusk_heap *heap, void *start, size_t bytes)
{
  uintptr_t at = (uintptr_t)start;
  if (!heap || !start || at % sizeof(void *) || !bytes || at + bytes < at)
    return EINVAL;
  struct collector *collector = &heap->collector;
  return rootset_add(&collector->roots, &collector->arena, &collector->grey, at,
                     bytes);
}

int dusk_root_remove(dusk_heap *heap, void *start)
{
  if (!heap || !start)
    return EINVAL;
  struct collector *collector = &heap->collector;
  return rootset_remove(&collector->roots, &collector->arena, &collector->grey,
                        (uintptr_t)start);
}

int dusk_set_gc_percent(dusk_heap *heap, int percent)
{
  if (!heap)
    return -1;
  int old = pacing_set_percent(&heap->collector, percent);
  /* The heap may be over the new trigger already. */
  cycle_ask_if_due(&heap->collector);
  return old;
}

int64_t dusk_set_memory_limit(dusk_heap *heap, int64_t bytes)
{
  if (!heap)
    return -1;
  int64_t old = pacing_set_limit(&heap->collector, bytes);
  cycle_ask_if_due(&heap->collector);
  return old;
}

int dusk_set_policy(dusk_heap *heap, dusk_policy policy)
{
  if (!heap || (unsigned)policy > DUSK_POLICY_BALANCE)
    return -1;
  int old = (int)pacing_set_policy(&heap->collector, (enum pacer_policy)policy);
  cycle_ask_if_due(&heap->collector);
  return old;
}

void dusk_read_memstats(dusk_heap *heap, dusk_memstats *out)
{
  if (heap && out)
    stats_read(heap, out);
}

/* A "no" counts only if no cycle began while we looked: the bitmaps may have
 * swapped roles under our eyes. */
static bool find_object(const dusk_heap *heap, const void *pointer,
                        struct object *found)
{
  const struct collector *collector = &heap->collector;
  const struct arena *arena = &collector->arena;
  uint64_t begun, now = LOAD_ACQUIRE(&collector->begun); /* with cycle_mark() */
  do {
    begun = now;
    struct roles roles = arena_roles(arena, LOAD_RELAXED(&collector->epoch));
    if (object_find(arena, (uintptr_t)pointer, found) &&
        object_is_allocated(found, arena, roles))
      return true;
    now = LOAD_ACQUIRE(&collector->begun); /* the same */
  } while (now != begun);
  return false;
}

/* DUSK_DEBUG=checkmark: the search has left addresses of its own. */
static void scrub(const struct dusk_heap *heap)
{
  const struct dusk_thread *thread =
      UNLIKELY(heap->collector.registry.scrubs) ? self_word() : NULL;
  if (thread)
    poll_scrub(thread);
}

size_t dusk_size_of(const dusk_heap *heap, const void *object)
{
  struct object found;
  size_t bytes = 0;
  if (!heap)
    return 0;
  if (find_object(heap, object, &found) && found.start == (uintptr_t)object)
    bytes = found.bytes;
  scrub(heap);
  return bytes;
}

void *dusk_base_of(const dusk_heap *heap, const void *interior)
{
  struct object found;
  void *start = NULL;
  if (!heap)
    return NULL;
  if (find_object(heap, interior, &found))
    start = (void *)found.start;
  scrub(heap);
  return start;
}
