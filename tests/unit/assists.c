/* SPDX-License-Identifier: MIT */
/* Test of event/assists.c: what a thread paid, in sums and in buckets. */
#include "unit.h"

#include "event/assists.h"

#include <string.h>

START_TEST(a_bucket_begins_where_the_header_says)
{
  ck_assert_uint_eq(dusk_assist_bucket_ns(0), 0);
  ck_assert_uint_eq(dusk_assist_bucket_ns(1), 1024);
  ck_assert_uint_eq(dusk_assist_bucket_ns(DUSK_ASSIST_BUCKETS - 1), 1 << 30);
  for (unsigned i = 1; i < DUSK_ASSIST_BUCKETS; i++) {
    uint64_t start = dusk_assist_bucket_ns(i);
    ck_assert_uint_gt(start, dusk_assist_bucket_ns(i - 1));
    ck_assert_uint_eq(assists_bucket(start), i);
    ck_assert_uint_eq(assists_bucket(start - 1), i - 1);
  }
  ck_assert_uint_eq(assists_bucket(0), 0);
  ck_assert_uint_eq(assists_bucket(UINT64_MAX), DUSK_ASSIST_BUCKETS - 1);
}
END_TEST

START_TEST(four_buckets_to_each_doubling)
{
  for (unsigned i = 5; i < DUSK_ASSIST_BUCKETS; i++)
    ck_assert_uint_eq(dusk_assist_bucket_ns(i),
                      2 * dusk_assist_bucket_ns(i - 4));
}
END_TEST

START_TEST(each_assist_is_counted)
{
  struct assists assists = {0};
  assists_add(&assists, 100, 10);
  assists_add(&assists, 3000, 20);
  assists_add(&assists, 2000, 30);
  ck_assert_uint_eq(assists.count, 3);
  ck_assert_uint_eq(assists.ns, 5100);
  ck_assert_uint_eq(assists.longest_ns, 3000);
  ck_assert_uint_eq(assists.bytes, 60);
  ck_assert_uint_eq(assists.histogram[0], 1);
  ck_assert_uint_eq(assists.histogram[assists_bucket(3000)], 1);
  ck_assert_uint_eq(assists.histogram[assists_bucket(2000)], 1);
}
END_TEST

/* Each field by its own number, so that none can stand for another. */
START_TEST(sums_and_fields)
{
  struct assists one, sum = {0};
  dusk_assist_stats out = {.struct_size = 99};
  uint64_t *field = (uint64_t *)&one;
  for (size_t i = 0; i < sizeof one / sizeof *field; i++)
    field[i] = i + 1;
  assists_fold(&sum, &one);
  assists_fold(&sum, &one);
  uint64_t longest = one.longest_ns;
  for (size_t i = 0; i < sizeof one / sizeof *field; i++)
    field[i] *= 2;
  one.longest_ns = longest;
  ck_assert_mem_eq(&sum, &one, sizeof sum);

  assists_tell(&sum, &out);
  ck_assert_uint_eq(out.struct_size, 99);
  ck_assert_uint_eq(out.assists, sum.count);
  ck_assert_uint_eq(out.total_ns, sum.ns);
  ck_assert_uint_eq(out.longest_ns, sum.longest_ns);
  ck_assert_uint_eq(out.marked_bytes, sum.bytes);
  ck_assert_uint_eq(out.pool_bytes, sum.pool_bytes);
  ck_assert_uint_eq(out.charged_bytes, sum.charged_bytes);
  ck_assert_uint_eq(out.debt_bytes, sum.debt_bytes);
  ck_assert_uint_eq(out.asides, sum.asides);
  ck_assert_uint_eq(out.aside_ns, sum.aside_ns);
  ck_assert_uint_eq(out.walls, sum.walls);
  ck_assert_uint_eq(out.wall_ns, sum.wall_ns);
  ck_assert_mem_eq(out.histogram, sum.histogram, sizeof out.histogram);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("assists");
  TCase *cases = tcase_create("assists");
  tcase_add_test(cases, a_bucket_begins_where_the_header_says);
  tcase_add_test(cases, four_buckets_to_each_doubling);
  tcase_add_test(cases, each_assist_is_counted);
  tcase_add_test(cases, sums_and_fields);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
