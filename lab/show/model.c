/* SPDX-License-Identifier: MIT */
/* model.c -- what the simulator says of a program that has been measured
 *
 *   trace of a steady heap --> rates --> sim/world --> a share of processors
 *
 * A program with fewer threads than processors, or one that waits, leaves some
 * idle: those mark besides the workers.
 *
 * Only the second half of the cycles counts: in the first a program builds what
 * it works on.
 *
 * Tested by tests/lab/model.c. */
#include "model.h"

#include "lab/sim/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  CYCLES_MIN = 6,           /* fewer say nothing about a steady state */
  SETTLING = 60,            /* cycles until a world has settled */
  FIRST_BYTES = 256 * 1024, /* what survives a world's first cycle */
};

/* Largest over smallest live heap of a program that is steady. */
static const double steady_ratio = 1.25;

/* The steady part of a heap's life. */
struct steady {
  const struct samples_cycle *cycles;
  size_t count;
};

static struct steady steady_part(const struct samples_heap *heap)
{
  size_t half = heap->cycle_count / 2;
  return (struct steady){heap->cycles + half, heap->cycle_count - half};
}

/* What lived on from before a cycle: all marked but what was born during it. */
static double survivors(const struct samples_cycle *cycle)
{
  double born = (double)cycle->live_end - (double)cycle->live_start;
  return fmax(0, (double)cycle->marked - fmax(0, born));
}

static double stack_work(const struct samples_cycle *cycle)
{
  return (double)cycle->stack_work;
}

static double heap_work(const struct samples_cycle *cycle)
{
  return (double)cycle->heap_work;
}

static double root_work(const struct samples_cycle *cycle)
{
  return (double)cycle->root_work;
}

/* NAN: no memory. */
static double median_of(struct steady steady,
                        double (*figure)(const struct samples_cycle *))
{
  double *values = calloc(steady.count, sizeof *values);
  if (!values)
    return NAN;
  for (size_t i = 0; i < steady.count; i++)
    values[i] = figure(&steady.cycles[i]);
  double median = samples_median(values, steady.count);
  free(values);
  return median;
}

static bool is_steady(struct steady steady)
{
  double least = INFINITY, most = 0;
  for (size_t i = 0; i < steady.count; i++) {
    least = fmin(least, survivors(&steady.cycles[i]));
    most = fmax(most, survivors(&steady.cycles[i]));
  }
  return least > 0 && most <= steady_ratio * least;
}

/* KiB in a ms of a processor. */
static double rate(double bytes, double ns)
{
  return ns > 0 ? bytes / 1024 / (ns / 1e6) : 0;
}

static double scan_rate(struct steady steady)
{
  double bytes = 0, ns = 0;
  for (size_t i = 0; i < steady.count; i++) {
    const struct samples_cycle *cycle = &steady.cycles[i];
    bytes += heap_work(cycle) + stack_work(cycle) + root_work(cycle);
    ns += (double)(cycle->worker_ns + cycle->assist_ns + cycle->idle_ns);
  }
  return rate(bytes, ns);
}

/* The part of the processors that marked because nobody wanted them. */
static double idle_share(const struct samples_heap *heap, struct steady steady)
{
  double idle_ns = 0, had_ns = 0;
  for (size_t i = 0; i < steady.count; i++) {
    const struct samples_cycle *cycle = &steady.cycles[i];
    idle_ns += (double)cycle->idle_ns;
    had_ns += (double)(cycle->end_ns - cycle->start_ns);
  }
  had_ns *= (double)heap->processors;
  return had_ns > 0 ? idle_ns / had_ns : 0;
}

static bool has_figures(const struct samples_heap *heap)
{
  return heap->cycle_count >= CYCLES_MIN && heap->total_alloc &&
         heap->processors && heap->processors <= SIM_CORES_MAX;
}

/* Runs a world whose live heap is `live` from its second cycle on, until it has
 * settled; its last share, or NAN. */
static double settled_share(const struct sim_setup *setup,
                            struct sim_rates rates, double live)
{
  struct sim_world world;
  struct sim_row row = {0};
  sim_world_init(&world, setup);
  for (unsigned i = 0; i < SETTLING; i++) {
    rates.growth = i == 1 ? live / FIRST_BYTES : 1;
    if (sim_world_cycle(&world, &rates, &row) != SIM_FINE)
      return NAN;
  }
  return row.utilization;
}

double model_gc_percent(const struct samples_heap *heap, double cpu_ns)
{
  struct steady steady = steady_part(heap);
  if (!has_figures(heap) || !is_steady(steady))
    return NAN;
  struct sim_setup setup = {
      .gc_percent = heap->gc_percent < 0 ? PACER_OFF : (int)heap->gc_percent,
      .memory_limit = heap->memory_limit < INT64_MAX
                          ? (int64_t)heap->memory_limit
                          : PACER_NO_LIMIT,
      .cores = (unsigned)heap->processors,
      .globals = (uint64_t)median_of(steady, root_work),
  };
  double live = median_of(steady, survivors);
  double program_ns = cpu_ns - (double)heap->gc_cpu_ns;
  struct sim_rates rates = {
      .alloc = rate((double)heap->total_alloc, program_ns),
      .scan = scan_rate(steady),
      .scannable = fmin(1, median_of(steady, heap_work) / live),
      .stack = median_of(steady, stack_work),
      .idle = idle_share(heap, steady),
  };
  if (!pacer_policy_parse(heap->policy, &setup.policy))
    return NAN;
  return 100 * settled_share(&setup, rates, live);
}
