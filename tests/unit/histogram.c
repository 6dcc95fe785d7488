/* SPDX-License-Identifier: MIT */
/* Test of event/histogram.c: the buckets are Go's, and nothing is lost. */
#include "unit.h"

#include "event/histogram.h"

/* The edges as Go's timeHistogramMetricsBuckets() makes them, in its words:
 * from the bits of a time, not from our rows. */
static uint64_t go_edge(unsigned bucket)
{
  enum { MIN_BITS = 9, SUB_BITS = 2, SUBS = 1 << SUB_BITS };
  if (bucket < 1 + SUBS)
    return (uint64_t)(bucket - 1) << (MIN_BITS - 1 - SUB_BITS);
  unsigned bit = MIN_BITS + (bucket - 1 - SUBS) / SUBS;
  uint64_t sub = (bucket - 1) % SUBS;
  return UINT64_C(1) << (bit - 1) | sub << (bit - 1 - SUB_BITS);
}

START_TEST(the_edges_are_gos)
{
  ck_assert_uint_eq(HISTOGRAM_BUCKETS, 160 + 2);
  for (unsigned i = 1; i < HISTOGRAM_BUCKETS - 1; i++)
    ck_assert_uint_eq(histogram_edge(i), go_edge(i));
  ck_assert_uint_eq(histogram_edge(1), 0);
  ck_assert_uint_eq(histogram_edge(2), 64);
  ck_assert_uint_eq(histogram_edge(5), 256);
  ck_assert_uint_eq(histogram_edge(6), 320);
  ck_assert_uint_eq(histogram_edge(9), 512);
  ck_assert_uint_eq(histogram_edge(HISTOGRAM_BUCKETS - 1), UINT64_C(1) << 47);
}
END_TEST

START_TEST(a_time_is_in_the_bucket_whose_edges_are_around_it)
{
  for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
    uint64_t edge = histogram_edge(i);
    ck_assert_uint_eq(histogram_bucket(edge), i);
    if (edge)
      ck_assert_uint_eq(histogram_bucket(edge - 1), i - 1);
  }
  ck_assert_uint_eq(histogram_bucket(0), 1);
  ck_assert_uint_eq(histogram_bucket(63), 1);
  ck_assert_uint_eq(histogram_bucket(1000), 12);
  ck_assert_uint_eq(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}
END_TEST

START_TEST(each_time_is_counted_and_summed)
{
  struct histogram one = {0}, sum = {0};
  histogram_add(&one, 10);
  histogram_add(&one, 20);
  histogram_add(&one, 5000);
  histogram_fold(&sum, &one);
  histogram_fold(&sum, &one);
  ck_assert_uint_eq(sum.sum_ns, 2 * 5030);
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
    ck_assert_uint_eq(sum.counts[i], i == 1                        ? 4
                                     : i == histogram_bucket(5000) ? 2
                                                                   : 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("histogram");
  TCase *cases = tcase_create("histogram");
  tcase_add_test(cases, the_edges_are_gos);
  tcase_add_test(cases, a_time_is_in_the_bucket_whose_edges_are_around_it);
  tcase_add_test(cases, each_time_is_counted_and_summed);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
