/* SPDX-License-Identifier: MIT */
/* Test of report/gctrace.c against golden lines: tools made for Go's lines read
 * these, so that each character counts. */
#include "unit.h"

#include "fixture.h"
#include "report/gctrace.h"

#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define MB (UINT64_C(1) << 20)

static const struct cycle_record quiet = {.number = 1, .start_ns = 5 * MS};
static const struct gctrace_context two_processors = {.opened_ns = 5 * MS,
                                                      .processors = 2};

static void check(const struct cycle_record *record,
                  const struct gctrace_context *context, const char *expected)
{
  char line[GCTRACE_LINE];
  size_t length = gctrace_format(line, record, context);
  ck_assert_str_eq(line, expected);
  ck_assert_uint_eq(length, strlen(expected));
}

/* ---- lines ---- */

START_TEST(a_cycle_that_did_nothing)
{
  check(&quiet, &two_processors,
        "gc 1 @0.000s 0%: 0+0+0 ms clock, 0+0/0/0+0 ms cpu, 0->0->0 MB, "
        "0 MB goal, 0 MB stacks, 0 MB globals, 2 P\n");
}
END_TEST

START_TEST(each_figure_in_its_place)
{
  const struct cycle_record record = {
      .number = 12,
      .forced = true,
      .start_ns = 3004 * MS,
      .mark_ns = 3010 * MS,
      .end_ns = 3033 * MS,
      .swept_ns = 3099 * MS,
      .wall_end = 77,
      .pause_ns = {1 * MS, 2 * MS},
      .assist_ns = 3 * MS,
      .worker_ns = 41 * MS,
      .idle_ns = 8 * MS,
      .other_ns = 5555 * MS,
      .live_at_start = 51 * MB,
      .live_at_end = 52 * MB,
      .marked = 23 * MB,
      .goal = 104 * MB,
      .stack_bytes = 6 * MB,
      .root_bytes = 7 * MB,
      .rounds = 9,
  };
  const struct gctrace_context context = {
      .opened_ns = 1000 * MS, .cpu_fraction = 0.25, .processors = 8};
  check(&record, &context,
        "gc 12 @2.004s 25%: 1.0+23+2.0 ms clock, 1.0+3.0/41/8.0+2.0 ms cpu, "
        "51->52->23 MB, 104 MB goal, 6 MB stacks, 7 MB globals, 8 P "
        "(forced)\n");
}
END_TEST

START_TEST(megabytes_and_percents_are_cut_off)
{
  struct cycle_record record = quiet;
  struct gctrace_context context = two_processors;
  record.marked = 4 * MB - 1;
  record.live_at_start = MB - 1;
  context.cpu_fraction = 0.0399;
  check(&record, &context,
        "gc 1 @0.000s 3%: 0+0+0 ms clock, 0+0/0/0+0 ms cpu, 0->0->3 MB, "
        "0 MB goal, 0 MB stacks, 0 MB globals, 2 P\n");
}
END_TEST

START_TEST(the_largest_figures_fit)
{
  char line[GCTRACE_LINE];
  struct cycle_record record;
  struct gctrace_context context = {.cpu_fraction = 1,
                                    .processors = UINT32_MAX};
  memset(&record, 0xff, sizeof record);
  record.forced = true;
  record.mark_ns = 0;
  size_t length = gctrace_format(line, &record, &context);
  ck_assert_uint_eq(length, strlen(line));
  ck_assert_uint_lt(length, GCTRACE_LINE - 1);
  ck_assert_ptr_nonnull(strstr(line, "4294967295 P (forced)\n"));
}
END_TEST

/* ---- times ---- */

static const struct {
  uint64_t ns;
  const char *ms;
} times[] = {
    {0, "0"},
    {400, "0"},
    {999, "0"},
    {1000, "0.001"},
    {99960, "0.099"},
    {100000, "0.10"},
    {109999, "0.10"},
    {999600, "0.99"},
    {999999, "0.99"},
    {1000000, "1.0"},
    {1960000, "1.9"},
    {9990000, "9.9"},
    {9999999, "9.9"},
    {10000000, "10"},
    {10999999, "10"},
    {123456789, "123"},
    {60000 * MS, "60000"},
};

/* Two significant digits, and cut off: a pause of 9.99 ms is not 10 ms. */
START_TEST(times_are_cut_off)
{
  char expected[GCTRACE_LINE];
  struct cycle_record record = quiet;
  record.pause_ns[0] = record.pause_ns[1] = times[_i].ns;
  record.assist_ns = record.worker_ns = record.end_ns = times[_i].ns;
  const char *ms = times[_i].ms;
  snprintf(expected, sizeof expected,
           "gc 1 @0.000s 0%%: %s+%s+%s ms clock, %s+%s/%s/0+%s ms cpu, "
           "0->0->0 MB, 0 MB goal, 0 MB stacks, 0 MB globals, 2 P\n",
           ms, ms, ms, ms, ms, ms, ms);
  check(&record, &two_processors, expected);
}
END_TEST

/* ---- stderr ---- */

START_TEST(the_line_goes_to_stderr)
{
  struct dusk_heap *heap = fixture_open();
  heap->collector.opened_ns = 0;
  heap->collector.processors = 3;
  fixture_stderr_begin();
  gctrace_print(heap, &quiet, 0.5);
  const char *text = fixture_stderr_end();
  ck_assert_str_eq(text,
                   "gc 1 @0.005s 50%: 0+0+0 ms clock, 0+0/0/0+0 ms cpu, "
                   "0->0->0 MB, 0 MB goal, 0 MB stacks, 0 MB globals, 3 P\n");
  fixture_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("gctrace");
  TCase *cases = tcase_create("gctrace");
  tcase_add_test(cases, a_cycle_that_did_nothing);
  tcase_add_test(cases, each_figure_in_its_place);
  tcase_add_test(cases, megabytes_and_percents_are_cut_off);
  tcase_add_test(cases, the_largest_figures_fit);
  tcase_add_loop_test(cases, times_are_cut_off, 0,
                      sizeof times / sizeof *times);
  tcase_add_test(cases, the_line_goes_to_stderr);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
