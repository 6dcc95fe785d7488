/* SPDX-License-Identifier: MIT */
/* Test of lab/show/mmu.c: against every window there is, and cases by hand. */
#include "../unit/unit.h"

#include "lab/show/mmu.h"

#include <math.h>
#include <stdbool.h>

enum { TIME_MAX = 120, THREADS_MAX = 4, DELAYS_MAX = 8 };

static uint64_t seed;

static uint64_t random_below(uint64_t bound)
{
  seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
  return (seed >> 33) % bound;
}

static bool inside(struct mmu_interval interval, uint64_t unit)
{
  return interval.start <= unit && unit < interval.end;
}

static bool is_delayed(const struct mmu_thread *thread, uint64_t unit)
{
  for (size_t i = 0; i < thread->count; i++)
    if (inside(thread->delays[i], unit))
      return true;
  return false;
}

/* The utilisation of one window, unit by unit of time. */
static double window_share(const struct mmu_thread *threads, size_t count,
                           uint64_t start, uint64_t window)
{
  unsigned alive = 0;
  unsigned delayed = 0;
  bool counts = false;
  for (size_t i = 0; i < count; i++) {
    counts |=
        threads[i].life.start <= start && start + window <= threads[i].life.end;
    for (uint64_t unit = start; unit < start + window; unit++) {
      if (!inside(threads[i].life, unit))
        continue;
      alive++;
      delayed += is_delayed(&threads[i], unit);
    }
  }
  return counts ? 1 - (double)delayed / alive : NAN;
}

static double least_of_all(const struct mmu_thread *threads, size_t count,
                           uint64_t window)
{
  double least = NAN;
  for (uint64_t start = 0; start <= TIME_MAX; start++) {
    double share = window_share(threads, count, start, window);
    if (!(share >= least) && !isnan(share))
      least = share;
  }
  return least;
}

static struct mmu_interval random_interval(uint64_t longest)
{
  uint64_t start = random_below(TIME_MAX);
  uint64_t end = start + random_below(longest);
  return (struct mmu_interval){start, end < TIME_MAX ? end : TIME_MAX};
}

/* Edges are whole numbers, so the least window begins at one. */
START_TEST(random_delays_give_the_least_of_all_windows)
{
  struct mmu_interval delays[THREADS_MAX][DELAYS_MAX];
  struct mmu_thread threads[THREADS_MAX];
  seed = (uint64_t)_i + 1;
  size_t count = 1 + random_below(THREADS_MAX);
  for (size_t i = 0; i < count; i++) {
    threads[i] = (struct mmu_thread){random_interval(TIME_MAX), delays[i],
                                     random_below(DELAYS_MAX)};
    if (i % 2 == 0)
      threads[i].life = (struct mmu_interval){random_below(10), TIME_MAX};
    for (size_t j = 0; j < threads[i].count; j++)
      delays[i][j] = random_interval(20);
  }
  struct mmu *mmu = mmu_create(threads, count);
  for (uint64_t window = 1; window <= TIME_MAX + 1; window++) {
    double expected = least_of_all(threads, count, window);
    double found = mmu_least(mmu, window);
    if (isnan(expected))
      ck_assert(isnan(found));
    else
      ck_assert_double_eq_tol(found, expected, 1e-12);
  }
  mmu_destroy(mmu);
}
END_TEST

START_TEST(one_pause_costs_its_share_of_a_window)
{
  struct mmu_interval pause = {5000000, 6000000};
  struct mmu_thread thread = {{0, 100000000}, &pause, 1};
  struct mmu *mmu = mmu_create(&thread, 1);
  ck_assert_double_eq(mmu_least(mmu, 1000000), 0);
  ck_assert_double_eq(mmu_least(mmu, 500000), 0);
  ck_assert_double_eq(mmu_least(mmu, 2000000), 0.5);
  ck_assert_double_eq(mmu_least(mmu, 10000000), 0.9);
  ck_assert_double_eq(mmu_least(mmu, 100000000), 0.99);
  ck_assert(isnan(mmu_least(mmu, 100000001)));
  mmu_destroy(mmu);
}
END_TEST

START_TEST(delays_that_overlap_count_once)
{
  struct mmu_interval delays[] = {{10, 20}, {12, 15}, {18, 25}, {90, 200}};
  struct mmu_thread thread = {{0, 100}, delays, 4};
  struct mmu *mmu = mmu_create(&thread, 1);
  ck_assert_double_eq_tol(mmu_least(mmu, 100), 0.75, 1e-12);
  mmu_destroy(mmu);
}
END_TEST

START_TEST(without_threads_or_delays_nothing_is_lost)
{
  struct mmu *mmu = mmu_create(NULL, 0);
  ck_assert(isnan(mmu_least(mmu, 1)));
  mmu_destroy(mmu);
  struct mmu_thread threads[] = {{{5, 15}, NULL, 0}, {{20, 20}, NULL, 0}};
  mmu = mmu_create(threads, 2);
  ck_assert_double_eq(mmu_least(mmu, 10), 1);
  ck_assert(isnan(mmu_least(mmu, 11)));
  mmu_destroy(mmu);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("mmu");
  TCase *cases = tcase_create("mmu");
  tcase_set_timeout(cases, 60); /* without optimisation, on a busy machine */
  tcase_add_loop_test(cases, random_delays_give_the_least_of_all_windows, 0,
                      200);
  tcase_add_test(cases, one_pause_costs_its_share_of_a_window);
  tcase_add_test(cases, delays_that_overlap_count_once);
  tcase_add_test(cases, without_threads_or_delays_nothing_is_lost);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
