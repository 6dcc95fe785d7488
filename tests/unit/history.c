/* SPDX-License-Identifier: MIT */
/* Test of event/history.c: sums of all cycles, and the last ones in a ring. */
#include "unit.h"

#include "fixture.h"
#include "event/history.h"

#include <sched.h>

static struct history history;

static void set_up(void)
{
  history_init(&history);
}

static void tear_down(void)
{
  history_destroy(&history);
}

/* Cycle `n`, from 1. */
static struct history_entry entry(uint64_t n)
{
  return (struct history_entry){
      .forced = n % 3 == 0,
      .pause_ns = n * 1000,
      .end = n + 50,
      .assist_ns = n * 7,
      .worker_ns = n * 13,
      .idle_ns = n * 17,
      .other_ns = n * 19,
      .marked = n * 23,
      .stack_bytes = n * 11,
  };
}

static void add(uint64_t n)
{
  struct history_entry e = entry(n);
  history_add(&history, &e);
}

START_TEST(before_the_first_cycle_all_is_zero)
{
  ck_assert_uint_eq(history.sums.cycles, 0);
  ck_assert_uint_eq(history.sums.forced, 0);
  ck_assert_uint_eq(history.sums.pause_ns, 0);
  ck_assert_uint_eq(history.sums.last_end, 0);
  ck_assert_uint_eq(history.pause_ns[0], 0);
}
END_TEST

START_TEST(sums_and_last_values)
{
  for (uint64_t n = 1; n <= 10; n++)
    add(n);
  ck_assert_uint_eq(history.sums.cycles, 10);
  ck_assert_uint_eq(history.sums.forced, 3);
  ck_assert_uint_eq(history.sums.pause_ns, 55 * 1000);
  ck_assert_uint_eq(history.sums.assist_ns, 55 * 7);
  ck_assert_uint_eq(history.sums.worker_ns, 55 * 13);
  ck_assert_uint_eq(history.sums.idle_ns, 55 * 17);
  ck_assert_uint_eq(history.sums.other_ns, 55 * 19);
  ck_assert_uint_eq(history.sums.marked, 230);
  ck_assert_uint_eq(history.sums.last_end, 60);
  ck_assert_uint_eq(history.sums.stack_bytes, 110);
}
END_TEST

/* Cycle number n is at (n - 1) % HISTORY_CYCLES. */
START_TEST(the_ring_keeps_the_last_cycles)
{
  const uint64_t last = 2 * HISTORY_CYCLES + 5;
  for (uint64_t n = 1; n <= last; n++)
    add(n);
  for (uint64_t n = last - HISTORY_CYCLES + 1; n <= last; n++) {
    ck_assert_uint_eq(history.pause_ns[(n - 1) % HISTORY_CYCLES], n * 1000);
    ck_assert_uint_eq(history.pause_end[(n - 1) % HISTORY_CYCLES], n + 50);
  }
}
END_TEST

/* Who reads under the lock sees whole cycles. */
enum { CYCLES = 20000 };
static uint32_t torn; /* atomic */

static void add_or_read(unsigned index)
{
  if (index == 0) {
    for (uint64_t n = 1; n <= CYCLES; n++)
      add(n);
    return;
  }
  for (uint64_t seen = 0; seen < CYCLES;) {
    lock_acquire(&history.lock);
    seen = history.sums.cycles;
    if (history.sums.pause_ns != seen * (seen + 1) / 2 * 1000 ||
        (seen && history.sums.last_end != seen + 50))
      ADD_RELAXED(&torn, 1);
    lock_release(&history.lock);
    sched_yield();
  }
}

START_TEST(readers_see_whole_cycles)
{
  fixture_threads(3, add_or_read);
  ck_assert_uint_eq(torn, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("history");
  TCase *cases = tcase_create("history");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, before_the_first_cycle_all_is_zero);
  tcase_add_test(cases, sums_and_last_values);
  tcase_add_test(cases, the_ring_keeps_the_last_cycles);
  tcase_add_test(cases, readers_see_whole_cycles);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
