/* SPDX-License-Identifier: MIT */
/* Test of lab/show: samples.c and value.c: traces, statistics, and values. */
#include "../unit/unit.h"

#include "lab/show/samples.h"
#include "lab/show/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];
static char message[256];

static void write_trace(const char *text)
{
  snprintf(path, sizeof path, "/tmp/dusk-samples.XXXXXX");
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

/* Reads the text as a trace that is as it should be. */
static struct samples read_text(const char *text)
{
  struct samples samples;
  write_trace(text);
  bool good = samples_read(path, &samples, message, sizeof message);
  unlink(path);
  ck_assert_msg(good, "%s", message);
  return samples;
}

/* Expects the end of the message that the text gets. */
static void refuse_text(const char *text, const char *expected)
{
  struct samples samples;
  char whole[256];
  write_trace(text);
  bool good = samples_read(path, &samples, message, sizeof message);
  unlink(path);
  ck_assert(!good);
  ck_assert_uint_eq(samples.heap_count, 0);
  snprintf(whole, sizeof whole, "%s%s", path, expected);
  ck_assert_str_eq(message, whole);
}

#define HEAP                                                                   \
  "heap 7:1 version=1 opened_ns=1000 processors=2 workers=1 policy=go "        \
  "gc_percent=100 memory_limit=off\n"
#define CYCLE                                                                  \
  "cycle 7:1 3 1 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 "             \
  "26 27 28 29 30 31\n"

START_TEST(every_record_is_read)
{
  struct samples samples = read_text(
      HEAP CYCLE
      "delay 7:1 2 assist 500 60\ndelay 7:1 1 service 700 8\nlost 7:1 4\n"
      "lost 7:1 5\nthread 7:1 2 100 0 3 60 4096 50 8192 900\n"
      "close 7:1 9000 1 2 3 4 5\n");
  ck_assert_uint_eq(samples.heap_count, 1);
  const struct samples_heap *heap = samples.heaps;
  ck_assert_str_eq(heap->id, "7:1");
  ck_assert_str_eq(heap->policy, "go");
  ck_assert_uint_eq(heap->opened_ns, 1000);
  ck_assert_uint_eq(heap->processors, 2);
  ck_assert_uint_eq(heap->workers, 1);
  ck_assert_int_eq(heap->gc_percent, 100);
  ck_assert_uint_eq(heap->memory_limit, UINT64_MAX);
  ck_assert_uint_eq(heap->cycle_count, 1);
  ck_assert_uint_eq(heap->cycles[0].number, 3);
  ck_assert_uint_eq(heap->cycles[0].forced, 1);
  ck_assert_uint_eq(heap->cycles[0].goal, 17);
  ck_assert_uint_eq(heap->cycles[0].heap_inuse, 28);
  ck_assert_uint_eq(heap->cycles[0].sys, 31);
  ck_assert_uint_eq(heap->delay_count, 2);
  ck_assert_uint_eq(heap->delays[0].thread, 2);
  ck_assert_int_eq(heap->delays[0].kind, SAMPLES_ASSIST);
  ck_assert_uint_eq(heap->delays[1].start_ns, 700);
  ck_assert_uint_eq(heap->delays[1].duration_ns, 8);
  ck_assert_uint_eq(heap->lost, 9);
  ck_assert_uint_eq(heap->thread_count, 1);
  ck_assert_uint_eq(heap->threads[0].longest_assist_ns, 50);
  ck_assert_uint_eq(heap->threads[0].cpu_ns, 900);
  ck_assert_uint_eq(heap->total_alloc, 1);
  ck_assert_uint_eq(heap->gc_cpu_ns, 4);
  ck_assert_uint_eq(heap->process_cpu_ns, 5);
  ck_assert_uint_eq(samples_heap_end(heap), 9000);
  samples_free(&samples);
}
END_TEST

START_TEST(heaps_that_share_a_file_are_kept_apart)
{
  struct samples samples =
      read_text("delay 8:2 1 service 1 2\n" HEAP "delay 7:1 1 service 3 4\n"
                "heap 8:2 version=1 gc_percent=off memory_limit=4096\n"
                "delay 8:2 1 wall 5 6\n");
  ck_assert_uint_eq(samples.heap_count, 2);
  ck_assert_str_eq(samples.heaps[0].id, "8:2");
  ck_assert_uint_eq(samples.heaps[0].delay_count, 2);
  ck_assert_int_eq(samples.heaps[0].gc_percent, -1);
  ck_assert_uint_eq(samples.heaps[0].memory_limit, 4096);
  ck_assert_uint_eq(samples.heaps[1].delay_count, 1);
  samples_free(&samples);
}
END_TEST

START_TEST(what_is_not_known_is_passed_over)
{
  struct samples samples =
      read_text("\nweather 7:1 fine\nheap 7:1 version=1 moon=full\n"
                "delay 7:1 1 dance 5 6\ndelay 7:1 1 service 5 6 and more\n");
  ck_assert_uint_eq(samples.heap_count, 1);
  ck_assert_uint_eq(samples.heaps[0].delay_count, 1);
  samples_free(&samples);
}
END_TEST

START_TEST(a_last_line_cut_short_is_passed_over)
{
  struct samples samples = read_text(HEAP "delay 7:1 1 service 5 6\n"
                                          "delay 7:1 1 service 5");
  ck_assert_uint_eq(samples.heaps[0].delay_count, 1);
  /* Nobody said when it was closed: the latest time that is known. */
  ck_assert_uint_eq(samples_heap_end(&samples.heaps[0]), 1000);
  samples_free(&samples);
}
END_TEST

START_TEST(a_thread_is_what_its_last_line_says)
{
  struct samples samples =
      read_text(HEAP "thread 7:1 1 100 0 0 0 0 0 0 0\n"
                     "thread 7:1 2 100 0 0 0 0 0 0 0\n"
                     "thread 7:1 1 100 5000 1 2 3 4 5 6\n");
  ck_assert_uint_eq(samples.heaps[0].thread_count, 2);
  ck_assert_uint_eq(samples.heaps[0].threads[0].detached_ns, 5000);
  ck_assert_uint_eq(samples_heap_end(&samples.heaps[0]), 5000);
  samples_free(&samples);
}
END_TEST

START_TEST(a_wrong_record_is_named_with_its_line)
{
  refuse_text(HEAP "delay 7:1 1 service 5\n",
              ":2: delay: there is no field 'duration_ns'");
  refuse_text(HEAP "delay 7:1 1\n", ":2: delay: there is no field 'kind'");
  refuse_text("\ncycle 7:1 3 1 10 x\n",
              ":2: cycle: not a number in field 'mark_ns'");
  refuse_text("delay 7:1 -1 service 5 6\n",
              ":1: delay: not a number in field 'thread'");
  refuse_text("heap 7:1 version=2\n", ":1: heap: cannot read 'version=2'");
  refuse_text("heap 7:1 processors=\n", ":1: heap: cannot read 'processors='");
  refuse_text("heap 7:1 version\n", ":1: heap: not NAME=VALUE: 'version'");
  refuse_text("close\n", ":1: close: there is no field 'heap'");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
  struct samples samples;
  ck_assert(!samples_read("/no/such/file", &samples, message, sizeof message));
  ck_assert_str_eq(message, "/no/such/file: No such file or directory");
  ck_assert(!samples_read("/", &samples, message, sizeof message));
  ck_assert_str_eq(message, "/: Is a directory");
}
END_TEST

START_TEST(percentiles_are_values_that_were_there)
{
  double values[] = {5, 1, 4, 2, 3};
  ck_assert_double_eq(samples_percentile(values, 5, 0.5), 3);
  ck_assert_double_eq(samples_percentile(values, 5, 0), 1);
  ck_assert_double_eq(samples_percentile(values, 5, 0.8), 4);
  ck_assert_double_eq(samples_percentile(values, 5, 0.81), 5);
  ck_assert_double_eq(samples_percentile(values, 5, 1), 5);
  ck_assert_double_eq(samples_median(values, 5), 3);
  ck_assert_double_eq(samples_median(values, 4), 2.5);
  ck_assert(isnan(samples_median(values, 0)));
  ck_assert(isnan(samples_percentile(values, 0, 0.5)));
}
END_TEST

START_TEST(values_are_read_whole_or_not)
{
  uint64_t value = 99;
  int percent = 99;
  ck_assert(value_read_bytes("16KiB", &value));
  ck_assert_uint_eq(value, 16384);
  ck_assert(value_read_bytes("3GiB", &value));
  ck_assert_uint_eq(value, UINT64_C(3) << 30);
  ck_assert(value_read_limit("off", &value));
  ck_assert_uint_eq(value, UINT64_MAX);
  ck_assert(value_read_percent("off", &percent));
  ck_assert_int_eq(percent, -1);
  static const char *const bad[] = {"",        " 1",
                                    "1 ",      "-1",
                                    "+1",      "1KB",
                                    "KiB",     "0x10",
                                    "1KiBKiB", "18446744073709551616",
                                    "1.5",     "17179869184GiB"};
  value = 7;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    ck_assert_msg(!value_read_bytes(bad[i], &value), "'%s'", bad[i]);
    ck_assert_msg(!value_read_percent(bad[i], &percent), "'%s'", bad[i]);
  }
  ck_assert(!value_read_number("11", 0, 10, &value));
  ck_assert_uint_eq(value, 7);
}
END_TEST

START_TEST(lists_have_no_empty_items)
{
  char good[] = "50,100,off";
  char bad[] = "50,,100";
  char many[] = "1,2,3,4";
  char none[] = "";
  char *items[3];
  ck_assert_uint_eq(value_split(good, items, 3), 3);
  ck_assert_str_eq(items[2], "off");
  ck_assert_uint_eq(value_split(bad, items, 3), 0);
  ck_assert_uint_eq(value_split(many, items, 3), 0);
  ck_assert_uint_eq(value_split(none, items, 3), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("samples");
  TCase *cases = tcase_create("samples");
  tcase_add_test(cases, every_record_is_read);
  tcase_add_test(cases, heaps_that_share_a_file_are_kept_apart);
  tcase_add_test(cases, what_is_not_known_is_passed_over);
  tcase_add_test(cases, a_last_line_cut_short_is_passed_over);
  tcase_add_test(cases, a_thread_is_what_its_last_line_says);
  tcase_add_test(cases, a_wrong_record_is_named_with_its_line);
  tcase_add_test(cases, a_file_that_is_not_there_is_named);
  tcase_add_test(cases, percentiles_are_values_that_were_there);
  tcase_add_test(cases, values_are_read_whole_or_not);
  tcase_add_test(cases, lists_have_no_empty_items);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
