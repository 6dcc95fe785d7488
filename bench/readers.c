/* SPDX-License-Identifier: MIT */
/* readers.c -- what it costs threads that allocate when another reads figures
 *
 * Some threads allocate objects of 64 bytes that die at once; one that is not
 * attached reads in a loop, without a pause: nothing, MemStats, all metrics by
 * name, or all metrics as text.  The figures of the threads are `wall` and
 * `cpu`, of an allocation; those of the reader, times of a reading.  With fewer
 * processors than threads the reader takes one that they would have had, in the
 * other readings as in `memstats`: so compare with `spin`, which reads nothing
 * and loops as well.  Dusk alone, and run by hand. */
#include "measure.h"
#include "option.h"

#include <dusk.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 64, OBJECT_BYTES = 64 };

enum reading {
  READ_NOTHING,
  READ_SPIN,
  READ_MEMSTATS,
  READ_METRICS,
  READ_TEXT
};
static const char *const readings[] = {"nothing", "spin", "memstats",
                                       "metrics", "text", NULL};

static dusk_heap *heap;
static uint64_t objects;

static void *allocate(void *argument)
{
  dusk_thread *thread;
  if (dusk_attach(heap, &thread))
    measure_fail("a thread could not be attached");
  for (uint64_t i = 0; i < objects; i++) {
    void *object = dusk_alloc(thread, DUSK_LEAF, OBJECT_BYTES);
    if (!object)
      measure_fail("no memory");
    measure_keep(object);
  }
  dusk_detach(thread);
  return argument;
}

/* ---- the reader ---- */

static struct reader {
  enum reading reading;
  bool stop; /* atomic */
  struct measure_histogram *times;
  dusk_metric_sample *samples;
  size_t count;
  int null;
} reader;

static void prepare(void)
{
  const dusk_metric *all = dusk_metrics_all(&reader.count);
  reader.times = measure_histogram_create();
  reader.samples = calloc(reader.count, sizeof *reader.samples);
  reader.null = open("/dev/null", O_WRONLY);
  if (!reader.samples || reader.null < 0)
    measure_fail("the reader could not be prepared");
  for (size_t i = 0; i < reader.count; i++) {
    reader.samples[i].name = all[i].name;
    reader.samples[i].room = all[i].buckets;
    reader.samples[i].counts = calloc(all[i].buckets + 1, sizeof(uint64_t));
    if (!reader.samples[i].counts)
      measure_fail("no memory");
  }
}

static void read_once(void)
{
  static dusk_memstats stats;
  int error = 0;
  switch (reader.reading) {
  case READ_NOTHING:
  case READ_SPIN:
    break;
  case READ_MEMSTATS:
    dusk_read_memstats(heap, &stats);
    break;
  case READ_METRICS:
    error = dusk_metrics_read(heap, reader.samples, reader.count);
    break;
  case READ_TEXT:
    error = dusk_write_openmetrics(heap, reader.null);
    break;
  }
  if (error)
    measure_fail(strerror(error));
}

static void *read_on(void *argument)
{
  uint64_t before = measure_wall_ns();
  while (!__atomic_load_n(&reader.stop, __ATOMIC_RELAXED)) {
    read_once();
    uint64_t now = measure_wall_ns();
    measure_histogram_add(reader.times, now - before);
    before = now;
  }
  return argument;
}

static void start(pthread_t *pthread, void *(*run)(void *))
{
  if (pthread_create(pthread, NULL, run, NULL))
    measure_fail("a thread could not be started");
}

int main(int argc, char **argv)
{
  enum { THREADS, OBJECTS, READ, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [THREADS] = {"threads", "Threads that allocate", 4, 2, NULL},
      [OBJECTS] = {"objects", "Objects that each allocates", 20000000, 200000,
                   NULL},
      [READ] = {"read", "What the reader reads", READ_METRICS, READ_METRICS,
                readings}};
  static const struct option_program program = {
      "readers", "dusk", "Reads figures beside threads that allocate"};
  pthread_t threads[THREADS_MAX], other;
  option_parse(&program, options, argc, argv);
  uint64_t count = options[THREADS].value;
  if (count > THREADS_MAX)
    measure_fail("threads are at most 64");
  objects = options[OBJECTS].value;
  reader.reading = (enum reading)options[READ].value;
  if (dusk_heap_open(NULL, &heap))
    measure_fail("no heap");
  prepare();
  struct measure_stretch begun = measure_begin();
  if (reader.reading != READ_NOTHING)
    start(&other, read_on);
  for (uint64_t i = 0; i < count; i++)
    start(&threads[i], allocate);
  for (uint64_t i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  struct measure_stretch stretch = measure_end(begun);
  __atomic_store_n(&reader.stop, true, __ATOMIC_RELAXED);
  if (reader.reading != READ_NOTHING)
    pthread_join(other, NULL);
  measure_figure_each(stretch, count * objects);
  if (reader.times->count > 100)
    measure_figure_latency(reader.times);
  measure_figure("reads", (double)reader.times->count, "reads");
  measure_histogram_destroy(reader.times);
  dusk_heap_close(heap);
  return EXIT_SUCCESS;
}
