/* SPDX-License-Identifier: MIT */
/* Test of event/assists.c: what a thread paid, in sums and in buckets. */
#include "unit.h"

#include "event/assists.h"

#include <string.h>

/* The public bucket in which one assist of this time is told. */
static unsigned told_in(uint64_t ns)
{
  struct assists assists = {0};
  dusk_assist_stats out = {0};
  assists_add(&assists, ns, 1);
  assists_tell(&assists, &out);
  unsigned bucket = 0;
  while (!out.histogram[bucket])
    bucket++;
  ck_assert_uint_eq(out.histogram[bucket], 1);
  return bucket;
}

START_TEST(a_bucket_begins_where_the_header_says)
{
  ck_assert_uint_eq(dusk_assist_bucket_ns(0), 0);
  ck_assert_uint_eq(dusk_assist_bucket_ns(1), 1024);
  ck_assert_uint_eq(dusk_assist_bucket_ns(DUSK_ASSIST_BUCKETS - 1), 1 << 30);
  for (unsigned i = 1; i < DUSK_ASSIST_BUCKETS; i++) {
    uint64_t start = dusk_assist_bucket_ns(i);
    ck_assert_uint_gt(start, dusk_assist_bucket_ns(i - 1));
    ck_assert_uint_eq(told_in(start), i);
    ck_assert_uint_eq(told_in(start - 1), i - 1);
  }
  ck_assert_uint_eq(told_in(0), 0);
  ck_assert_uint_eq(told_in(UINT64_MAX), DUSK_ASSIST_BUCKETS - 1);
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
  ck_assert_uint_eq(assists.times.sum_ns, 5100);
  ck_assert_uint_eq(assists.longest_ns, 3000);
  ck_assert_uint_eq(assists.bytes, 60);
  ck_assert_uint_eq(assists.times.counts[histogram_bucket(100)], 1);
  ck_assert_uint_eq(assists.times.counts[histogram_bucket(3000)], 1);
  ck_assert_uint_eq(assists.times.counts[histogram_bucket(2000)], 1);
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
  ck_assert_uint_eq(out.total_ns, sum.times.sum_ns);
  ck_assert_uint_eq(out.longest_ns, sum.longest_ns);
  ck_assert_uint_eq(out.marked_bytes, sum.bytes);
  ck_assert_uint_eq(out.pool_bytes, sum.pool_bytes);
  ck_assert_uint_eq(out.charged_bytes, sum.charged_bytes);
  ck_assert_uint_eq(out.debt_bytes, sum.debt_bytes);
  ck_assert_uint_eq(out.asides, sum.asides);
  ck_assert_uint_eq(out.aside_ns, sum.aside_ns);
  ck_assert_uint_eq(out.walls, sum.walls);
  ck_assert_uint_eq(out.wall_ns, sum.wall_ns);
  uint64_t in = 0, told = 0;
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
    in += sum.times.counts[i];
  for (unsigned i = 0; i < DUSK_ASSIST_BUCKETS; i++)
    told += out.histogram[i];
  ck_assert_uint_eq(told, in);
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
