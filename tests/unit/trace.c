/* SPDX-License-Identifier: MIT */
/* Test of report/trace.c against golden lines: other programs read these, so
 * that each character counts. */
#include "unit.h"

#include "fixture.h"
#include "mutator/thread.h"
#include "os/clock.h"
#include "report/stats.h"
#include "report/trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct dusk_heap *heap;
static char name[] = "/tmp/dusk-trace.XXXXXX";
static char text[1 << 23]; /* the file */

static void set_up(void)
{
  int file = mkstemp(name);
  ck_assert_int_ge(file, 0);
  close(file);
  heap = fixture_open();
}

static void tear_down(void)
{
  fixture_close(heap);
  unlink(name);
}

static void read_file(const char *path)
{
  int file = open(path, O_RDONLY);
  ck_assert_int_ge(file, 0);
  ssize_t length = read(file, text, sizeof text - 1);
  ck_assert_int_ge(length, 0);
  ck_assert_int_lt(length, sizeof text - 1);
  text[length] = '\0';
  close(file);
}

/* Line number n of the file, from 0, without its end; "": there is none. */
static const char *line(unsigned n)
{
  static char copy[4096];
  const char *from = text;
  while (n-- && from)
    if ((from = strchr(from, '\n')))
      from++;
  size_t length = from ? strcspn(from, "\n") : 0;
  ck_assert_uint_lt(length, sizeof copy);
  memcpy(copy, from, length);
  copy[length] = '\0';
  return copy;
}

/* Line n is `type PID:1` and what the format says. */
#define check_line(n, type, format, ...)                                       \
  do {                                                                         \
    char expected[4096];                                                       \
    snprintf(expected, sizeof expected, type " %ld:1" format, (long)getpid(),  \
             __VA_ARGS__);                                                     \
    ck_assert_str_eq(line(n), expected);                                       \
  } while (0)

enum { FITS = TRACE_ROOM - 1 };

#define LLU(n) ((unsigned long long)(n))

/* A delay of the thread. */
static void delay(struct dusk_thread *thread, enum event_id id, uint64_t start,
                  uint64_t duration)
{
  track_note(&thread->track, id, start, duration, 0, 0);
}

static const struct cycle_record record = {
    .number = 12,
    .forced = true,
    .start_ns = 1001,
    .mark_ns = 1002,
    .end_ns = 1003,
    .swept_ns = 1004,
    .wall_end = 77,
    .live_at_start = 2001,
    .live_at_end = 2002,
    .marked = 2003,
    .goal = 2004,
    .trigger = UINT64_MAX,
    .pause_ns = {31, 32},
    .assist_ns = 41,
    .worker_ns = 42,
    .idle_ns = 43,
    .other_ns = 44,
    .heap_work = 51,
    .stack_bytes = 52,
    .root_bytes = 53,
    .heap_inuse = 61,
    .rounds = 9,
};

/* ---- lines ---- */

START_TEST(a_heap_begins_with_its_settings)
{
  heap->collector.opened_ns = 123;
  heap->collector.processors = 8;
  trace_open(heap, name);
  read_file(name);
  check_line(0, "heap",
             " version=1 opened_ns=%d processors=8 workers=1 policy=go "
             "gc_percent=-1 memory_limit=off",
             123);
  ck_assert_str_eq(line(1), "");
  trace_close(heap);
}
END_TEST

START_TEST(a_limit_is_a_number)
{
  heap->collector.pacing.pacer.memory_limit = INT64_MAX - 1;
  heap->collector.pacing.pacer.gc_percent = 250;
  trace_open(heap, name);
  read_file(name);
  ck_assert_ptr_nonnull(
      strstr(line(0), " gc_percent=250 memory_limit=9223372036854775806"));
  trace_close(heap);
}
END_TEST

START_TEST(a_cycle_has_each_figure_in_its_place)
{
  static dusk_memstats stats;
  trace_open(heap, name);
  fixture_detach(fixture_attach(heap));
  stats_read(heap, &stats);
  trace_cycle(heap, &record);
  read_file(name);
  check_line(1, "cycle",
             " 12 1 1001 1002 1003 1004 2001 2002 2003 2004 "
             "18446744073709551615 31 32 41 42 43 44 51 52 53 61 %llu %llu "
             "%llu",
             LLU(stats.heap_released), LLU(stats.heap_sys), LLU(stats.sys));
  trace_close(heap);
}
END_TEST

START_TEST(the_largest_figures_fit)
{
  struct cycle_record largest;
  memset(&largest, 0xff, sizeof largest);
  largest.forced = true;
  trace_open(heap, name);
  for (int i = 0; i < 1000; i++)
    trace_cycle(heap, &largest);
  read_file(name);
  ck_assert_int_eq(strncmp(line(1000), "cycle ", 6), 0);
  ck_assert_str_eq(line(1001), "");
  trace_close(heap);
}
END_TEST

START_TEST(delays_come_with_the_next_cycle_and_once)
{
  trace_open(heap, name);
  struct dusk_thread *first = fixture_attach(heap);
  struct dusk_thread *second = fixture_attach(heap);
  delay(first, EVENT_service, 100, 1);
  /* Of which it marked for 2. */
  track_note(&first->track, EVENT_assist, 200, 9, 16384, 2);
  delay(first, EVENT_aside, 300, 3);
  delay(first, EVENT_wall, 400, 4);
  delay(second, EVENT_collect, 500, UINT64_MAX);
  trace_cycle(heap, &record);
  read_file(name);
  /* The thread that came last comes first; nobody counts on it. */
  check_line(2, "delay", " 2 collect 500 %llu", LLU(UINT64_MAX));
  check_line(3, "delay", " 1 service 100 %d", 1);
  check_line(4, "delay", " 1 assist 200 %d", 2);
  check_line(5, "delay", " 1 aside 300 %d", 3);
  check_line(6, "delay", " 1 wall 400 %d", 4);
  ck_assert_str_eq(line(7), "");
  trace_cycle(heap, &record);
  read_file(name);
  ck_assert_int_eq(strncmp(line(7), "cycle ", 6), 0);
  ck_assert_str_eq(line(8), "");
  fixture_detach(first);
  fixture_detach(second);
  trace_close(heap);
}
END_TEST

START_TEST(what_did_not_fit_is_counted)
{
  trace_open(heap, name);
  struct dusk_thread *thread = fixture_attach(heap);
  trace_cycle(heap, &record); /* that it has attached is read */
  for (unsigned i = 1; i <= FITS + 5; i++)
    delay(thread, EVENT_service, i, 1);
  trace_cycle(heap, &record);
  read_file(name);
  check_line(3, "delay", " 1 service %d 1", 6); /* the newest are kept */
  check_line(2 + FITS, "delay", " 1 service %d 1", FITS + 5);
  check_line(3 + FITS, "lost", " %d", 5);
  ck_assert_str_eq(line(4 + FITS), "");
  fixture_detach(thread);
  trace_close(heap);
}
END_TEST

START_TEST(a_thread_that_leaves_hands_its_rest_over)
{
  trace_open(heap, name);
  uint64_t before = clock_now();
  struct dusk_thread *thread = fixture_attach(heap);
  fixture_alloc(thread, DUSK_LEAF, 100);
  assists_add(&thread->assists, 700, 7000);
  assists_add(&thread->assists, 900, 9000);
  assists_add(&thread->assists, 800, 8000);
  delay(thread, EVENT_wall, 400, 4);
  thread_leave(thread);
  trace_thread(heap, thread);
  struct life life = thread->life;
  ck_assert_uint_ge(life.attached_ns, before);
  ck_assert_uint_gt(life.detached_ns, life.attached_ns);
  ck_assert_uint_le(life.detached_ns, clock_now());
  ck_assert_uint_gt(life.cpu_ns, 0);
  ck_assert_uint_le(life.cpu_ns, clock_thread_cpu());
  trace_cycle(heap, &record);
  read_file(name);
  check_line(1, "delay", " 1 wall 400 %d", 4);
  check_line(2, "thread", " 1 %llu %llu 3 2400 24000 900 112 %llu",
             LLU(life.attached_ns), LLU(life.detached_ns), LLU(life.cpu_ns));
  ck_assert_int_eq(strncmp(line(3), "cycle ", 6), 0);

  /* Its record serves the next thread, which has done nothing yet. */
  registry_spare(&heap->collector.registry, thread);
  struct dusk_thread *next = fixture_attach(heap);
  ck_assert_ptr_eq(next, thread);
  ck_assert_uint_eq(next->life.number, 2);
  ck_assert_uint_eq(next->assists.count, 0);
  thread_leave(next);
  trace_thread(heap, next);
  registry_spare(&heap->collector.registry, next);
  trace_close(heap);
  read_file(name);
  check_line(4, "thread", " 2 %llu %llu 0 0 0 0 0 %llu",
             LLU(next->life.attached_ns), LLU(next->life.detached_ns),
             LLU(next->life.cpu_ns));
}
END_TEST

START_TEST(a_heap_ends_with_its_sums)
{
  unsigned long long number, closed, cpu;
  uint64_t before = clock_now();
  trace_open(heap, name);
  struct dusk_thread *thread = fixture_attach(heap);
  fixture_alloc(thread, DUSK_LEAF, 100);
  fixture_alloc(thread, DUSK_LEAF, 100);
  fixture_detach(thread);
  stats_add_cycle(heap, &record);
  trace_close(heap);
  read_file(name);
  int end = 0;
  ck_assert_int_eq(sscanf(line(1), "close %llu:1 %llu 224 2 1 127 %llu%n",
                          &number, &closed, &cpu, &end),
                   3);
  ck_assert_uint_eq(line(1)[end], '\0');
  ck_assert_uint_ge(closed, before);
  ck_assert_uint_gt(cpu, 0);
  ck_assert_str_eq(line(2), "");
}
END_TEST

/* ---- the file ---- */

START_TEST(the_process_is_in_the_name)
{
  char with[64], without[64];
  snprintf(with, sizeof with, "%s.%%p-%%p%%", name);
  snprintf(without, sizeof without, "%s.%ld-%ld%%", name, (long)getpid(),
           (long)getpid());
  trace_open(heap, with);
  trace_close(heap);
  read_file(without);
  unlink(without);
  ck_assert_int_eq(strncmp(line(0), "heap ", 5), 0);
}
END_TEST

START_TEST(a_second_heap_appends_under_its_own_number)
{
  struct dusk_heap *other = fixture_open();
  trace_open(heap, name);
  trace_open(other, name);
  trace_close(other);
  trace_close(heap);
  fixture_close(other);
  read_file(name);
  char second[64];
  snprintf(second, sizeof second, "heap %ld:2 ", (long)getpid());
  ck_assert_int_eq(strncmp(line(1), second, strlen(second)), 0);
  memcpy(second, "close", 5);
  ck_assert_ptr_nonnull(strstr(line(2), ":2 "));
  ck_assert_ptr_nonnull(strstr(line(3), ":1 "));
}
END_TEST

START_TEST(a_name_that_cannot_be_opened_is_one_line)
{
  static char long_name[8192];
  memset(long_name, 'x', sizeof long_name - 1);
  const char *bad[] = {"/nonexistent/trace", "/", long_name};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    fixture_stderr_begin();
    trace_open(heap, bad[i]);
    const char *said = fixture_stderr_end();
    ck_assert_ptr_nonnull(strstr(said, "DUSK_TRACE="));
    ck_assert_ptr_eq(strchr(said, '\n') + 1, said + strlen(said));
    ck_assert_ptr_null(heap->trace);
    ck_assert_uint_eq(heap->collector.registry.traced_room, 0);
  }
  trace_cycle(heap, &record); /* nothing */
  trace_close(heap);
}
END_TEST

START_TEST(a_write_that_fails_ends_the_trace_in_one_line)
{
  fixture_stderr_begin();
  trace_open(heap, "/dev/full");
  trace_cycle(heap, &record);
  trace_cycle(heap, &record);
  trace_close(heap);
  const char *said = fixture_stderr_end();
  ck_assert_ptr_nonnull(strstr(said, "the trace ends here"));
  ck_assert_ptr_eq(strchr(said, '\n') + 1, said + strlen(said));
}
END_TEST

START_TEST(threads_that_come_and_go_do_not_wait_for_a_cycle)
{
  enum { THREADS = 8 };
  trace_open(heap, name);
  for (int i = 0; i < THREADS; i++) {
    struct dusk_thread *thread = fixture_attach(heap);
    for (int n = 0; n < FITS; n++) /* and that it has left */
      delay(thread, EVENT_service, UINT64_MAX, UINT64_MAX);
    thread_leave(thread);
    trace_thread(heap, thread);
    registry_spare(&heap->collector.registry, thread);
  }
  read_file(name);
  ck_assert_uint_gt(strlen(text), 256 * 1000);
  trace_close(heap);
  read_file(name);
  ck_assert_int_eq(strncmp(line(THREADS * FITS), "thread ", 7), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("trace");
  TCase *lines = tcase_create("lines");
  tcase_add_checked_fixture(lines, set_up, tear_down);
  tcase_add_test(lines, a_heap_begins_with_its_settings);
  tcase_add_test(lines, a_limit_is_a_number);
  tcase_add_test(lines, a_cycle_has_each_figure_in_its_place);
  tcase_add_test(lines, the_largest_figures_fit);
  tcase_add_test(lines, delays_come_with_the_next_cycle_and_once);
  tcase_add_test(lines, what_did_not_fit_is_counted);
  tcase_add_test(lines, a_thread_that_leaves_hands_its_rest_over);
  tcase_add_test(lines, a_heap_ends_with_its_sums);
  suite_add_tcase(suite, lines);

  TCase *file = tcase_create("file");
  tcase_add_checked_fixture(file, set_up, tear_down);
  tcase_add_test(file, the_process_is_in_the_name);
  tcase_add_test(file, a_second_heap_appends_under_its_own_number);
  tcase_add_test(file, a_name_that_cannot_be_opened_is_one_line);
  tcase_add_test(file, a_write_that_fails_ends_the_trace_in_one_line);
  tcase_add_test(file, threads_that_come_and_go_do_not_wait_for_a_cycle);
  suite_add_tcase(suite, file);
  return unit_run(suite);
}
