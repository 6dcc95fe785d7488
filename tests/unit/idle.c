/* SPDX-License-Identifier: MIT */
/* Test of collect/idle.c: who is let in. */
#include "unit.h"

#include "fixture.h"
#include "collect/idle.h"

static struct idle idle;

static void set_up(void)
{
  idle = (struct idle){0};
}

static void enter(unsigned times)
{
  for (unsigned i = 0; i < times; i++)
    ck_assert(idle_enter(&idle));
}

static void leave(unsigned times)
{
  for (unsigned i = 0; i < times; i++)
    idle_leave(&idle);
}

START_TEST(at_first_nobody_may)
{
  ck_assert(!idle_enter(&idle));
  ck_assert_uint_eq(idle_count(&idle), 0);
  ck_assert_uint_eq(idle_max(&idle), 0);
}
END_TEST

START_TEST(the_eleventh_of_ten_is_refused)
{
  idle_set_max(&idle, 10);
  enter(10);
  ck_assert(!idle_enter(&idle));
  ck_assert_uint_eq(idle_count(&idle), 10);
}
END_TEST

START_TEST(who_leaves_makes_room_for_one)
{
  idle_set_max(&idle, 10);
  enter(10);
  for (unsigned i = 1; i <= 10; i++) {
    leave(i);
    ck_assert_uint_eq(idle_count(&idle), 10 - i);
    enter(i);
    ck_assert(!idle_enter(&idle));
  }
  leave(10);
  ck_assert_uint_eq(idle_count(&idle), 0);
}
END_TEST

/* Those who are in when the most is lowered stay, and nobody follows. */
START_TEST(a_most_below_the_count_refuses)
{
  idle_set_max(&idle, 10);
  enter(10);
  idle_set_max(&idle, 0);
  ck_assert_uint_eq(idle_count(&idle), 10);
  for (unsigned i = 0; i < 10; i++) {
    ck_assert(!idle_enter(&idle));
    leave(1);
  }
  ck_assert_uint_eq(idle_count(&idle), 0);
  ck_assert(!idle_enter(&idle));
}
END_TEST

START_TEST(a_most_of_one_lets_one_in)
{
  idle_set_max(&idle, 0);
  idle_set_max(&idle, 1);
  enter(1);
  ck_assert(!idle_enter(&idle));
  leave(1);
  enter(1);
  ck_assert(!idle_enter(&idle));
}
END_TEST

START_TEST(a_most_may_be_any_number)
{
  idle_set_max(&idle, UINT32_MAX);
  enter(3);
  ck_assert_uint_eq(idle_max(&idle), UINT32_MAX);
  ck_assert_uint_eq(idle_count(&idle), 3);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, MOST = 2, TIMES = 50000 };

static uint32_t inside;
static uint32_t most_inside;
static uint32_t entered;

static void come_and_go(unsigned index)
{
  for (int i = 0; i < TIMES; i++) {
    if (index == 0)
      idle_set_max(&idle, i % 2 ? MOST : MOST - 1);
    if (!idle_enter(&idle))
      continue;
    uint32_t now = ADD_RELAXED(&inside, 1) + 1;
    if (now > LOAD_RELAXED(&most_inside))
      STORE_RELAXED(&most_inside, now);
    ADD_RELAXED(&entered, 1);
    SUB_RELAXED(&inside, 1);
    idle_leave(&idle);
  }
}

START_TEST(never_more_than_may)
{
  idle_set_max(&idle, MOST);
  fixture_threads(THREADS, come_and_go);
  ck_assert_uint_eq(idle_count(&idle), 0);
  ck_assert_uint_gt(entered, 0);
  ck_assert_uint_le(most_inside, MOST);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("idle");
  TCase *cases = tcase_create("idle");
  tcase_add_checked_fixture(cases, set_up, NULL);
  tcase_add_test(cases, at_first_nobody_may);
  tcase_add_test(cases, the_eleventh_of_ten_is_refused);
  tcase_add_test(cases, who_leaves_makes_room_for_one);
  tcase_add_test(cases, a_most_below_the_count_refuses);
  tcase_add_test(cases, a_most_of_one_lets_one_in);
  tcase_add_test(cases, a_most_may_be_any_number);
  tcase_add_test(cases, never_more_than_may);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
