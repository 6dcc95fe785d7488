/* SPDX-License-Identifier: MIT */
/* Test of event/timings.c: sums, the longest, and which slow paths are timed.
 */
#include "unit.h"

#include "event/timings.h"

START_TEST(an_answer_is_counted_and_the_longest_kept)
{
  struct timings timings = {0};
  ck_assert(timings_answer(&timings, 300));
  ck_assert(timings_answer(&timings, 900));
  ck_assert(!timings_answer(&timings, 500));
  ck_assert_uint_eq(timings.longest_answer_ns, 900);
  ck_assert_uint_eq(timings.answer.sum_ns, 1700);
}
END_TEST

/* Each field by its own number, so that none can stand for another. */
START_TEST(a_sum_has_all_of_each)
{
  struct timings one, sum = {0};
  uint64_t *field = (uint64_t *)&one;
  for (size_t i = 0; i < sizeof one / sizeof *field; i++)
    field[i] = i + 1;
  timings_fold(&sum, &one);
  timings_fold(&sum, &one);
  uint64_t longest = one.longest_answer_ns;
  struct worst worst = one.worst;
  for (size_t i = 0; i < sizeof one / sizeof *field; i++)
    field[i] *= 2;
  one.longest_answer_ns = longest;
  one.worst = worst;
  ck_assert_mem_eq(&sum, &one, sizeof sum);
}
END_TEST

/* One in 16, and never more than a handful of 16 in a row without one: whatever
 * every second, third, ... of a program's slow paths does is seen. */
START_TEST(slow_paths_are_timed_evenly)
{
  enum { COUNT = 1 << 16 };
  static bool timed[COUNT];
  struct timings timings = {0};
  unsigned total = 0, gap = 0;
  for (unsigned i = 0; i < COUNT; i++) {
    timed[i] = timings_count_slow(&timings);
    total += timed[i];
    gap = timed[i] ? 0 : gap + 1;
    ck_assert_uint_lt(gap, 64);
  }
  ck_assert_uint_eq(timings.slow_paths, COUNT);
  ck_assert_uint_ge(total, COUNT / 16 - 16);
  ck_assert_uint_le(total, COUNT / 16 + 16);
  for (unsigned every = 2; every <= 64; every++)
    for (unsigned first = 0; first < every; first++) {
      unsigned seen = 0;
      for (unsigned i = first; i < COUNT; i += every)
        seen += timed[i];
      ck_assert_uint_ge(seen, COUNT / 16 / every / 2);
      ck_assert_uint_le(seen, COUNT / 16 / every * 2 + 2);
    }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("timings");
  TCase *cases = tcase_create("timings");
  tcase_add_test(cases, an_answer_is_counted_and_the_longest_kept);
  tcase_add_test(cases, a_sum_has_all_of_each);
  tcase_add_test(cases, slow_paths_are_timed_evenly);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
