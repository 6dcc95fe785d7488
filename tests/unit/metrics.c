/* SPDX-License-Identifier: MIT */
/* Test of report/metrics.c and report/buckets.c: the table is in order, and its
 * edges are those that the counting goes by. */
#include "unit.h"

#include "report/metrics.h"

#include <math.h>
#include <string.h>

START_TEST(the_table_is_sorted)
{
  for (size_t i = 1; i < METRICS_COUNT; i++)
    ck_assert_msg(strcmp(metrics[i - 1].name, metrics[i].name) < 0,
                  "%s does not belong before %s", metrics[i - 1].name,
                  metrics[i].name);
}
END_TEST

START_TEST(each_name_is_found)
{
  for (size_t i = 0; i < METRICS_COUNT; i++)
    ck_assert_uint_eq(metrics_find(metrics[i].name), i);
}
END_TEST

START_TEST(no_other_name_is_found)
{
  static const char *const names[] = {"",
                                      "/",
                                      "a",
                                      "zzz",
                                      "/gc",
                                      "/gc/heap/live",
                                      "/gc/heap/live:byte",
                                      "/gc/heap/live:bytesx",
                                      "/sched/gomaxprocs:threadsx",
                                      "/cpu"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    ck_assert_uint_eq(metrics_find(names[i]), METRICS_COUNT);
}
END_TEST

/* A path, a colon, the unit; a sentence that needs no escape anywhere. */
START_TEST(each_description_has_its_form)
{
  for (size_t i = 0; i < METRICS_COUNT; i++) {
    const dusk_metric *m = &metrics[i];
    const char *colon = strchr(m->name, ':');
    ck_assert_ptr_nonnull(colon);
    ck_assert_str_eq(colon + 1, m->unit);
    ck_assert_uint_eq(m->name[0], '/');
    ck_assert_uint_eq(
        strspn(m->name, "/-:abcdefghijklmnopqrstuvwxyz0123456789"),
        strlen(m->name));
    ck_assert_uint_eq(m->meaning[strlen(m->meaning) - 1], '.');
    ck_assert_ptr_null(strpbrk(m->meaning, "\"\\\n\t"));
    ck_assert_uint_eq(m->kind == DUSK_METRIC_HISTOGRAM, m->buckets > 0);
    ck_assert_uint_eq(m->edges != NULL, m->buckets > 0);
    ck_assert_uint_le(m->buckets, DUSK_METRIC_BUCKETS_MAX);
    ck_assert(m->kind != DUSK_METRIC_TEXT || !m->is_cumulative);
  }
}
END_TEST

START_TEST(edges_of_times)
{
  ck_assert_double_eq(buckets_times[0], -INFINITY);
  for (unsigned i = HISTOGRAM_FIRST; i < BUCKETS_TIMES; i++)
    ck_assert_double_eq(buckets_times[i], (double)histogram_edge(i) / 1e9);
  ck_assert_double_eq(buckets_times[BUCKETS_TIMES], INFINITY);
}
END_TEST

START_TEST(edges_of_sizes)
{
  ck_assert_double_eq(buckets_sizes[0], 1);
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++)
    ck_assert_double_eq(buckets_sizes[i + 1], (double)(dusk_class_size(i) + 1));
  ck_assert_double_eq(buckets_sizes[BUCKETS_SIZES], INFINITY);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("metrics");
  TCase *cases = tcase_create("metrics");
  tcase_add_test(cases, the_table_is_sorted);
  tcase_add_test(cases, each_name_is_found);
  tcase_add_test(cases, no_other_name_is_found);
  tcase_add_test(cases, each_description_has_its_form);
  tcase_add_test(cases, edges_of_times);
  tcase_add_test(cases, edges_of_sizes);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
