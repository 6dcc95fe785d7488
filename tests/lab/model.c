/* SPDX-License-Identifier: MIT */
/* Test of lab/show/model.c: heaps as the simulator would have traced them give
 * the simulator's own answer back. */
#include "../unit/unit.h"

#include "lab/show/model.h"
#include "lab/sim/world.h"

#include <math.h>
#include <string.h>

enum { CYCLES = 40, CORES = 4 };

#define MS 1e6

static struct samples_cycle cycles[CYCLES];

/* A program of constant rates, run in a world and written down as a heap. */
static struct samples_heap trace_world(const struct sim_setup *setup,
                                       struct sim_rates rates, double *share)
{
  struct sim_world world;
  struct sim_row row;
  uint64_t allocated = 0;
  double gc_ns = 0;
  sim_world_init(&world, setup);
  for (unsigned i = 0; i < CYCLES; i++) {
    rates.growth = i == 1 ? 80 : 1;
    ck_assert_int_eq(sim_world_cycle(&world, &rates, &row), SIM_FINE);
    double work_ms =
        (double)(world.done.heap + world.done.stack + world.done.globals) /
        1024 / rates.scan;
    cycles[i] = (struct samples_cycle){
        .live_start = row.trigger,
        .live_end = row.peak,
        .marked = world.pacer.marked,
        .heap_work = world.done.heap,
        .stack_work = world.done.stack,
        .root_work = world.done.globals,
        .end_ns = world.duration_ns,
        .idle_ns = world.idle_ns,
        .worker_ns = (uint64_t)(work_ms * MS) - world.idle_ns,
    };
    allocated += row.peak - row.live;
    gc_ns += work_ms * MS;
  }
  *share = 100 * row.utilization;
  struct samples_heap heap = {
      .processors = CORES,
      .policy = "go",
      .gc_percent = setup->gc_percent,
      .memory_limit = UINT64_MAX,
      .total_alloc = allocated,
      .gc_cpu_ns = (uint64_t)gc_ns,
      .cycles = cycles,
      .cycle_count = CYCLES,
  };
  return heap;
}

static const struct sim_setup setup = {.gc_percent = 100,
                                       .memory_limit = PACER_NO_LIMIT,
                                       .cores = CORES,
                                       .globals = 4096};
static const struct sim_rates rates = {
    .alloc = 33, .scan = 1024, .scannable = 1, .stack = 8192};

static double model(const struct samples_heap *heap, double alloc)
{
  double program_ns = (double)heap->total_alloc / 1024 / alloc * MS;
  return model_gc_percent(heap, program_ns + (double)heap->gc_cpu_ns);
}

START_TEST(a_slow_program_is_left_to_the_workers)
{
  double share;
  struct samples_heap heap = trace_world(&setup, rates, &share);
  ck_assert_double_eq_tol(share, 25, 0.5);
  ck_assert_double_eq_tol(model(&heap, rates.alloc), 25, 0.5);
}
END_TEST

START_TEST(a_fast_program_assists)
{
  double share;
  struct sim_rates fast = rates;
  fast.alloc = 363;
  struct samples_heap heap = trace_world(&setup, fast, &share);
  ck_assert_double_gt(share, 40);
  ck_assert_double_eq_tol(model(&heap, fast.alloc), share, 3);
}
END_TEST

START_TEST(idle_processors_are_told_apart)
{
  double share;
  struct sim_rates fast = rates;
  fast.alloc = 363;
  fast.idle = 0.25;
  struct samples_heap heap = trace_world(&setup, fast, &share);
  ck_assert_double_lt(share, 35);
  ck_assert_double_eq_tol(model(&heap, fast.alloc), share, 3);
}
END_TEST

START_TEST(a_growing_heap_has_no_answer)
{
  double share;
  struct samples_heap heap = trace_world(&setup, rates, &share);
  for (unsigned i = 0; i < CYCLES; i++)
    cycles[i].marked += (uint64_t)i * 10000000;
  ck_assert(isnan(model(&heap, rates.alloc)));
}
END_TEST

START_TEST(too_little_has_no_answer)
{
  double share;
  struct samples_heap heap = trace_world(&setup, rates, &share);
  heap.cycle_count = 5;
  ck_assert(isnan(model(&heap, rates.alloc)));
  heap.cycle_count = CYCLES;
  heap.total_alloc = 0; /* its end was not heard of */
  ck_assert(isnan(model(&heap, rates.alloc)));
  heap = trace_world(&setup, rates, &share);
  strcpy(heap.policy, "none");
  ck_assert(isnan(model(&heap, rates.alloc)));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("model");
  TCase *cases = tcase_create("model");
  tcase_add_test(cases, a_slow_program_is_left_to_the_workers);
  tcase_add_test(cases, a_fast_program_assists);
  tcase_add_test(cases, idle_processors_are_told_apart);
  tcase_add_test(cases, a_growing_heap_has_no_answer);
  tcase_add_test(cases, too_little_has_no_answer);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
