/* SPDX-License-Identifier: MIT */
/* Test of pace/scavenger.c: targets by hand, and the pace with a stub for the
 * work and for the sleep. */
#include "unit.h"

#include "pace/scavenger.h"

#include <math.h>

enum { PAGE = 4096, SECOND = 1000000000 };

#define MIB(n) ((uint64_t)(n) << 20)

/* ---- targets ---- */

START_TEST(the_percent_target_is_off_before_the_first_cycle)
{
  ck_assert(scavenger_percent_target(MIB(10), MIB(4), 0, PAGE) ==
            SCAVENGER_OFF);
}
END_TEST

START_TEST(the_percent_target_is_off_without_a_goal)
{
  ck_assert(scavenger_percent_target(MIB(10), UINT64_MAX, MIB(4), PAGE) ==
            SCAVENGER_OFF);
  ck_assert(scavenger_percent_target(MIB(10), MIB(4), UINT64_MAX, PAGE) ==
            SCAVENGER_OFF);
}
END_TEST

START_TEST(the_percent_target_follows_the_goal)
{
  ck_assert_uint_eq(
      scavenger_percent_target(1000 * PAGE, MIB(50), MIB(100), PAGE),
      550 * PAGE);
  ck_assert_uint_eq(
      scavenger_percent_target(1000 * PAGE, MIB(200), MIB(100), PAGE),
      2200 * PAGE);
}
END_TEST

START_TEST(targets_are_rounded_up_to_a_page_of_the_system)
{
  ck_assert_uint_eq(scavenger_percent_target(PAGE, 1, 1, PAGE), 2 * PAGE);
  ck_assert_uint_eq(scavenger_percent_target(PAGE, 1, 1, 65536), 65536);
  ck_assert_uint_eq(scavenger_idle_target(PAGE, PAGE), 2 * PAGE);
  ck_assert_uint_eq(scavenger_idle_target(0, PAGE), 0);
}
END_TEST

START_TEST(the_limit_target_is_a_twentieth_below_the_limit)
{
  ck_assert_uint_eq(scavenger_limit_target(1000), 950);
  ck_assert(scavenger_limit_target(INT64_MAX) == SCAVENGER_OFF);
  ck_assert_uint_eq(scavenger_limit_target(0), 0);
}
END_TEST

START_TEST(only_what_is_above_a_target_is_over_it)
{
  ck_assert_uint_eq(scavenger_over(10, 11), 0);
  ck_assert_uint_eq(scavenger_over(11, 11), 0);
  ck_assert_uint_eq(scavenger_over(12, 11), 1);
  ck_assert_uint_eq(scavenger_over(UINT64_MAX - 1, SCAVENGER_OFF), 0);
}
END_TEST

/* ---- the pace ---- */

/* A system in which a page takes this long to give back, and a sleep this many
 * times as long as it should. */
struct world {
  double page_ns;
  double oversleep;
  bool is_coarse; /* the clock sees nothing of a quantum */
};

/* Gives `work` bytes back in slices; the share of the time that was work, over
 * the second half of the slices. */
static double share_of_time(const struct world *world, uint64_t work)
{
  struct scavenger_pace pace;
  double worked = 0, slept = 0;
  uint64_t done = 0;
  scavenger_pace_init(&pace, PAGE);
  while (done < work) {
    double ns = 0;
    bool is_over = false;
    while (!is_over && done < work) {
      double took = world->page_ns * SCAVENGER_QUANTUM_BYTES / PAGE;
      is_over = scavenger_pace_worked(&pace, SCAVENGER_QUANTUM_BYTES,
                                      world->is_coarse ? 0 : (uint64_t)took);
      ns += took;
      done += SCAVENGER_QUANTUM_BYTES;
    }
    uint64_t sleep = scavenger_pace_sleep(&pace);
    double real = (double)sleep * world->oversleep;
    scavenger_pace_slept(&pace, (uint64_t)real);
    if (done > work / 2) {
      worked += ns;
      slept += real;
    }
  }
  return worked / (worked + slept);
}

static void expect_one_percent(const struct world *world, uint64_t work)
{
  double share = share_of_time(world, work);
  ck_assert_msg(fabs(share - 0.01) <= 0.005, "%.4f of the time", share);
}

/* 64 MiB but for three pages, as a heap of that size leaves. */
START_TEST(work_is_one_percent_of_the_time)
{
  static const double page_ns[] = {10000, 1000, 100000};
  struct world world = {page_ns[_i], 1, false};
  expect_one_percent(&world, MIB(64) - 3 * 8192);
}
END_TEST

START_TEST(a_coarse_clock_counts_pages)
{
  struct world world = {10000, 1, true};
  expect_one_percent(&world, MIB(64) - 3 * 8192);
}
END_TEST

START_TEST(sleeps_that_are_too_long_or_too_short_are_made_up_for)
{
  static const double oversleep[] = {1.5, 4, 0.5};
  struct world world = {10000, oversleep[_i], false};
  expect_one_percent(&world, MIB(256));
}
END_TEST

START_TEST(a_slice_is_a_millisecond_at_least)
{
  struct scavenger_pace pace;
  scavenger_pace_init(&pace, PAGE);
  for (int i = 0; i < 9; i++)
    ck_assert(!scavenger_pace_worked(&pace, PAGE, 100000));
  ck_assert(scavenger_pace_worked(&pace, PAGE, 100000));
}
END_TEST

START_TEST(it_begins_with_long_sleeps)
{
  struct scavenger_pace pace;
  scavenger_pace_init(&pace, PAGE);
  ck_assert(scavenger_pace_worked(&pace, PAGE, 1000000));
  ck_assert_uint_eq(scavenger_pace_sleep(&pace), SECOND);
}
END_TEST

/* The output stays in its range, and the time spent at its end is forgotten:
 * the pace is what it was soon after. */
START_TEST(what_the_clamp_cuts_off_is_not_remembered)
{
  struct scavenger_pace pace;
  scavenger_pace_init(&pace, PAGE);
  for (int i = 0; i < 200; i++) { /* work takes all of the time */
    scavenger_pace_worked(&pace, PAGE, SECOND);
    scavenger_pace_slept(&pace, 0);
    ck_assert(pace.ratio >= 0.001 && pace.ratio <= 1000);
  }
  ck_assert(pace.ratio == 0.001);
  int steps = 0;
  while (pace.ratio <= 0.001 && steps < 10) {
    scavenger_pace_worked(&pace, PAGE, 1000000);
    scavenger_pace_slept(&pace, SECOND);
    steps++;
  }
  ck_assert_int_lt(steps, 10);
}
END_TEST

START_TEST(a_controller_that_fails_starts_again_after_five_seconds)
{
  struct scavenger_pace pace;
  scavenger_pace_init(&pace, PAGE);
  pace.integral = INFINITY;
  scavenger_pace_worked(&pace, PAGE, 1000000);
  scavenger_pace_slept(&pace, SECOND);
  ck_assert_uint_eq(pace.failures, 1);
  ck_assert(pace.ratio == 0.001);
  for (int i = 0; i < 4; i++) {
    scavenger_pace_worked(&pace, PAGE, 1000000);
    scavenger_pace_slept(&pace, SECOND);
    ck_assert(pace.ratio == 0.001);
  }
  for (int i = 0; i < 3; i++) {
    scavenger_pace_worked(&pace, PAGE, 1000000);
    scavenger_pace_slept(&pace, SECOND);
  }
  ck_assert(pace.ratio > 0.001);
  ck_assert_uint_eq(pace.failures, 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scavenger");
  TCase *cases = tcase_create("scavenger");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, the_percent_target_is_off_before_the_first_cycle);
  tcase_add_test(cases, the_percent_target_is_off_without_a_goal);
  tcase_add_test(cases, the_percent_target_follows_the_goal);
  tcase_add_test(cases, targets_are_rounded_up_to_a_page_of_the_system);
  tcase_add_test(cases, the_limit_target_is_a_twentieth_below_the_limit);
  tcase_add_test(cases, only_what_is_above_a_target_is_over_it);
  tcase_add_loop_test(cases, work_is_one_percent_of_the_time, 0, 3);
  tcase_add_test(cases, a_coarse_clock_counts_pages);
  tcase_add_loop_test(
      cases, sleeps_that_are_too_long_or_too_short_are_made_up_for, 0, 3);
  tcase_add_test(cases, a_slice_is_a_millisecond_at_least);
  tcase_add_test(cases, it_begins_with_long_sleeps);
  tcase_add_test(cases, what_the_clamp_cuts_off_is_not_remembered);
  tcase_add_test(cases,
                 a_controller_that_fails_starts_again_after_five_seconds);
  return unit_run(suite);
}
