/* SPDX-License-Identifier: MIT */
/* Test of pace/limiter.c: the bucket under a clock that the test moves. */
#include "unit.h"

#include "fixture.h"
#include "pace/limiter.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)

enum { PROCESSORS = 14 };
static const double background = 0.25;

/* Processor time that the test machine has in `ns`. */
#define ALL(ns) ((int64_t)PROCESSORS * (ns))

static struct limiter limiter;
static uint64_t now;

/* As good as any: nothing starts at 0. */
static void set_up(void)
{
  now = 12345;
  limiter_init(&limiter, now, PROCESSORS, background);
}

/* Time passes of which threads assist for a share of all processors; the last
 * hears of it at the end. */
static void pass(int64_t ns, double assists)
{
  now += (uint64_t)ns;
  limiter_add_gc(&limiter, (uint64_t)((double)ALL(ns) * assists));
}

static void advance(int64_t ns, double assists)
{
  pass(ns, assists);
  limiter_update(&limiter, now);
}

static void begin_gc(void)
{
  limiter_begin(&limiter, true, now);
  limiter_finish(&limiter, now);
}

static void end_gc(void)
{
  limiter_begin(&limiter, false, now);
  limiter_finish(&limiter, now);
}

static void check(int64_t fill, bool on, uint64_t overflow)
{
  ck_assert_int_eq(limiter.fill, fill);
  ck_assert(limiter_is_on(&limiter) == on);
  ck_assert_uint_eq(limiter.overflow, overflow);
}

/* ---- a life, in steps; each begins where the one before ended ---- */

/* The program alone never fills it. */
static void live_without_collecting(uint64_t overflow)
{
  static const int64_t spans[] = {10 * MS, SECOND, HOUR};
  for (int i = 0; i < 3; i++) {
    advance(spans[i], 0);
    check(0, false, overflow);
  }
}

static void become_due(void)
{
  advance(0, 0);
  pass(LIMITER_PERIOD_NS / 2, 0);
  ck_assert(!limiter_is_due(&limiter, now));
  pass(LIMITER_PERIOD_NS, 0);
  ck_assert(limiter_is_due(&limiter, now));
  limiter_update(&limiter, now);
  ck_assert(!limiter_is_due(&limiter, now));
}

/* While a cycle begins, all processors are the collector's. */
static void start_a_cycle(uint64_t overflow)
{
  const int64_t takes = 2 * MS + 1000;
  pass(109 * MS, 0);
  limiter_begin(&limiter, true, now);
  pass(takes, 0);
  limiter_finish(&limiter, now);
  check(ALL(takes), false, overflow);
}

/* Marking takes a quarter, so the bucket empties at half speed. */
static void mark_without_assists(uint64_t overflow)
{
  advance(2 * (limiter.fill - PROCESSORS) / PROCESSORS, 0);
  check(PROCESSORS, false, overflow);
  advance(2 * ALL(SECOND), 0);
  check(0, false, overflow);
}

static void mark_with_assists(uint64_t overflow)
{
  advance(10 * MS, 0.25); /* half of all is the collector's: no change */
  check(0, false, overflow);
  advance(MS, 0.75);
  check(ALL(MS), false, overflow);
  advance(999 * MS, 0.75); /* to the brim */
  check(limiter.capacity, true, overflow);
  advance(SECOND, 0.25); /* and it stays there */
  check(limiter.capacity, true, overflow);
  advance(SECOND, 0);
  check(limiter.capacity / 2, false, overflow);
  advance(SECOND, 0.75); /* half of it runs over */
  check(limiter.capacity, true, overflow + ALL(SECOND) / 2);
}

static void end_the_cycle(uint64_t overflow)
{
  pass(MS, 0.75);
  limiter_begin(&limiter, false, now);
  check(limiter.capacity, true, overflow + ALL(MS));
  pass(5 * MS, 0);
  limiter_finish(&limiter, now);
  check(limiter.capacity, true, overflow + ALL(6 * MS));
}

static void change_the_machine(uint64_t overflow)
{
  limiter_set_processors(&limiter, now, 24);
  check(ALL(SECOND), false, overflow);
  limiter_set_processors(&limiter, now, 4);
  check(4 * SECOND, true, overflow);
  now += (uint64_t)(PROCESSORS * SECOND);
  limiter_set_processors(&limiter, now, PROCESSORS);
  check(0, false, overflow);
}

START_TEST(a_life)
{
  uint64_t overflow = 0;
  for (int i = 0; i < 2; i++) {
    live_without_collecting(overflow);
    become_due();
    start_a_cycle(overflow);
    mark_without_assists(overflow);
    mark_with_assists(overflow);
    overflow += ALL(SECOND) / 2;
    end_the_cycle(overflow);
    overflow += ALL(6 * MS);
    change_the_machine(overflow);
  }
}
END_TEST

/* ---- what a life leaves out ---- */

START_TEST(idle_processors_are_not_the_programs)
{
  begin_gc();
  /* A quarter marks, half is idle, a quarter is the program's. */
  limiter_add_idle(&limiter, (uint64_t)ALL(100 * MS) / 2);
  advance(100 * MS, 0);
  check(0, false, 0);
  limiter_add_idle(&limiter, (uint64_t)ALL(100 * MS) * 3 / 4);
  advance(100 * MS, 0);
  check(ALL(25 * MS), false, 0);
}
END_TEST

/* A program that waits lets nothing out, however long. */
START_TEST(idle_time_lets_nothing_out)
{
  begin_gc();
  advance(2 * SECOND, 0.75);
  limiter_add_idle(&limiter, (uint64_t)ALL(SECOND) * 3 / 4);
  advance(SECOND, 0);
  ck_assert(limiter_is_on(&limiter));
  end_gc();
  limiter_add_idle(&limiter, (uint64_t)ALL(HOUR));
  advance(HOUR, 0);
  ck_assert(limiter_is_on(&limiter));
  check(limiter.capacity, true, limiter.overflow);
  advance(1, 0);
  ck_assert(!limiter_is_on(&limiter));
}
END_TEST

/* An assist that began before the last update is told whole after it. */
START_TEST(more_may_be_told_than_has_passed)
{
  begin_gc();
  advance(10 * MS, 1.5);
  check(2 * ALL(15 * MS) + ALL(10 * MS) / 2 - ALL(10 * MS), false, 0);
}
END_TEST

START_TEST(marking_that_is_told_counts_once)
{
  limiter_init(&limiter, now, PROCESSORS, 0);
  begin_gc();
  advance(10 * MS, 0.5);
  check(0, false, 0);
  advance(10 * MS, 0.75);
  check(ALL(5 * MS), false, 0);
}
END_TEST

static void fill_it(void)
{
  begin_gc();
  advance(2 * SECOND, 0.75);
  ck_assert(limiter_is_on(&limiter));
}

START_TEST(the_cycle_in_which_it_went_on_is_known)
{
  ck_assert_uint_eq(limiter_last_on(&limiter), 0);
  fill_it();
  ck_assert_uint_eq(limiter_last_on(&limiter), 1);
  end_gc();
  begin_gc();
  advance(MS, 0.75); /* is still on: no news */
  ck_assert_uint_eq(limiter_last_on(&limiter), 1);
  end_gc();
  advance(HOUR, 0);
  ck_assert_uint_eq(limiter_last_on(&limiter), 1);
  fill_it();
  ck_assert_uint_eq(limiter_last_on(&limiter), 3);
}
END_TEST

START_TEST(a_clock_that_goes_back_stands_still)
{
  fill_it();
  uint64_t overflow = limiter.overflow;
  uint64_t before = now;
  now -= (uint64_t)SECOND;
  limiter_update(&limiter, now);
  ck_assert(!limiter_is_due(&limiter, now));
  check(limiter.capacity, true, overflow);
  now = before;
  limiter_update(&limiter, now);
  check(limiter.capacity, true, overflow);
}
END_TEST

START_TEST(figures_beyond_reason_stay_in_bounds)
{
  begin_gc();
  limiter_add_gc(&limiter, UINT64_MAX);
  limiter_add_idle(&limiter, UINT64_MAX);
  limiter_update(&limiter, UINT64_MAX);
  ck_assert_int_ge(limiter.fill, 0);
  ck_assert_int_le(limiter.fill, limiter.capacity);
  limiter_update(&limiter, 0);
  ck_assert_int_le(limiter.fill, limiter.capacity);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, TIMES = 100000 };

/* The first updates, and the clock stands still for it; the others assist. */
static void assist_or_update(unsigned index)
{
  for (int i = 0; i < TIMES; i++) {
    if (index == 0)
      limiter_update(&limiter, now);
    else if (!limiter_is_on(&limiter))
      limiter_add_gc(&limiter, 1);
  }
}

START_TEST(what_is_told_during_an_update_is_not_lost)
{
  fixture_threads(THREADS, assist_or_update);
  limiter_update(&limiter, now);
  /* Each nanosecond told counts twice: as the collector's, and not as the
   * program's. */
  check(2 * (THREADS - 1) * TIMES, false, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("limiter");
  TCase *cases = tcase_create("limiter");
  tcase_add_checked_fixture(cases, set_up, NULL);
  tcase_add_test(cases, a_life);
  tcase_add_test(cases, idle_processors_are_not_the_programs);
  tcase_add_test(cases, idle_time_lets_nothing_out);
  tcase_add_test(cases, more_may_be_told_than_has_passed);
  tcase_add_test(cases, marking_that_is_told_counts_once);
  tcase_add_test(cases, the_cycle_in_which_it_went_on_is_known);
  tcase_add_test(cases, a_clock_that_goes_back_stands_still);
  tcase_add_test(cases, figures_beyond_reason_stay_in_bounds);
  tcase_add_test(cases, what_is_told_during_an_update_is_not_lost);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
