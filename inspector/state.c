/* SPDX-License-Identifier: MIT */
/* state.c -- what the page asks for over and over
 *
 * All of it is read by functions that stop nobody and take microseconds.  Times
 * of day are milliseconds since 1970, as a browser has them; others are seconds
 * or, where the name says so, nanoseconds.
 *
 * Tested by tests/inspector.sh. */
#include "inspector/state.h"

#include "inspector/json.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double milliseconds(uint64_t ns)
{
  return (double)ns / 1e6;
}

static void write_process(struct json *json,
                          const struct dusk_inspector *inspector)
{
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", DUSK_VERSION_MAJOR,
           DUSK_VERSION_MINOR, DUSK_VERSION_PATCH);
  json_string(json, "dusk", version);
  json_string(json, "name", inspector->name);
  json_string(json, "program", program_invocation_short_name);
  json_count(json, "pid", (uint64_t)getpid());
  json_number(json, "time_ms", seconds(CLOCK_REALTIME) * 1e3);
  json_number(json, "clock_s", seconds(CLOCK_MONOTONIC));
}

static void write_counters(struct json *json, const dusk_memstats *stats)
{
  const struct {
    const char *name;
    uint64_t value;
  } counts[] = {
      {"alloc", stats->alloc},
      {"total_alloc", stats->total_alloc},
      {"sys", stats->sys},
      {"mallocs", stats->mallocs},
      {"frees", stats->frees},
      {"heap_alloc", stats->heap_alloc},
      {"heap_sys", stats->heap_sys},
      {"heap_idle", stats->heap_idle},
      {"heap_inuse", stats->heap_inuse},
      {"heap_released", stats->heap_released},
      {"heap_objects", stats->heap_objects},
      {"stack_inuse", stats->stack_inuse},
      {"mspan_sys", stats->mspan_sys},
      {"mcache_sys", stats->mcache_sys},
      {"buck_hash_sys", stats->buck_hash_sys},
      {"gc_sys", stats->gc_sys},
      {"other_sys", stats->other_sys},
      {"next_gc", stats->next_gc},
      {"pause_total_ns", stats->pause_total_ns},
      {"num_gc", stats->num_gc},
      {"num_forced_gc", stats->num_forced_gc},
  };
  json_open(json, "memstats", '{');
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    json_count(json, counts[i].name, counts[i].value);
  json_number(json, "last_gc_ms", milliseconds(stats->last_gc));
  json_number(json, "gc_cpu_fraction", stats->gc_cpu_fraction);
  json_close(json, '}');
}

/* [number of the cycle, end in ms, ns], the oldest first. */
static void write_pauses(struct json *json, const dusk_memstats *stats,
                         uint64_t since)
{
  uint64_t kept = stats->num_gc < DUSK_PAUSES ? stats->num_gc : DUSK_PAUSES;
  uint64_t first = stats->num_gc - kept + 1;
  json_open(json, "pauses", '[');
  for (uint64_t n = since >= first ? since + 1 : first; n <= stats->num_gc;
       n++) {
    size_t at = (n + DUSK_PAUSES - 1) % DUSK_PAUSES;
    json_open(json, NULL, '[');
    json_count(json, NULL, n);
    json_number(json, NULL, milliseconds(stats->pause_end[at]));
    json_count(json, NULL, stats->pause_ns[at]);
    json_close(json, ']');
  }
  json_close(json, ']');
}

/* [size, allocated, freed] for each size of small objects that was used. */
static void write_sizes(struct json *json, const dusk_memstats *stats)
{
  json_open(json, "sizes", '[');
  for (size_t i = 0; i < DUSK_SIZE_CLASSES; i++) {
    const dusk_by_size *class = &stats->by_size[i];
    if (!class->mallocs)
      continue;
    json_open(json, NULL, '[');
    json_count(json, NULL, class->size);
    json_count(json, NULL, class->mallocs);
    json_count(json, NULL, class->frees);
    json_close(json, ']');
  }
  json_close(json, ']');
}

static void write_limit(struct json *json, dusk_heap *heap)
{
  int64_t limit = dusk_set_memory_limit(heap, -1);
  json_open(json, "limit", '{');
  if (limit == INT64_MAX)
    json_null(json, "bytes");
  else
    json_count(json, "bytes", (uint64_t)limit);
  json_count(json, "pressure", (uint64_t)dusk_pressure_now(heap));
  json_count(json, "external", dusk_external_bytes(heap));
  json_close(json, '}');
}

/* [low, high, count] of each bucket that has any; no end is null. */
static void write_histogram(struct json *json, const dusk_metric_sample *sample)
{
  const dusk_metric *metric = sample->value.histogram.description;
  json_open(json, sample->name, '{');
  json_count(json, "total", sample->value.histogram.total);
  json_number(json, "sum", sample->value.histogram.sum);
  json_open(json, "buckets", '[');
  for (uint32_t i = 0; i < metric->buckets; i++) {
    if (!sample->counts[i])
      continue;
    json_open(json, NULL, '[');
    json_number(json, NULL, metric->edges[i]);
    json_number(json, NULL, metric->edges[i + 1]);
    json_count(json, NULL, sample->counts[i]);
    json_close(json, ']');
  }
  json_close(json, ']');
  json_close(json, '}');
}

static void write_metric(struct json *json, const dusk_metric_sample *sample)
{
  switch (sample->kind) {
  case DUSK_METRIC_UINT64:
    json_count(json, sample->name, sample->value.uint64);
    break;
  case DUSK_METRIC_FLOAT64:
    json_number(json, sample->name, sample->value.float64);
    break;
  case DUSK_METRIC_TEXT:
    json_string(json, sample->name, sample->value.text);
    break;
  case DUSK_METRIC_HISTOGRAM: /* they stand by themselves */
  case DUSK_METRIC_BAD:
    break;
  }
}

/* All metrics, by their names; false: no memory. */
static bool write_metrics(struct json *json, dusk_heap *heap)
{
  size_t count;
  const dusk_metric *all = dusk_metrics_all(&count);
  dusk_metric_sample *samples = calloc(count, sizeof *samples);
  uint64_t *counts = calloc(count * DUSK_METRIC_BUCKETS_MAX, sizeof *counts);
  bool done = samples && counts;
  for (size_t i = 0; done && i < count; i++)
    samples[i] =
        (dusk_metric_sample){.name = all[i].name,
                             .counts = counts + i * DUSK_METRIC_BUCKETS_MAX,
                             .room = DUSK_METRIC_BUCKETS_MAX};
  done = done && dusk_metrics_read(heap, samples, count) == 0;
  json_open(json, "metrics", '{');
  for (size_t i = 0; done && i < count; i++)
    write_metric(json, &samples[i]);
  json_close(json, '}');
  json_open(json, "histograms", '{');
  for (size_t i = 0; done && i < count; i++) {
    if (samples[i].kind == DUSK_METRIC_HISTOGRAM)
      write_histogram(json, &samples[i]);
  }
  json_close(json, '}');
  free(counts);
  free(samples);
  return done;
}

static bool write_state(FILE *to, const struct dusk_inspector *inspector,
                        uint64_t since)
{
  struct json json = {.to = to, .is_first = true};
  dusk_memstats stats;
  dusk_read_memstats(inspector->heap, &stats);
  json_open(&json, NULL, '{');
  write_process(&json, inspector);
  write_counters(&json, &stats);
  write_pauses(&json, &stats, since);
  write_sizes(&json, &stats);
  write_limit(&json, inspector->heap);
  bool done = write_metrics(&json, inspector->heap);
  json_close(&json, '}');
  return done;
}

char *state_text(const struct dusk_inspector *inspector, uint64_t since,
                 size_t *length)
{
  char *text = NULL;
  FILE *to = open_memstream(&text, length);
  if (!to)
    return NULL;
  locale_t before = uselocale(inspector->plain);
  bool is_whole = write_state(to, inspector, since);
  uselocale(before);
  is_whole = is_whole && !ferror(to);
  if (fclose(to) || !is_whole) {
    free(text);
    return NULL;
  }
  return text;
}
