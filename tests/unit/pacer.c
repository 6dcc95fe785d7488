/* SPDX-License-Identifier: MIT */
/* Test of pace/pacer.h: each function on figures worked out by hand.  What sets
 * the policies apart, and figures that no program would give, are in
 * tests/unit/policy.c; whole programs in tests/sim/pacer.c. */
#include "unit.h"

#include "pace/pacer.h"

#include <limits.h>
#include <math.h>

#define KIB(n) (UINT64_C(1024) * (n))
#define MIB(n) (UINT64_C(1048576) * (n))

enum { PROCESSORS = 8, CYCLE_NS = 1000000 };

static const struct pacer_memory no_memory = {0};

static uint64_t goal_of(const struct pacer *p)
{
  return pacer_goal(p, &no_memory);
}

static uint64_t trigger_of(const struct pacer *p)
{
  return pacer_trigger(p, &no_memory, NULL);
}

/* Workers alone marked. */
static void end(struct pacer *p, uint64_t marked, struct pacer_work work)
{
  pacer_end(p, &(struct pacer_cycle){
                   .duration_ns = CYCLE_NS,
                   .processors = PROCESSORS,
                   .marked = marked,
                   .done = work,
               });
}

/* A cycle that found so much, and in which nothing was allocated. */
static void find(struct pacer *p, uint64_t marked, struct pacer_work work)
{
  pacer_start(p, marked, work.heap, work.stack, work.globals);
  end(p, marked, work);
  pacer_commit(p, marked, true);
}

static struct pacer pacer_with(int gc_percent, int64_t limit, uint64_t marked)
{
  struct pacer p;
  pacer_init(&p, gc_percent, limit);
  find(&p, marked, (struct pacer_work){.heap = marked});
  return p;
}

/* 20 MiB live, all of it scanned; a cycle that began at 30, towards 40. */
static struct pacer pacer_in_cycle(void)
{
  struct pacer p = pacer_with(100, PACER_NO_LIMIT, MIB(20));
  pacer_start(&p, MIB(30), MIB(30), 0, 0);
  return p;
}

static void revise(struct pacer *p, uint64_t live, uint64_t scannable,
                   uint64_t done)
{
  pacer_revise(p, &no_memory, live, scannable,
               (struct pacer_work){.heap = done});
}

/* Left to scan and left to allocate, as the assists see it. */
static void expect_price(const struct pacer *p, uint64_t work, uint64_t bytes)
{
  ck_assert_double_eq(pacer_assist_work_per_byte(p),
                      (double)work / (double)bytes);
  ck_assert_double_eq(pacer_assist_bytes_per_work(p),
                      (double)bytes / (double)work);
}

/* ---- the goal ---- */

START_TEST(heap_minimum_follows_the_percent)
{
  ck_assert_uint_eq(pacer_heap_minimum(100), MIB(4));
  ck_assert_uint_eq(pacer_heap_minimum(50), MIB(2));
  ck_assert_uint_eq(pacer_heap_minimum(1), 41943);
  ck_assert_uint_eq(pacer_heap_minimum(0), 0);
  ck_assert_uint_eq(pacer_heap_minimum(PACER_OFF), 0);
  ck_assert_uint_eq(pacer_heap_minimum(INT_MAX), UINT64_C(90071992505466));
}
END_TEST

START_TEST(a_new_pacer_has_the_minimum_as_its_goal)
{
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  uint64_t goal;
  ck_assert_uint_eq(pacer_trigger(&p, &no_memory, &goal), 3997696);
  ck_assert_uint_eq(goal, MIB(4));
}
END_TEST

START_TEST(goal_grows_by_a_percent_of_all_that_was_scanned)
{
  const struct pacer_work work = {MIB(20), MIB(4), MIB(1)};
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  find(&p, MIB(20), work);
  ck_assert_uint_eq(goal_of(&p), MIB(45));

  ck_assert_int_eq(pacer_set_percent(&p, 50), 100);
  pacer_commit(&p, MIB(20), true);
  ck_assert_uint_eq(goal_of(&p), MIB(65) / 2);
}
END_TEST

START_TEST(goal_rounds_down_once)
{
  struct pacer p = pacer_with(75, PACER_NO_LIMIT, MIB(10) + 199);
  ck_assert_uint_eq(goal_of(&p), p.marked + p.marked * 75 / 100);
}
END_TEST

START_TEST(percent_0_collects_all_the_time)
{
  struct pacer p = pacer_with(0, PACER_NO_LIMIT, MIB(10));
  ck_assert_uint_eq(goal_of(&p), MIB(10));
  ck_assert_uint_eq(trigger_of(&p), MIB(10));
}
END_TEST

START_TEST(percent_0_leaves_a_cycle_the_least_runway)
{
  struct pacer p = pacer_with(0, PACER_NO_LIMIT, MIB(10));
  pacer_start(&p, MIB(10), MIB(10), 0, 0);
  ck_assert_uint_eq(goal_of(&p), MIB(10) + KIB(64));
  revise(&p, MIB(10), MIB(10), 0);
  expect_price(&p, MIB(10), KIB(64));
  /* The hard goal is the goal: growth is paid for with time alone. */
  revise(&p, MIB(10), MIB(40), MIB(11));
  expect_price(&p, MIB(40 - 11), KIB(64));
}
END_TEST

START_TEST(off_never_collects)
{
  struct pacer p = pacer_with(-7, PACER_NO_LIMIT, MIB(10));
  ck_assert_uint_eq(goal_of(&p), UINT64_MAX);
  ck_assert_uint_eq(trigger_of(&p), PACER_NO_TRIGGER);
  ck_assert_int_eq(pacer_set_percent(&p, 100), PACER_OFF);
  pacer_commit(&p, MIB(10), true);
  ck_assert_uint_eq(goal_of(&p), MIB(20));
}
END_TEST

START_TEST(a_huge_percent_does_not_wrap)
{
  struct pacer p = pacer_with(INT_MAX, PACER_NO_LIMIT, MIB(8));
  ck_assert_uint_eq(goal_of(&p), MIB(8) + MIB(8) * INT_MAX / 100);
  find(&p, UINT64_C(1) << 41, (struct pacer_work){0});
  ck_assert_uint_eq(goal_of(&p), UINT64_MAX);
}
END_TEST

START_TEST(goal_leaves_room_to_a_census)
{
  struct pacer p = pacer_with(5, PACER_NO_LIMIT, MIB(10));
  ck_assert_uint_eq(goal_of(&p), MIB(10) + MIB(10) * 5 / 100);
  pacer_commit(&p, MIB(10), false);
  ck_assert_uint_eq(goal_of(&p), MIB(11));
  ck_assert_uint_eq(trigger_of(&p), MIB(11));

  /* Below the goal, it still holds the trigger up. */
  pacer_set_percent(&p, 11);
  pacer_commit(&p, MIB(10), false);
  ck_assert_uint_eq(goal_of(&p), MIB(10) + MIB(10) * 11 / 100);
  ck_assert_uint_ge(trigger_of(&p), MIB(11));
}
END_TEST

/* ---- the memory limit ---- */

START_TEST(limit_goal_keeps_headroom)
{
  static const struct {
    int64_t limit;
    struct pacer_memory memory; /* mapped ready, heap free, heap alloc */
    uint64_t goal;
  } cases[] = {
      {(int64_t)MIB(512), {0, 0, 0}, 520764785},
      /* 30 MiB are not heap. */
      {(int64_t)MIB(512), {MIB(100), MIB(10), MIB(60)}, 490251224},
      /* 30 MiB are not heap and 16 are too much; at least 1 MiB of headroom. */
      {(int64_t)MIB(64), {MIB(80), 0, MIB(50)}, MIB(17)},
      /* Too little to keep headroom from: then as much as that. */
      {(int64_t)KIB(1536), {0, 0, 0}, MIB(1)},
      {(int64_t)KIB(10), {0, 0, 0}, MIB(1)},
      /* Nothing is left: what is live, and that is nothing. */
      {(int64_t)MIB(64), {MIB(90), 0, MIB(50)}, 0},
      {0, {0, 0, 0}, 0},
      /* Figures of different moments. */
      {(int64_t)MIB(512), {MIB(50), MIB(40), MIB(20)}, 520764785},
  };
  struct pacer p;
  pacer_init(&p, PACER_OFF, cases[_i].limit);
  ck_assert_uint_eq(pacer_goal(&p, &cases[_i].memory), cases[_i].goal);
}
END_TEST

enum { LIMIT_CASES = 8 };

START_TEST(limit_goal_is_not_below_live)
{
  struct pacer p = pacer_with(100, (int64_t)MIB(8), MIB(10));
  ck_assert_uint_eq(goal_of(&p), MIB(10));
  ck_assert_uint_eq(trigger_of(&p), MIB(10));
  ck_assert_int_eq(pacer_set_limit(&p, 0), (int64_t)MIB(8));
  ck_assert_uint_eq(goal_of(&p), MIB(10));
}
END_TEST

START_TEST(the_lower_of_both_goals_counts)
{
  struct pacer p = pacer_with(100, (int64_t)MIB(1024), MIB(10));
  ck_assert_uint_eq(goal_of(&p), MIB(20));
  ck_assert_int_eq(pacer_set_limit(&p, (int64_t)MIB(16)), MIB(1024));
  ck_assert_int_eq(pacer_set_limit(&p, -1), MIB(16)); /* only asks */
  ck_assert_uint_eq(goal_of(&p), MIB(15));
}
END_TEST

START_TEST(a_limit_does_not_wait_for_a_census)
{
  struct pacer p = pacer_with(100, (int64_t)MIB(16), MIB(15) - KIB(64));
  pacer_commit(&p, p.marked, false);
  ck_assert_uint_eq(goal_of(&p), MIB(15));
  ck_assert_uint_lt(trigger_of(&p), MIB(15));
  pacer_start(&p, MIB(15), MIB(15), 0, 0);
  ck_assert_uint_eq(goal_of(&p), MIB(15));
}
END_TEST

/* ---- the trigger ---- */

/* A cycle that allocated so much while it scanned all that is marked, by
 * workers alone.  What it allocated has died. */
static void allocate(struct pacer *p, uint64_t bytes)
{
  uint64_t marked = p->marked;
  pacer_start(p, marked, marked, 0, 0);
  revise(p, marked + bytes, marked, marked);
  end(p, marked, (struct pacer_work){.heap = marked});
  pacer_commit(p, marked, true);
}

START_TEST(trigger_leaves_what_the_last_cycle_allocated)
{
  struct pacer p = pacer_with(100, PACER_NO_LIMIT, MIB(64));
  allocate(&p, MIB(16));
  ck_assert_double_eq_tol(p.cons_mark, 16.0 / (3 * 64), 1e-12);
  ck_assert_uint_ge(p.runway + 1, MIB(16));
  ck_assert_uint_le(p.runway, MIB(16));
  ck_assert_uint_eq(trigger_of(&p), MIB(128) - p.runway);
}
END_TEST

START_TEST(trigger_is_not_too_early)
{
  struct pacer p = pacer_with(100, PACER_NO_LIMIT, MIB(64));
  allocate(&p, MIB(40));
  ck_assert_uint_eq(trigger_of(&p), MIB(64) + MIB(45));
  allocate(&p, MIB(4000));
  ck_assert_uint_gt(p.runway, goal_of(&p));
  ck_assert_uint_eq(trigger_of(&p), MIB(64) + MIB(45));
}
END_TEST

START_TEST(trigger_is_not_too_late)
{
  struct pacer small = pacer_with(100, PACER_NO_LIMIT, MIB(8));
  ck_assert_uint_eq(trigger_of(&small), MIB(8) + MIB(8) / 64 * 61);
  struct pacer large = pacer_with(100, PACER_NO_LIMIT, MIB(256));
  ck_assert_uint_eq(trigger_of(&large), MIB(512 - 4));
}
END_TEST

/* ---- assists ---- */

START_TEST(work_is_spread_over_the_bytes_to_the_goal)
{
  struct pacer p = pacer_in_cycle();
  revise(&p, MIB(30), MIB(30), 0);
  expect_price(&p, MIB(20), MIB(10));
  revise(&p, MIB(36), MIB(30), MIB(5));
  expect_price(&p, MIB(15), MIB(4));
}
END_TEST

START_TEST(all_kinds_of_work_count)
{
  const struct pacer_work last = {MIB(20), MIB(3), MIB(1)};
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  find(&p, MIB(20), last);
  ck_assert_uint_eq(goal_of(&p), MIB(44));
  pacer_start(&p, MIB(40), MIB(40), MIB(5), MIB(2));
  pacer_revise(&p, &no_memory, MIB(40), MIB(40),
               (struct pacer_work){MIB(10), MIB(2), MIB(1)});
  expect_price(&p, MIB(20 + 3 + 2 - 13), MIB(4));
}
END_TEST

START_TEST(more_work_than_expected_moves_the_goal_in_proportion)
{
  struct pacer p = pacer_in_cycle();
  revise(&p, MIB(35), MIB(30), MIB(20));
  expect_price(&p, 1000, MIB(5)); /* just as expected, and none left */
  revise(&p, MIB(35), MIB(30), MIB(25));
  expect_price(&p, MIB(30 - 25), MIB(45 - 35));
}
END_TEST

START_TEST(the_goal_moves_no_further_than_the_hard_goal)
{
  struct pacer p = pacer_in_cycle();
  revise(&p, MIB(35), MIB(400), MIB(25));
  expect_price(&p, MIB(400 - 25), MIB(80 - 35));
  pacer_set_percent(&p, 50);
  pacer_commit(&p, MIB(35), true);
  /* The goal is 30 MiB and 64 KiB now, the hard goal half as much again. */
  revise(&p, MIB(35), MIB(40000), MIB(25));
  expect_price(&p, MIB(40000 - 25), MIB(45) + KIB(96) - MIB(35));
}
END_TEST

START_TEST(beyond_the_goal_there_is_a_tenth_more)
{
  struct pacer p = pacer_in_cycle();
  revise(&p, MIB(40), MIB(30), MIB(10));
  expect_price(&p, MIB(10), 1);
  revise(&p, MIB(41), MIB(30), MIB(10));
  expect_price(&p, MIB(30 - 10), MIB(44 - 41));
  revise(&p, MIB(100), MIB(30), MIB(10));
  expect_price(&p, MIB(30 - 10), 1);
}
END_TEST

START_TEST(a_first_cycle_expects_nothing_and_is_patient)
{
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  pacer_start(&p, MIB(3), MIB(3), 0, 0);
  revise(&p, MIB(3), MIB(3), 0);
  expect_price(&p, 1000, MIB(1));
  revise(&p, MIB(3), MIB(3), MIB(1));
  expect_price(&p, MIB(2), MIB(8 - 3));
}
END_TEST

START_TEST(a_cycle_while_off_asks_next_to_nothing)
{
  struct pacer p = pacer_with(PACER_OFF, PACER_NO_LIMIT, MIB(10));
  pacer_start(&p, MIB(30), MIB(30), 0, 0);
  revise(&p, MIB(30), MIB(30), 0);
  expect_price(&p, MIB(10), INT64_MAX - MIB(30));
  revise(&p, MIB(30), MIB(30), MIB(20));
  expect_price(&p, MIB(10), INT64_MAX - MIB(30));
}
END_TEST

START_TEST(a_new_percent_holds_at_once)
{
  struct pacer p = pacer_in_cycle();
  pacer_set_percent(&p, 200);
  pacer_commit(&p, MIB(32), true);
  ck_assert_uint_eq(goal_of(&p), MIB(60));
  revise(&p, MIB(32), MIB(30), 0);
  expect_price(&p, MIB(20), MIB(60 - 32));
  pacer_set_percent(&p, 1);
  pacer_commit(&p, MIB(32), true);
  ck_assert_uint_eq(goal_of(&p), MIB(30) + KIB(64));
}
END_TEST

/* ---- the end of a cycle ---- */

START_TEST(the_end_starts_the_next_count)
{
  const struct pacer_work work = {MIB(18), MIB(2), MIB(1)};
  struct pacer p = pacer_in_cycle();
  pacer_revise(&p, &no_memory, MIB(36), MIB(30), work);
  end(&p, MIB(50), work);
  ck_assert_uint_eq(p.triggered, PACER_NO_TRIGGER);
  ck_assert_uint_eq(p.marked, MIB(50));
  ck_assert_uint_eq(p.live, MIB(50));
  ck_assert_uint_eq(p.scannable, MIB(18));
  ck_assert_uint_eq(p.last_heap_scan, MIB(18));
  ck_assert_uint_eq(p.last_stack_scan, MIB(2));

  /* The goal is still the old one. */
  ck_assert_uint_eq(trigger_of(&p), MIB(40));
  pacer_commit(&p, MIB(50), true);
  ck_assert_uint_eq(goal_of(&p), MIB(50 + 50 + 2));
}
END_TEST

/* After one cycle that allocated 6 MiB and scanned 20. */
static struct pacer measured(uint64_t assist_ns, uint64_t idle_ns,
                             uint64_t duration_ns)
{
  struct pacer p = pacer_in_cycle();
  revise(&p, MIB(36), MIB(30), MIB(20));
  pacer_end(&p, &(struct pacer_cycle){
                    .assist_ns = assist_ns,
                    .idle_ns = idle_ns,
                    .duration_ns = duration_ns,
                    .processors = PROCESSORS,
                    .marked = MIB(20),
                    .done = {.heap = MIB(20)},
                });
  pacer_commit(&p, MIB(20), true);
  return p;
}

START_TEST(cons_mark_is_for_equal_shares_of_the_processors)
{
  static const struct {
    uint64_t assist_ns, idle_ns, duration_ns;
    double marking, program;
  } cases[] = {
      {0, 0, CYCLE_NS, 0.25, 0.75},
      {2 * CYCLE_NS, 0, CYCLE_NS, 0.5, 0.5},
      {2 * CYCLE_NS, CYCLE_NS, CYCLE_NS, 0.625, 0.5},
      {5, 5, 0, 0.25, 0.75}, /* too short for the clock */
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pacer p =
        measured(cases[i].assist_ns, cases[i].idle_ns, cases[i].duration_ns);
    double ratio = 6 * cases[i].marking / (20 * cases[i].program);
    ck_assert_double_eq_tol(p.cons_mark, ratio, 1e-12);
  }
}
END_TEST

START_TEST(cons_mark_remembers_four_cycles)
{
  struct pacer p = pacer_with(100, PACER_NO_LIMIT, MIB(64));
  allocate(&p, MIB(12));
  double most = p.cons_mark;
  for (unsigned i = 0; i < PACER_HISTORY; i++) {
    allocate(&p, MIB(3));
    ck_assert_double_eq(p.cons_mark, most);
  }
  allocate(&p, MIB(3));
  ck_assert_double_eq_tol(p.cons_mark, most / 4, 1e-12);
  allocate(&p, MIB(24));
  ck_assert_double_eq_tol(p.cons_mark, most * 2, 1e-12);
}
END_TEST

START_TEST(a_cycle_without_allocation_or_work_measures_nothing)
{
  struct pacer p = pacer_with(100, PACER_NO_LIMIT, MIB(64));
  allocate(&p, MIB(12));
  double known = p.cons_mark;
  for (unsigned i = 0; i < 2 * PACER_HISTORY; i++) {
    allocate(&p, 0);
    ck_assert_double_eq(p.cons_mark, known);
  }
  find(&p, 0, (struct pacer_work){0});
  allocate(&p, MIB(12));
  ck_assert_double_eq(p.cons_mark, known);
}
END_TEST

START_TEST(a_cycle_that_takes_all_processors_stays_finite)
{
  for (unsigned processors = 6; processors < 10; processors++) {
    struct pacer p = measured(processors * CYCLE_NS, 0, CYCLE_NS);
    ck_assert_double_finite(p.cons_mark);
    ck_assert_uint_eq(trigger_of(&p), MIB(20) + MIB(20) / 64 * 45);
  }
}
END_TEST

/* ---- workers ---- */

START_TEST(workers_are_a_quarter_of_the_processors)
{
  static const unsigned dedicated[] = {0, 0, 0, 0, 1, 1, 1, 2, 2,
                                       2, 3, 3, 3, 3, 4, 4, 4};
  for (unsigned n = 1; n <= 16; n++) {
    struct pacer_workers workers = pacer_workers(n);
    double fractional = n < 4 ? 0.25 : n == 6 ? 0.5 / 6 : 0;
    ck_assert_uint_eq(workers.dedicated, dedicated[n]);
    ck_assert_double_eq_tol(workers.fractional, fractional, 1e-12);
  }
  ck_assert_uint_eq(pacer_workers(1024).dedicated, 256);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pacer");
  TCase *cases = tcase_create("pacer");
  tcase_add_test(cases, heap_minimum_follows_the_percent);
  tcase_add_test(cases, a_new_pacer_has_the_minimum_as_its_goal);
  tcase_add_test(cases, goal_grows_by_a_percent_of_all_that_was_scanned);
  tcase_add_test(cases, goal_rounds_down_once);
  tcase_add_test(cases, percent_0_collects_all_the_time);
  tcase_add_test(cases, percent_0_leaves_a_cycle_the_least_runway);
  tcase_add_test(cases, off_never_collects);
  tcase_add_test(cases, a_huge_percent_does_not_wrap);
  tcase_add_test(cases, goal_leaves_room_to_a_census);
  tcase_add_loop_test(cases, limit_goal_keeps_headroom, 0, LIMIT_CASES);
  tcase_add_test(cases, limit_goal_is_not_below_live);
  tcase_add_test(cases, the_lower_of_both_goals_counts);
  tcase_add_test(cases, a_limit_does_not_wait_for_a_census);
  tcase_add_test(cases, trigger_leaves_what_the_last_cycle_allocated);
  tcase_add_test(cases, trigger_is_not_too_early);
  tcase_add_test(cases, trigger_is_not_too_late);
  tcase_add_test(cases, work_is_spread_over_the_bytes_to_the_goal);
  tcase_add_test(cases, all_kinds_of_work_count);
  tcase_add_test(cases, more_work_than_expected_moves_the_goal_in_proportion);
  tcase_add_test(cases, the_goal_moves_no_further_than_the_hard_goal);
  tcase_add_test(cases, beyond_the_goal_there_is_a_tenth_more);
  tcase_add_test(cases, a_first_cycle_expects_nothing_and_is_patient);
  tcase_add_test(cases, a_cycle_while_off_asks_next_to_nothing);
  tcase_add_test(cases, a_new_percent_holds_at_once);
  tcase_add_test(cases, the_end_starts_the_next_count);
  tcase_add_test(cases, cons_mark_is_for_equal_shares_of_the_processors);
  tcase_add_test(cases, cons_mark_remembers_four_cycles);
  tcase_add_test(cases, a_cycle_without_allocation_or_work_measures_nothing);
  tcase_add_test(cases, a_cycle_that_takes_all_processors_stays_finite);
  tcase_add_test(cases, workers_are_a_quarter_of_the_processors);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
