/* SPDX-License-Identifier: MIT */
/* trace.c -- DUSK_TRACE=FILE: each cycle, and each delay of each thread
 *
 *   driver, after a cycle --> its line, the threads' rings --+
 *   a thread that has left --> its ring, its line -----------+--> text --> file
 *
 * The text is gathered under `lock` and written by the driver, in one piece, so
 * that several heaps and processes can share a file.  A thread that leaves
 * writes only when nobody has for so long that the text would grow without
 * bound.
 *
 * A thread in the registry's list has its ring read by the driver, a thread
 * that has left it reads its own; both with the registry's lock.  So each ring
 * is read for the trace by one at a time, which knows how far it has come.
 *
 * Nothing here comes from the collected heap, and nothing goes through stdio's
 * streams, which are the program's.
 *
 * Tested by tests/unit/trace.c and tests/api/trace.c. */
#include "report/trace.h"

#include "base/check.h"
#include "mutator/cache.h"
#include "os/block.h"
#include "os/clock.h"
#include "os/file.h"
#include "report/filename.h"
#include "report/stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
  /* Longer than any line: 32 numbers of 20 digits. */
  LINE_BYTES = 768,
  FIRST_BYTES = 64 * 1024,
  /* A thread that leaves writes what is there when it is this much. */
  MUCH_BYTES = 256 * 1024,
};

struct trace {
  struct lock lock; /* RANK_trace; guards what stands below */
  int file;         /* -1: it could not be written */
  char id[32];      /* "PID:N" */
  char *text;
  size_t length;
  size_t room;
  uint64_t lost; /* delays, since the last line about them */

  dusk_memstats after; /* too large for a stack; the driver's */
};

/* ---- text ---- */

static void put_text(struct trace *trace, const char *text)
{
  size_t length = strlen(text);
  memcpy(trace->text + trace->length, text, length);
  trace->length += length;
}

/* A space, and the number. */
static void put_number(struct trace *trace, uint64_t number)
{
  char digits[20];
  unsigned count = 0;
  do
    digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  trace->text[trace->length++] = ' ';
  while (count)
    trace->text[trace->length++] = digits[--count];
}

/* Begins a line; false: there is no room, nor memory for more. */
static bool begin_line(struct trace *trace, const char *type)
{
  if (trace->room - trace->length < LINE_BYTES) {
    size_t room = trace->room ? 2 * trace->room : FIRST_BYTES;
    char *text = block_resize(trace->text, room);
    if (!text)
      return false;
    trace->text = text;
    trace->room = room;
  }
  put_text(trace, type);
  put_text(trace, " ");
  put_text(trace, trace->id);
  return true;
}

static void put_line(struct trace *trace, const char *type,
                     const uint64_t *numbers, size_t count)
{
  if (!begin_line(trace, type))
    return;
  for (size_t i = 0; i < count; i++)
    put_number(trace, numbers[i]);
  put_text(trace, "\n");
}

#define PUT_LINE(trace, type, ...)                                             \
  do {                                                                         \
    const uint64_t numbers[] = {__VA_ARGS__};                                  \
    put_line(trace, type, numbers, sizeof numbers / sizeof *numbers);          \
  } while (0)

/* ---- records; with the lock ---- */

static void put_heap(struct trace *trace, struct dusk_heap *heap)
{
  const struct collector *collector = &heap->collector;
  const struct pacer *pacer = &collector->pacing.pacer;
  char limit[24] = "off";
  if (pacer->memory_limit != PACER_NO_LIMIT)
    snprintf(limit, sizeof limit, "%lld", (long long)pacer->memory_limit);
  if (!begin_line(trace, "heap"))
    return;
  trace->length += (size_t)snprintf(
      trace->text + trace->length, LINE_BYTES / 2,
      " version=1 opened_ns=%llu processors=%u workers=%u policy=%s "
      "gc_percent=%d memory_limit=%s\n",
      (unsigned long long)collector->opened_ns, collector->processors,
      collector->workers, pacer_policy_name(pacer->policy), pacer->gc_percent,
      limit);
}

static void put_cycle(struct trace *trace, const struct cycle_record *r,
                      const dusk_memstats *after)
{
  PUT_LINE(trace, "cycle", r->number, r->forced, r->start_ns, r->mark_ns,
           r->end_ns, r->swept_ns, r->live_at_start, r->live_at_end, r->marked,
           r->goal, r->trigger, r->pause_ns[0], r->pause_ns[1], r->assist_ns,
           r->worker_ns, r->idle_ns, r->other_ns, r->heap_work, r->stack_bytes,
           r->root_bytes, r->heap_inuse, after->heap_released, after->heap_sys,
           after->sys);
}

/* As the file calls them; NULL: not for it. */
static const char *const delays[EVENT_COUNT] = {
    [EVENT_service] = " service", [EVENT_assist] = " assist",
    [EVENT_aside] = " aside",     [EVENT_wall] = " wall",
    [EVENT_collect] = " collect",
};

/* An assist is the time of marking: what was served meanwhile has a line of its
 * own. */
static void put_delay(struct trace *trace, uint64_t thread,
                      const struct event *event)
{
  if (!delays[event->id] || !begin_line(trace, "delay"))
    return;
  put_number(trace, thread);
  put_text(trace, delays[event->id]);
  put_number(trace, event->start_ns);
  put_number(trace, event->id == EVENT_assist ? event->b : event->duration_ns);
  put_text(trace, "\n");
}

/* The ring that the thread had after that one, or its first; NULL: none. */
static const struct ring *ring_after(const struct dusk_thread *thread,
                                     const struct ring *ring)
{
  const struct ring *newer = track_newest(&thread->track);
  while (newer && newer != ring && newer->older != ring)
    newer = newer->older;
  return newer == ring ? NULL : newer;
}

/* What the thread has recorded since the last time.  With the registry's lock;
 * who calls is the one that reads for the trace. */
static void put_delays(struct trace *trace, struct dusk_thread *thread)
{
  struct event event;
  for (;;) {
    const struct ring *ring = thread->traced_ring;
    while (ring && ring_next(ring, &thread->traced, &event))
      put_delay(trace, thread->life.number, &event);
    trace->lost += thread->traced.lost;
    thread->traced.lost = 0;
    const struct ring *next = ring_after(thread, ring);
    if (!next)
      return;
    thread->traced_ring = next;
    thread->traced = (struct ring_reader){0};
  }
}

static void put_lost(struct trace *trace)
{
  if (trace->lost)
    PUT_LINE(trace, "lost", trace->lost);
  trace->lost = 0;
}

/* ---- the file; with the lock ---- */

static void stop(struct trace *trace, int error)
{
  complain("DUSK_TRACE: the trace ends here: %s", strerror(-error));
  file_close(trace->file);
  trace->file = -1;
}

/* Writes all that there is. */
static void write_text(struct trace *trace)
{
  int error = trace->file < 0 || !trace->length
                  ? 0
                  : file_write(trace->file, trace->text, trace->length);
  if (error)
    stop(trace, error);
  trace->length = 0;
}

static int open_file(const char *name)
{
  char expanded[FILENAME_BYTES];
  if (!filename_expand(expanded, sizeof expanded, name))
    return -ENAMETOOLONG;
  return file_open(expanded, O_WRONLY | O_APPEND | O_CREAT);
}

static struct trace *make(int file)
{
  static unsigned heaps; /* traced by this process so far; atomic */
  struct trace *trace = block_make(sizeof *trace);
  if (!trace)
    return NULL;
  lock_init(&trace->lock, RANK_trace);
  trace->file = file;
  snprintf(trace->id, sizeof trace->id, "%ld:%u", (long)getpid(),
           ADD_RELAXED(&heaps, 1) + 1);
  return trace;
}

void trace_open(struct dusk_heap *heap, const char *name)
{
  int file = open_file(name);
  struct trace *trace = file < 0 ? NULL : make(file);
  if (!trace) {
    complain("DUSK_TRACE=%s: no trace is written: %s", name,
             strerror(file < 0 ? -file : ENOMEM));
    if (file >= 0)
      file_close(file);
    return;
  }
  lock_acquire(&trace->lock);
  put_heap(trace, heap);
  write_text(trace);
  lock_release(&trace->lock);
  heap->trace = trace;
  heap->collector.registry.traced_room = TRACE_ROOM;
  heap->collector.registry.ring_room = TRACE_ROOM;
}

void trace_cycle(struct dusk_heap *heap, const struct cycle_record *record)
{
  struct trace *trace = heap->trace;
  struct registry *registry = &heap->collector.registry;
  if (!trace)
    return;
  stats_read(heap, &trace->after);
  lock_acquire(&trace->lock);
  put_cycle(trace, record, &trace->after);
  lock_acquire(&registry->lock);
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    put_delays(trace, t);
  lock_release(&registry->lock);
  put_lost(trace);
  write_text(trace);
  lock_release(&trace->lock);
}

void trace_thread(struct dusk_heap *heap, struct dusk_thread *thread)
{
  struct trace *trace = heap->trace;
  const struct life *life = &thread->life;
  const struct assists *assists = &thread->assists;
  if (!trace)
    return;
  lock_acquire(&trace->lock);
  lock_acquire(&thread->registry->lock);
  put_delays(trace, thread);
  lock_release(&thread->registry->lock);
  PUT_LINE(trace, "thread", life->number, life->attached_ns, life->detached_ns,
           assists->count, assists->times.sum_ns, assists->bytes,
           assists->longest_ns, life->allocated_bytes, life->cpu_ns);
  if (trace->length >= MUCH_BYTES)
    write_text(trace);
  lock_release(&trace->lock);
}

struct lock *trace_lock(const struct dusk_heap *heap)
{
  return heap->trace ? &heap->trace->lock : NULL;
}

static void free_trace(struct dusk_heap *heap)
{
  struct trace *trace = heap->trace;
  if (trace->file >= 0)
    file_close(trace->file);
  lock_destroy(&trace->lock);
  block_free(trace->text);
  block_free(trace);
  heap->trace = NULL;
}

void trace_drop(struct dusk_heap *heap)
{
  if (!heap->trace)
    return;
  lock_renew(&heap->trace->lock);
  free_trace(heap);
}

void trace_close(struct dusk_heap *heap)
{
  struct trace *trace = heap->trace;
  if (!trace)
    return;
  dusk_memstats *last = &trace->after;
  stats_read(heap, last);
  lock_acquire(&trace->lock);
  put_lost(trace);
  PUT_LINE(trace, "close", clock_now(), last->total_alloc, last->mallocs,
           last->num_gc, stats_gc_cpu(heap), clock_process_cpu());
  write_text(trace);
  lock_release(&trace->lock);
  free_trace(heap);
}
