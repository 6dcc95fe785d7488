/* SPDX-License-Identifier: MIT */
/* Test of pace/balance.h: the square-root rule on figures worked out by hand,
 * and that no figures take it beyond its clamps. */
#include "unit.h"

#include "pace/balance.h"

#include <math.h>

#define MIB(n) (UINT64_C(1048576) * (n))
#define SECONDS(n) (UINT64_C(1000000000) * (n))

/* 64 MiB are marked in a second. */
static struct balance balance_of(uint64_t bytes_a_second)
{
  struct balance b = {0};
  balance_note(&b, &(struct balance_cycle){
                       .allocated = bytes_a_second * 10,
                       .interval_ns = SECONDS(10),
                       .work = MIB(64),
                       .marking_ns = 1e9,
                   });
  return b;
}

START_TEST(nothing_is_known_before_a_cycle_was_measured)
{
  struct balance b = {0};
  ck_assert(!balance_is_known(&b));
  balance_note(&b, &(struct balance_cycle){.allocated = 1, .work = 1});
  ck_assert(!balance_is_known(&b));
  balance_note(&b, &(struct balance_cycle){.work = 1, .marking_ns = 1});
  ck_assert(!balance_is_known(&b));
  balance_note(&b, &(struct balance_cycle){.allocated = 1, .interval_ns = 1});
  ck_assert(balance_is_known(&b));
}
END_TEST

START_TEST(the_reference_heap_grows_by_the_percent)
{
  struct balance b = balance_of(MIB(8));
  ck_assert_uint_eq(balance_extra(&b, MIB(64), 100), MIB(64));
  ck_assert_uint_eq(balance_extra(&b, MIB(64), 50), MIB(32));
  ck_assert_uint_eq(balance_extra(&b, MIB(64), 0), 0);
}
END_TEST

START_TEST(four_times_live_or_pace_is_twice_as_much)
{
  struct balance b = balance_of(MIB(8));
  struct balance fast = balance_of(MIB(32));
  ck_assert_uint_eq(balance_extra(&b, MIB(256), 100), MIB(128));
  ck_assert_uint_eq(balance_extra(&b, MIB(16), 100), MIB(32));
  ck_assert_uint_eq(balance_extra(&fast, MIB(64), 100), MIB(128));
  ck_assert_double_eq_tol(balance_weight(&fast, MIB(64), 0, 0),
                          2 * balance_weight(&b, MIB(64), 0, 0), 1e-6);
}
END_TEST

START_TEST(extra_is_clamped)
{
  struct balance idle = balance_of(1);
  ck_assert_uint_eq(balance_extra(&idle, MIB(64), 100), MIB(4));
  ck_assert_uint_eq(balance_extra(&idle, MIB(64), 200), MIB(8));
  struct balance mad = balance_of(UINT64_C(1) << 58);
  ck_assert_uint_eq(balance_extra(&mad, MIB(64), 100), MIB(64 * 16));
  ck_assert_uint_eq(balance_extra(&mad, MIB(1), 100), MIB(4 * 16));
  ck_assert_uint_eq(balance_extra(&mad, 0, 100), 0);
}
END_TEST

START_TEST(a_cycle_counts_twice_the_one_before)
{
  struct balance b = balance_of(MIB(8));
  balance_note(&b, &(struct balance_cycle){
                       .allocated = MIB(320),
                       .interval_ns = SECONDS(10),
                   });
  /* (8 / 2 + 32) MiB/s over 1.5 intervals. */
  double pace = (4.0 + 32) / 1.5 / 64;
  ck_assert_double_eq_tol(balance_weight(&b, 100, 0, 0), sqrt(100 * pace),
                          1e-9);
}
END_TEST

START_TEST(a_heap_that_falls_idle_loses_weight_with_time)
{
  struct balance b = balance_of(MIB(8));
  double busy = balance_weight(&b, MIB(64), 0, 0);
  ck_assert_double_eq_tol(balance_weight(&b, MIB(64), 0, SECONDS(30)), busy / 2,
                          1e-6);
  /* One that goes on as before does not. */
  ck_assert_double_eq_tol(balance_weight(&b, MIB(64), MIB(240), SECONDS(30)),
                          busy, 1e-6);
}
END_TEST

START_TEST(no_figures_upset_it)
{
  uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
  struct balance b = {0};
  for (unsigned i = 0; i < 20000; i++) {
    uint64_t words[6];
    for (unsigned j = 0; j < 6; j++) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      words[j] = state >> 2 >> (state % 62);
    }
    balance_note(&b, &(struct balance_cycle){
                         .allocated = words[0],
                         .interval_ns = words[1],
                         .work = words[2],
                         .marking_ns = (double)words[3],
                     });
    if (!balance_is_known(&b))
      continue;
    double weight = balance_weight(&b, words[4], words[5], words[0]);
    ck_assert_double_finite(weight);
    ck_assert_double_ge(weight, 0);
    uint64_t extra = balance_extra(&b, words[4], 100);
    ck_assert_uint_ge(extra + 4096, words[4] / 16);
    ck_assert_uint_le(extra, UINT64_C(1) << 62);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("balance");
  TCase *cases = tcase_create("balance");
  tcase_add_test(cases, nothing_is_known_before_a_cycle_was_measured);
  tcase_add_test(cases, the_reference_heap_grows_by_the_percent);
  tcase_add_test(cases, four_times_live_or_pace_is_twice_as_much);
  tcase_add_test(cases, extra_is_clamped);
  tcase_add_test(cases, a_cycle_counts_twice_the_one_before);
  tcase_add_test(cases, a_heap_that_falls_idle_loses_weight_with_time);
  tcase_add_test(cases, no_figures_upset_it);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
