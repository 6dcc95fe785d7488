/* SPDX-License-Identifier: MIT */
/* crew.c -- threads that do a fixed amount of work, each operation timed; and
 * what else the workloads share: see work.h */
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many operations pass between two looks at the clock of --seconds. */
enum { STEPS_PER_LOOK = 64 };

const struct work *const work_all[] = {&work_cache, &work_churn, &work_map,
                                       &work_pool, NULL};

const struct work *work_find(const char *name)
{
  for (size_t i = 0; work_all[i]; i++)
    if (!strcmp(work_all[i]->name, name))
      return work_all[i];
  return NULL;
}

void work_fail(const char *what, int error)
{
  fflush(stdout);
  fprintf(stderr, "dusk-lab work: %s%s%s\n", what, error ? ": " : "",
          error ? strerror(error) : "");
  exit(EXIT_FAILURE);
}

dusk_heap *work_open(void)
{
  dusk_heap *heap;
  int error = dusk_heap_open(NULL, &heap);
  if (error)
    work_fail("cannot open a heap", error);
  return heap;
}

dusk_kind work_kind(dusk_heap *heap, const char *name, size_t bytes,
                    unsigned pointers)
{
  uint64_t words = pointers ? (UINT64_C(1) << pointers) - 1 : 1;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = name;
  spec.size = bytes;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &words;
  spec.period = pointers ? pointers : 1;
  dusk_kind kind;
  int error = dusk_kind_define(heap, &spec, &kind);
  if (error)
    work_fail("cannot define a kind", error);
  return kind;
}

void *work_new(dusk_thread *thread, dusk_kind kind)
{
  void *object = dusk_new(thread, kind);
  if (!object)
    work_fail("cannot allocate", errno);
  return object;
}

void *work_alloc(dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  void *object = dusk_alloc(thread, kind, bytes);
  if (!object)
    work_fail("cannot allocate", errno);
  return object;
}

/* How many of the operations a worker does: the first ones do the rest. */
static uint64_t worker_share(const struct worker *worker)
{
  const struct crew *crew = worker->crew;
  return crew->operations / crew->threads +
         (worker->index < crew->operations % crew->threads);
}

static void worker_work(struct worker *worker)
{
  const struct crew *crew = worker->crew;
  uint64_t share = crew->seconds ? UINT64_MAX : worker_share(worker);
  worker->last_ns = measure_wall_ns();
  uint64_t end = worker->last_ns + crew->seconds * 1000000000;
  for (uint64_t i = 0; i < share; i++) {
    crew->step(worker);
    worker_note(worker);
    if (crew->seconds && i % STEPS_PER_LOOK == 0 && worker->last_ns >= end)
      break;
  }
}

static void *worker_run(void *argument)
{
  struct worker *worker = argument;
  struct crew *crew = worker->crew;
  int error = dusk_attach(crew->heap, &worker->thread);
  if (error)
    work_fail("cannot attach a thread", error);
  crew->prepare(worker);
  dusk_blocking_begin(worker->thread);
  pthread_barrier_wait(&crew->prepared);
  dusk_blocking_end(worker->thread);
  worker_work(worker);
  if (crew->finish)
    crew->finish(worker);
  dusk_detach(worker->thread);
  return NULL;
}

static struct worker *crew_start(struct crew *crew)
{
  struct worker *workers = calloc(crew->threads, sizeof *workers);
  int error = pthread_barrier_init(&crew->prepared, NULL, crew->threads + 1);
  if (!workers || error)
    work_fail("cannot make the crew", workers ? error : ENOMEM);
  for (unsigned i = 0; i < crew->threads; i++) {
    struct worker *worker = &workers[i];
    worker->crew = crew;
    worker->index = i;
    worker->random = measure_random_seed(crew->seed * WORK_THREADS_MAX + i);
    worker->times = measure_histogram_create();
    error = pthread_create(&worker->pthread, NULL, worker_run, worker);
    if (error)
      work_fail("cannot start a thread", error);
  }
  return workers;
}

static void crew_report(struct crew *crew, struct worker *workers,
                        struct measure_stretch stretch, uint64_t cycles)
{
  struct measure_histogram *all = workers[0].times;
  for (unsigned i = 1; i < crew->threads; i++) {
    measure_histogram_merge(all, workers[i].times);
    measure_histogram_destroy(workers[i].times);
  }
  measure_figure("ops", (double)all->count * 1e9 / (double)stretch.wall_ns,
                 "ops/s");
  measure_figure_latency(all);
  measure_figure("wall", (double)stretch.wall_ns / 1e9, "s");
  measure_figure("cpu", (double)stretch.cpu_ns / 1e9, "s");
  measure_figure("cycles", (double)cycles, "cycles");
  measure_histogram_destroy(all);
  free(workers);
}

static uint64_t heap_cycles(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.num_gc;
}

void crew_run(struct crew *crew, dusk_thread *thread)
{
  struct worker *workers = crew_start(crew);
  dusk_blocking_begin(thread);
  pthread_barrier_wait(&crew->prepared);
  struct measure_stretch stretch = measure_begin();
  uint64_t cycles = heap_cycles(crew->heap);
  for (unsigned i = 0; i < crew->threads; i++)
    pthread_join(workers[i].pthread, NULL);
  stretch = measure_end(stretch);
  cycles = heap_cycles(crew->heap) - cycles;
  dusk_blocking_end(thread);
  pthread_barrier_destroy(&crew->prepared);
  crew_report(crew, workers, stretch, cycles);
}
