/* SPDX-License-Identifier: MIT */
/* world.c -- the simulated world itself: what it does with figures that make no
 * sense, and with those that no golden row has */
#include "lab/sim/world.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { MIB = 1024 * 1024 };

static const struct sim_setup usual = {
    .gc_percent = 100,
    .memory_limit = PACER_NO_LIMIT,
    .cores = 8,
    .globals = 32 * 1024,
};

static const struct sim_rates steady = {
    .alloc = 33,
    .scan = 1024,
    .growth = 1,
    .scannable = 1,
    .stack = 8192,
};

static enum sim_error run(const struct sim_setup *setup,
                          const struct sim_rates *rates, unsigned cycles,
                          struct sim_row *last)
{
  struct sim_world world;
  enum sim_error error = SIM_FINE;
  sim_world_init(&world, setup);
  for (unsigned i = 0; i < cycles && !error; i++)
    error = sim_world_cycle(&world, rates, last);
  return error;
}

START_TEST(no_goal_no_cycle)
{
  struct sim_setup setup = usual;
  struct sim_row row;
  setup.gc_percent = PACER_OFF;
  ck_assert_int_eq(run(&setup, &steady, 1, &row), SIM_NEVER);
  setup.memory_limit = 64 * MIB;
  ck_assert_int_eq(run(&setup, &steady, 1, &row), SIM_FINE);
}
END_TEST

START_TEST(what_is_no_number_is_refused)
{
  static const double odd[] = {NAN, INFINITY, 1e300};
  struct sim_row row;
  for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
    for (size_t at = 0; at < sizeof(struct sim_rates) / sizeof(double); at++) {
      struct sim_rates rates = steady;
      ((double *)&rates)[at] = odd[i];
      ck_assert_int_eq(run(&usual, &rates, 1, &row), SIM_TOO_LARGE);
    }
  }
}
END_TEST

/* The last of 40 cycles of a fast program with 20 MiB that live. */
static struct sim_row run_fast(double idle)
{
  struct sim_world world;
  struct sim_row row = {0};
  struct sim_rates rates = steady;
  rates.alloc = 363;
  rates.idle = idle;
  sim_world_init(&world, &usual);
  for (unsigned i = 0; i < 40; i++) {
    rates.growth = i == 1 ? 80 : 1;
    ck_assert_int_eq(sim_world_cycle(&world, &rates, &row), SIM_FINE);
  }
  return row;
}

/* What it leaves idle marks for it: it need not assist. */
START_TEST(idle_processors_mark)
{
  ck_assert_double_gt(run_fast(0).utilization, 0.4);
  ck_assert_double_lt(run_fast(0.25).utilization, 0.3);
  ck_assert_uint_le(run_fast(0.25).peak, run_fast(0.25).goal);
}
END_TEST

START_TEST(rates_below_their_range_are_the_least_in_it)
{
  struct sim_rates rates = {-1, 1024, 1, -1, -1, -1, -1};
  struct sim_rates least = {0.0001, 1024, 1, 0, 0, 0, 0};
  struct sim_row row;
  struct sim_row expected;
  ck_assert_int_eq(run(&usual, &rates, 9, &row), SIM_FINE);
  ck_assert_int_eq(run(&usual, &least, 9, &expected), SIM_FINE);
  ck_assert_uint_eq(row.peak, expected.peak);
  ck_assert_uint_eq(row.live, expected.live);
}
END_TEST

START_TEST(a_heap_that_grows_for_ever_is_too_large_some_time)
{
  struct sim_rates rates = steady;
  struct sim_row row;
  rates.growth = 1000;
  rates.scan = 1e15;
  ck_assert_int_eq(run(&usual, &rates, 99, &row), SIM_TOO_LARGE);
}
END_TEST

START_TEST(marking_that_makes_no_progress_ends_in_an_error)
{
  struct sim_rates rates = steady;
  struct sim_row row;
  rates.scan = 0;
  rates.stack = 1024.0 * MIB;
  ck_assert_int_eq(run(&usual, &rates, 1, &row), SIM_ENDLESS);
}
END_TEST

/* The share is a share of all processors, so with rates for one of them the
 * bytes hardly depend on how many there are. */
START_TEST(the_number_of_processors_changes_time_and_not_bytes)
{
  struct sim_setup setup = usual;
  struct sim_row eight;
  struct sim_row two;
  ck_assert_int_eq(run(&usual, &steady, 30, &eight), SIM_FINE);
  setup.cores = 2;
  ck_assert_int_eq(run(&setup, &steady, 30, &two), SIM_FINE);
  ck_assert_double_eq_tol(two.utilization, eight.utilization, 0.001);
  ck_assert_double_eq_tol((double)two.peak, (double)eight.peak, 1000);
}
END_TEST

START_TEST(nothing_to_mark_takes_no_time)
{
  struct sim_setup setup = usual;
  struct sim_rates rates = steady;
  struct sim_row row;
  setup.globals = 0;
  rates.stack = rates.scannable = 0;
  ck_assert_int_eq(run(&setup, &rates, 5, &row), SIM_FINE);
  ck_assert_uint_eq(row.peak, row.trigger);
  ck_assert(row.utilization == 0.25);
}
END_TEST

START_TEST(a_jump_is_in_the_peak_and_dead_two_cycles_later)
{
  struct sim_world world;
  struct sim_rates rates = steady;
  struct sim_row rows[4];
  sim_world_init(&world, &usual);
  ck_assert(!sim_world_cycle(&world, &rates, &rows[0]));
  rates.jump = MIB;
  ck_assert(!sim_world_cycle(&world, &rates, &rows[1]));
  rates.jump = 0;
  ck_assert(!sim_world_cycle(&world, &rates, &rows[2]));
  ck_assert(!sim_world_cycle(&world, &rates, &rows[3]));
  ck_assert_uint_ge(rows[1].peak, rows[1].trigger + MIB);
  ck_assert_uint_ge(rows[2].live, rows[1].live + MIB - MIB / 8);
  ck_assert_uint_lt(rows[3].live, rows[2].live - MIB + MIB / 8);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("the simulated world");
  TCase *tcase = tcase_create("world");
  tcase_set_timeout(tcase, 0); /* a sanitizer makes it slow */
  tcase_add_test(tcase, no_goal_no_cycle);
  tcase_add_test(tcase, what_is_no_number_is_refused);
  tcase_add_test(tcase, idle_processors_mark);
  tcase_add_test(tcase, rates_below_their_range_are_the_least_in_it);
  tcase_add_test(tcase, a_heap_that_grows_for_ever_is_too_large_some_time);
  tcase_add_test(tcase, marking_that_makes_no_progress_ends_in_an_error);
  tcase_add_test(tcase, the_number_of_processors_changes_time_and_not_bytes);
  tcase_add_test(tcase, nothing_to_mark_takes_no_time);
  tcase_add_test(tcase, a_jump_is_in_the_peak_and_dead_two_cycles_later);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
