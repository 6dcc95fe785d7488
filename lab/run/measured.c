/* SPDX-License-Identifier: MIT */
/* measured.c -- the figures of one run, and of a cell's runs; see measured.h */
#include "measured.h"

#include "lab/show/model.h"
#include "lab/show/waits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct measured_about measured_about[MEASURED_FIGURES] = {
    [MEASURED_CPU] = {"CPU s", "cpu_s",
                      "processor time of the whole program, user and system",
                      MEASURED_UNIT_PLAIN, 2},
    [MEASURED_GC_MARK] = {"GC % in cycles", "gc_mark_percent",
                          "of all processors, how much assists and workers "
                          "had while cycles ran",
                          MEASURED_UNIT_PLAIN, 1},
    [MEASURED_GC_MODEL] = {"GC % in the model", "gc_model_percent",
                           "what the simulator gives for GC % in cycles from "
                           "the program's rates, if its heap was steady",
                           MEASURED_UNIT_PLAIN, 1},
    [MEASURED_GC_ALL] = {"GC % of CPU", "gc_percent_of_cpu",
                         "of the program's processor time, how much was the "
                         "collector's",
                         MEASURED_UNIT_PLAIN, 1},
    [MEASURED_WALL] = {"wall s", "wall_s", "from start to end",
                       MEASURED_UNIT_PLAIN, 2},
    [MEASURED_RSS] = {"peak RSS MiB", "peak_rss_mib",
                      "the most memory that was resident, as the system says",
                      MEASURED_UNIT_PLAIN, 1},
    [MEASURED_HEAP] = {"peak heap MiB", "peak_heap_mib",
                       "the most that any heap had in use when it was marked",
                       MEASURED_UNIT_PLAIN, 1},
    [MEASURED_OVERSHOT] = {"heap/goal", "heap_over_goal",
                           "the largest ratio of heap in use to the goal of "
                           "its cycle, of goals near the largest",
                           MEASURED_UNIT_PLAIN, 3},
    [MEASURED_CYCLES] = {"cycles", "cycles", "collections", MEASURED_UNIT_PLAIN,
                         0},
    [MEASURED_PAUSE] = {"longest pause", "longest_pause_ns",
                        "the longest step that the collector asked of a thread",
                        MEASURED_UNIT_NS, 0},
    [MEASURED_ASSIST] = {"longest assist", "longest_assist_ns",
                         "the longest that a thread marked, to pay for an "
                         "allocation",
                         MEASURED_UNIT_NS, 0},
    [MEASURED_TAIL] = {"p99.9 of operations", "p999_ns",
                       "of the workload's own operations, if it measures them: "
                       "one in a thousand took longer",
                       MEASURED_UNIT_NS, 0},
};

bool measured_is_goal(uint64_t goal)
{
  return goal && goal < UINT64_C(1) << 62;
}

static uint64_t heap_peak(const struct samples_heap *heap)
{
  uint64_t peak = 0;
  for (size_t i = 0; i < heap->cycle_count; i++)
    if (heap->cycles[i].heap_inuse > peak)
      peak = heap->cycles[i].heap_inuse;
  return peak;
}

const struct samples_heap *measured_heap(const struct samples *samples)
{
  const struct samples_heap *largest = NULL;
  for (size_t i = 0; i < samples->heap_count; i++)
    if (!largest || heap_peak(&samples->heaps[i]) > heap_peak(largest))
      largest = &samples->heaps[i];
  return largest;
}

struct sums {
  double gc_ns;
  double mark_ns;      /* assists and workers */
  double available_ns; /* of all processors, while cycles ran */
  double overshot;
  double cycles;
  double pause_ns;
  double assist_ns;
};

static void sums_add_cycle(struct sums *sums, const struct samples_cycle *cycle,
                           uint64_t processors, double *gc_ns)
{
  double paid = (double)(cycle->assist_ns + cycle->worker_ns);
  *gc_ns += paid + (double)(cycle->idle_ns + cycle->other_ns);
  if (cycle->end_ns > cycle->start_ns) {
    sums->mark_ns += paid;
    sums->available_ns +=
        (double)(cycle->end_ns - cycle->start_ns) * (double)processors;
  }
  sums->pause_ns = fmax(sums->pause_ns, (double)cycle->pause_start_ns);
  sums->pause_ns = fmax(sums->pause_ns, (double)cycle->pause_end_ns);
}

/* The heaps of a program's first moments are over their goals of a few MiB by
 * what is allocated while a cycle begins; they say nothing of the rest. */
static void sums_add_overshot(struct sums *sums,
                              const struct samples_heap *heap)
{
  uint64_t largest = 0;
  for (size_t i = 0; i < heap->cycle_count; i++)
    if (measured_is_goal(heap->cycles[i].goal) &&
        heap->cycles[i].goal > largest)
      largest = heap->cycles[i].goal;
  for (size_t i = 0; i < heap->cycle_count; i++) {
    const struct samples_cycle *cycle = &heap->cycles[i];
    if (measured_is_goal(cycle->goal) && cycle->goal >= largest / 4)
      sums->overshot =
          fmax(sums->overshot, (double)cycle->heap_inuse / (double)cycle->goal);
  }
}

static void sums_add_heap(struct sums *sums, const struct samples_heap *heap)
{
  sums_add_overshot(sums, heap);
  double gc_ns = 0;
  sums->cycles += (double)heap->cycle_count;
  for (size_t i = 0; i < heap->cycle_count; i++)
    sums_add_cycle(sums, &heap->cycles[i],
                   heap->processors ? heap->processors : 1, &gc_ns);
  /* The closing line counts what lies between cycles as well. */
  sums->gc_ns += heap->gc_cpu_ns ? (double)heap->gc_cpu_ns : gc_ns;
  for (size_t i = 0; i < heap->delay_count; i++) {
    const struct samples_delay *delay = &heap->delays[i];
    double *longest = delay->kind == SAMPLES_SERVICE  ? &sums->pause_ns
                      : delay->kind == SAMPLES_ASSIST ? &sums->assist_ns
                                                      : NULL;
    if (longest)
      *longest = fmax(*longest, (double)delay->duration_ns);
  }
  for (size_t i = 0; i < heap->thread_count; i++)
    sums->assist_ns =
        fmax(sums->assist_ns, (double)heap->threads[i].longest_assist_ns);
}

/* The value of the line that begins with `name` in what a program printed. */
static double printed_figure(const char *path, const char *name,
                             const char *unit)
{
  double found = NAN;
  char line[256];
  char format[64];
  FILE *file = fopen(path, "re");
  snprintf(format, sizeof format, "%s %%lf %s%%n", name, unit);
  while (file && fgets(line, sizeof line, file)) {
    double value;
    int end = -1;
    if (sscanf(line, format, &value, &end) == 1 && end > 0)
      found = value;
  }
  if (file)
    fclose(file);
  return found;
}

void measured_of_run(struct measured *measured, const struct samples *samples,
                     const struct child_end *end, const char *out_path)
{
  struct sums sums = {0};
  for (size_t i = 0; i < samples->heap_count; i++)
    sums_add_heap(&sums, &samples->heaps[i]);
  const struct samples_heap *heap = measured_heap(samples);
  double *figures = measured->figures;
  figures[MEASURED_CPU] = end->cpu_s;
  figures[MEASURED_WALL] = end->wall_s;
  figures[MEASURED_CYCLES] = sums.cycles;
  figures[MEASURED_GC_MARK] =
      sums.available_ns > 0 ? 100 * sums.mark_ns / sums.available_ns : NAN;
  figures[MEASURED_GC_MODEL] =
      heap ? model_gc_percent(heap, 1e9 * end->cpu_s) : NAN;
  figures[MEASURED_GC_ALL] =
      end->cpu_s > 0 ? 100 * sums.gc_ns / 1e9 / end->cpu_s : NAN;
  figures[MEASURED_HEAP] =
      heap && heap->cycle_count ? (double)heap_peak(heap) / (1 << 20) : NAN;
  figures[MEASURED_OVERSHOT] = sums.overshot > 0 ? sums.overshot : NAN;
  figures[MEASURED_PAUSE] = sums.pause_ns > 0 ? sums.pause_ns : NAN;
  figures[MEASURED_ASSIST] = sums.assist_ns > 0 ? sums.assist_ns : NAN;
  figures[MEASURED_TAIL] = 1000 * printed_figure(out_path, "p99.9", "us");
  /* What the system reports can be the peak of who started the program: it is
   * carried over exec(). */
  double peak = printed_figure(out_path, "peak", "MiB");
  figures[MEASURED_RSS] =
      isnan(peak) ? (double)end->peak_bytes / (1 << 20) : peak;
}

void measured_median(struct measured *median, const struct measured *runs,
                     unsigned count)
{
  double *values = calloc(count + 1, sizeof *values);
  if (!values)
    measure_fail("no memory for the medians");
  for (unsigned figure = 0; figure < MEASURED_FIGURES; figure++) {
    size_t known = 0;
    for (unsigned i = 0; i < count; i++)
      if (!isnan(runs[i].figures[figure]))
        values[known++] = runs[i].figures[figure];
    median->figures[figure] = samples_median(values, known);
  }
  free(values);
}

void measured_print(char *text, size_t size, enum measured_figure figure,
                    double value)
{
  const struct measured_about *about = &measured_about[figure];
  if (about->unit == MEASURED_UNIT_NS || isnan(value))
    waits_print_ns(text, size, value);
  else
    snprintf(text, size, "%.*f", about->decimals, value);
}
