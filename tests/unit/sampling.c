/* SPDX-License-Identifier: MIT */
/* Test of event/sampling.c: each byte is sampled with the same probability,
 * however it is asked about, and weights make up for what is passed over. */
#include "unit.h"

#include "event/sampling.h"

#include <math.h>

/* How much is asked about at once. */
static const uint64_t steps[] = {16, 48, 4096, 100000, UINT64_C(3) << 20};

static uint64_t count_points(struct sampling *sampling, uint64_t rate,
                             uint64_t bytes, uint64_t step)
{
  uint64_t points = 0;
  for (uint64_t from = 0; from < bytes;) {
    uint64_t rest = bytes - from < step ? bytes - from : step;
    uint64_t at;
    if (sampling_falls(sampling, rate, rest, &at)) {
      ck_assert_uint_lt(at, rest);
      points++;
      rest = at + 1;
    }
    from += rest;
  }
  return points;
}

START_TEST(without_a_rate_nothing_is_sampled)
{
  struct sampling sampling = {0};
  ck_assert_uint_eq(count_points(&sampling, 0, UINT64_C(1) << 40, 1 << 30), 0);
}
END_TEST

START_TEST(at_rate_1_each_byte_is)
{
  struct sampling sampling = {0};
  ck_assert_uint_eq(count_points(&sampling, 1, 1000, steps[_i]), 1000);
  ck_assert_double_eq(sampling_weight(1, 16), 1);
}
END_TEST

/* Five standard deviations of a Poisson count. */
static void check_count(uint64_t points, double expected)
{
  ck_assert_msg(fabs((double)points - expected) < 5 * sqrt(expected),
                "%llu points, not some %g", (unsigned long long)points,
                expected);
}

START_TEST(points_are_as_many_as_the_rate_says)
{
  struct sampling sampling = {.state = (uint64_t)_i};
  uint64_t bytes = UINT64_C(1) << 28;
  check_count(count_points(&sampling, 20000, bytes, steps[_i]),
              (double)bytes / 20000);
}
END_TEST

/* What is sampled of many objects, by its weight, is what there is. */
START_TEST(weights_make_up_for_what_is_passed_over)
{
  enum { RATE = 10000, SAMPLES = 4000 };
  static const uint64_t sizes[] = {16, 1024, 10000, 60000};
  uint64_t bytes = sizes[_i];
  struct sampling sampling = {.state = 7};
  uint64_t objects = 0, sampled = 0;
  for (; sampled < SAMPLES; objects++) {
    uint64_t at;
    sampled += sampling_falls(&sampling, RATE, bytes, &at);
  }
  double found = (double)sampled * sampling_weight(RATE, bytes);
  double error = 5 * found / sqrt(SAMPLES);
  ck_assert_msg(fabs(found - (double)objects) <= error, "%g, not %llu", found,
                (unsigned long long)objects);
}
END_TEST

START_TEST(gaps_have_no_memory)
{
  /* The first point of a question is where it would be, wherever it starts. */
  enum { RATE = 1000, TRIES = 20000 };
  struct sampling sampling = {.state = 3};
  double sum = 0;
  for (int i = 0; i < TRIES; i++) {
    uint64_t passed = 0, at;
    while (!sampling_falls(&sampling, RATE, 300, &at))
      passed += 300;
    sum += (double)(passed + at);
  }
  ck_assert_double_eq_tol(sum / TRIES, RATE - 0.5, 5 * RATE / sqrt(TRIES));
}
END_TEST

START_TEST(a_new_rate_counts_at_once)
{
  struct sampling sampling = {0};
  uint64_t at;
  ck_assert(!sampling_falls(&sampling, 0, 16, &at));
  ck_assert(sampling_falls(&sampling, 1, 16, &at));
  ck_assert_uint_eq(at, 0);
  ck_assert(!sampling_falls(&sampling, 0, UINT64_C(1) << 40, &at));
  ck_assert_uint_eq(count_points(&sampling, UINT64_MAX / 2, 1 << 20, 16), 0);
}
END_TEST

START_TEST(threads_have_other_points)
{
  struct sampling one = {.state = 1}, other = {.state = 2};
  uint64_t at, there;
  ck_assert(sampling_falls(&one, 1 << 20, UINT64_C(1) << 40, &at));
  ck_assert(sampling_falls(&other, 1 << 20, UINT64_C(1) << 40, &there));
  ck_assert_uint_ne(at, there);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("sampling");
  TCase *cases = tcase_create("sampling");
  int count = sizeof steps / sizeof *steps;
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, without_a_rate_nothing_is_sampled);
  tcase_add_loop_test(cases, at_rate_1_each_byte_is, 0, count);
  tcase_add_loop_test(cases, points_are_as_many_as_the_rate_says, 0, count);
  tcase_add_loop_test(cases, weights_make_up_for_what_is_passed_over, 0, 4);
  tcase_add_test(cases, gaps_have_no_memory);
  tcase_add_test(cases, a_new_rate_counts_at_once);
  tcase_add_test(cases, threads_have_other_points);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
