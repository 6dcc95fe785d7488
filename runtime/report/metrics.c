/* SPDX-License-Identifier: MIT */
/* metrics.c -- all that a heap measures, by name
 *
 *   names --> groups --> one reading of the heap --> all values --> samples
 *
 * A value belongs to a group of what is read together (one lock, one walk over
 * the threads), and only the groups that somebody asks for are read.  What an
 * identity connects comes from the same reading.
 *
 * Any thread, at any time; stops nobody and allocates nothing.
 *
 * Tested by tests/unit/metrics.c and tests/api/metrics.c. */
#include "report/metrics.h"

#include "base/sums.h"
#include "collect/memory.h"
#include "collect/pacing.h"
#include "heap/scavenge.h"
#include "os/clock.h"
#include "report/buckets.h"
#include "report/stats.h"

#include <errno.h>
#include <string.h>

/* What is read together. */
enum group {
  NOTHING = 0,   /* a word of the heap, or a few */
  OBJECTS = 1,   /* what was allocated and freed */
  PAGES = 2,     /* memory from the system */
  CYCLES = 4,    /* past cycles */
  PACING = 8,    /* goal and settings */
  RETURNED = 16, /* memory given back to the system */
  THREADS = 32,  /* what held threads up */
};

struct metrics_reading {
  struct collector *collector;
  const struct flow *flow;
  uint64_t now_ns;
  uint64_t root_bytes;
  uint64_t scannable;
  struct tally freed;
  struct tally allocated;
  struct memory memory;
  struct history_sums cycles;
  struct pacing_figures pacing;
  struct scavenged returned;
  struct timings timings;
  struct assists assists;
  uint64_t rounds;
  struct slow_name slowest;
};

/* ---- the table ---- */

enum type {
  TYPE_count,
  TYPE_seconds,
  TYPE_ratio,
  TYPE_times,
  TYPE_sizes,
  TYPE_text,
};

#define KIND_count DUSK_METRIC_UINT64
#define KIND_seconds DUSK_METRIC_FLOAT64
#define KIND_ratio DUSK_METRIC_FLOAT64
#define KIND_times DUSK_METRIC_HISTOGRAM
#define KIND_sizes DUSK_METRIC_HISTOGRAM
#define KIND_text DUSK_METRIC_TEXT

static const struct {
  enum type type;
  unsigned groups;
} sources[METRICS_COUNT] = {
#define METRIC(type, path, unit, over, group, meaning, value)                  \
  {TYPE_##type, group},
#include "report/metrics.def"
#undef METRIC
};

#define EDGES_count NULL
#define EDGES_seconds NULL
#define EDGES_ratio NULL
#define EDGES_times buckets_times
#define EDGES_sizes buckets_sizes
#define EDGES_text NULL
#define OVER_NOW false
#define OVER_CUMULATIVE true

const dusk_metric metrics[METRICS_COUNT] = {
#define METRIC(type, path, unit, over, group, meaning, value)                  \
  {path ":" unit,          unit,       meaning, EDGES_##type, KIND_##type,     \
   METRICS_BUCKETS_##type, OVER_##over},
#include "report/metrics.def"
#undef METRIC
};

size_t metrics_find(const char *name)
{
  size_t low = 0;
  size_t high = METRICS_COUNT;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = strcmp(name, metrics[middle].name);
    if (!order)
      return middle;
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return METRICS_COUNT;
}

/* ---- reading ---- */

static void read_threads(struct metrics_reading *r)
{
  struct registry *registry = &r->collector->registry;
  const struct slow_name *slowest = &registry->left_slow_name;
  lock_acquire(&registry->lock);
  timings_fold(&r->timings, &registry->left_timings);
  assists_fold(&r->assists, &registry->left_assists);
  for (struct dusk_thread *t = registry->first; t; t = t->next) {
    uint64_t longest = r->timings.longest_answer_ns;
    timings_fold(&r->timings, &t->timings);
    assists_fold(&r->assists, &t->assists);
    if (r->timings.longest_answer_ns > longest)
      slowest = &t->slow_name;
  }
  r->rounds = registry->round;
  for (unsigned i = 0; i < sizeof slowest->words / sizeof *slowest->words; i++)
    r->slowest.words[i] = LOAD_RELAXED(&slowest->words[i]);
  lock_release(&registry->lock);
}

static void read_heap(struct dusk_heap *heap, unsigned groups,
                      struct metrics_reading *r)
{
  *r = (struct metrics_reading){
      .collector = &heap->collector,
      .flow = &heap->collector.arena.flow,
      .now_ns = clock_now(),
      .root_bytes = LOAD_RELAXED(&heap->collector.roots.bytes),
      .scannable = flow_scannable(&heap->collector.arena.flow),
  };
  if (groups & OBJECTS)
    stats_read_objects(heap, &r->allocated, &r->freed);
  if (groups & PAGES)
    r->memory = memory_read(r->collector);
  if (groups & CYCLES)
    r->cycles = history_read(&heap->history);
  if (groups & PACING)
    r->pacing = pacing_figures(r->collector);
  if (groups & RETURNED)
    r->returned = scavenge_read(&r->collector->arena);
  if (groups & THREADS)
    read_threads(r);
}

/* ---- values ---- */

/* Objects are read before pages: what a census frees in between is in the first
 * figure alone, and then nothing else is in those pages. */
static uint64_t object_bytes(const struct metrics_reading *r)
{
  return tally_bytes(&r->allocated) - tally_bytes(&r->freed);
}

static uint64_t unused_bytes(const struct metrics_reading *r)
{
  return subtract_saturate(r->memory.pages.in_use, object_bytes(r));
}

static uint64_t total_bytes(const struct metrics_reading *r)
{
  const struct memory *m = &r->memory;
  return m->pages.committed - m->pages.in_use + object_bytes(r) +
         unused_bytes(r) + m->spans + m->caches + m->collector + m->profile +
         m->other;
}

union value {
  uint64_t count;
  uint64_t seconds; /* ns */
  double ratio;
  const struct histogram *times;
  const struct tally *sizes;
  const char *text;
};

/* Those of a group that was not read are of an empty heap. */
static void evaluate(const struct metrics_reading *r,
                     union value values[METRICS_COUNT])
{
#define METRIC(type, path, unit, over, group, meaning, value)                  \
  (values++)->type = value;
#include "report/metrics.def"
#undef METRIC
}

/* ---- samples ---- */

static int fill_counts(dusk_metric_sample *sample, const dusk_metric *metric,
                       const uint64_t *counts)
{
  sample->value.histogram.description = metric;
  sample->value.histogram.total = 0;
  for (unsigned i = 0; i < metric->buckets; i++)
    sample->value.histogram.total += counts[i];
  if (!sample->counts)
    return 0;
  if (sample->room < metric->buckets)
    return ERANGE;
  memcpy(sample->counts, counts, metric->buckets * sizeof *counts);
  return 0;
}

static int fill(dusk_metric_sample *sample, size_t number, union value value)
{
  const dusk_metric *metric = &metrics[number];
  sample->kind = metric->kind;
  switch (sources[number].type) {
  case TYPE_count:
    sample->value.uint64 = value.count;
    break;
  case TYPE_seconds:
    sample->value.float64 = (double)value.seconds / 1e9;
    break;
  case TYPE_ratio:
    sample->value.float64 = value.ratio;
    break;
  case TYPE_times:
    sample->value.histogram.sum = (double)value.times->sum_ns / 1e9;
    return fill_counts(sample, metric, value.times->counts);
  case TYPE_sizes:
    sample->value.histogram.sum = (double)tally_bytes(value.sizes);
    return fill_counts(sample, metric, value.sizes->objects);
  case TYPE_text:
    memset(sample->value.text, 0, sizeof sample->value.text);
    memcpy(sample->value.text, value.text, SELF_NAME);
    break;
  }
  return 0;
}

int metrics_read(struct dusk_heap *heap, dusk_metric_sample *samples,
                 size_t count)
{
  struct metrics_reading r;
  union value values[METRICS_COUNT];
  unsigned groups = NOTHING;
  int error = 0;
  for (size_t i = 0; i < count; i++) {
    size_t number =
        samples[i].name ? metrics_find(samples[i].name) : (size_t)METRICS_COUNT;
    samples[i].kind = DUSK_METRIC_BAD;
    samples[i].value.uint64 = number; /* until it is filled, below */
    if (number < METRICS_COUNT)
      groups |= sources[number].groups;
  }
  read_heap(heap, groups, &r);
  evaluate(&r, values);
  for (size_t i = 0; i < count; i++) {
    size_t number = samples[i].value.uint64;
    int refused = ENOENT;
    if (number < METRICS_COUNT)
      refused = fill(&samples[i], number, values[number]);
    else
      samples[i].value.uint64 = 0;
    error = error ? error : refused;
  }
  return error;
}
