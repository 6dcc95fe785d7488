/* SPDX-License-Identifier: MIT */
/* Test of event/counters.c: sums by class, and two epochs' worth of what
 * threads have taken. */
#include "unit.h"

#include "fixture.h"
#include "event/counters.h"

/* ---- tallies ---- */

START_TEST(an_empty_tally)
{
  struct tally tally = {0};
  ck_assert_uint_eq(tally_objects(&tally), 0);
  ck_assert_uint_eq(tally_bytes(&tally), 0);
}
END_TEST

START_TEST(bytes_follow_from_classes)
{
  struct tally tally = {0};
  uint64_t objects = 0, bytes = 0;
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    tally_add(&tally, c, c + 1, 0);
    objects += c + 1;
    bytes += (c + 1) * dusk_class_size(c);
  }
  ck_assert_uint_eq(tally_objects(&tally), objects);
  ck_assert_uint_eq(tally_bytes(&tally), bytes);
  tally_add(&tally, COUNTER_LARGE, 2, 123456);
  ck_assert_uint_eq(tally_objects(&tally), objects + 2);
  ck_assert_uint_eq(tally_bytes(&tally), bytes + 123456);
}
END_TEST

START_TEST(folding_adds_row_by_row)
{
  struct tally sum = {0}, tally = {0};
  for (unsigned i = 0; i < COUNTER_ROWS; i++) {
    tally_add(&sum, i, 100, 0);
    tally_add(&tally, i, i, i == COUNTER_LARGE ? 50 : 0);
  }
  tally_fold(&sum, &tally);
  tally_fold(&sum, &tally);
  for (unsigned i = 0; i < COUNTER_ROWS; i++) {
    ck_assert_uint_eq(sum.objects[i], 100 + 2 * i);
    ck_assert_uint_eq(tally.objects[i], i);
  }
  ck_assert_uint_eq(sum.large_bytes, 100);
}
END_TEST

/* A thread's objects are what it took less what it has left: rows may go down,
 * by adding a negative number. */
START_TEST(a_row_may_go_down)
{
  struct tally tally = {0};
  tally_add(&tally, 3, 10, 0);
  tally_add(&tally, 3, (uint64_t)-4, 0);
  ck_assert_uint_eq(tally_objects(&tally), 6);
}
END_TEST

/* ---- flow ---- */

static struct flow flow;

static void check_flow(uint64_t live, uint64_t scannable)
{
  ck_assert_uint_eq(flow_live(&flow), live);
  ck_assert_uint_eq(flow_scannable(&flow), scannable);
}

START_TEST(what_is_taken_is_live)
{
  check_flow(0, 0);
  flow_take(&flow, 1, 100, false);
  check_flow(100, 0);
  flow_take(&flow, 1, 30, true);
  check_flow(130, 30);
  flow_untake(&flow, 1, 10, true);
  check_flow(120, 20);
  flow_untake(&flow, 1, 50, false);
  check_flow(70, 20);
}
END_TEST

/* Cycle of epoch 7: threads that have served H4 take for epoch 8 before the
 * census is done. */
START_TEST(the_census_replaces_what_it_counted_and_keeps_what_came_since)
{
  flow_take(&flow, 7, 1000, true);
  flow_take(&flow, 8, 10, true);
  flow_take(&flow, 8, 5, false);
  check_flow(1015, 1010);
  flow_count(&flow, 8, 600, 400);
  check_flow(615, 410);
  flow_take(&flow, 8, 1, true);
  check_flow(616, 411);
  flow_take(&flow, 9, 3, true);
  flow_count(&flow, 9, 500, 100);
  check_flow(503, 103);
}
END_TEST

enum { TIMES = 20000 };

static void take_and_give(unsigned index)
{
  for (uint32_t i = 0; i < TIMES; i++) {
    flow_take(&flow, i, 3, index % 2);
    flow_untake(&flow, i, 1, index % 2);
  }
}

START_TEST(nothing_is_lost_among_threads)
{
  fixture_threads(4, take_and_give);
  check_flow(4 * TIMES * 2, 2 * TIMES * 2);
  ck_assert_uint_eq(flow.taken[0], flow.taken[1]);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("counters");
  TCase *cases = tcase_create("counters");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, an_empty_tally);
  tcase_add_test(cases, bytes_follow_from_classes);
  tcase_add_test(cases, folding_adds_row_by_row);
  tcase_add_test(cases, a_row_may_go_down);
  tcase_add_test(cases, what_is_taken_is_live);
  tcase_add_test(cases,
                 the_census_replaces_what_it_counted_and_keeps_what_came_since);
  tcase_add_test(cases, nothing_is_lost_among_threads);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
