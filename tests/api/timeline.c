/* SPDX-License-Identifier: MIT */
/* timeline.c -- <dusk/timeline.h>: recording and writing while threads
 * allocate, what cannot be written, and the child of a fork
 *
 * What the text says is looked at by tests/timeline.sh, which has a program run
 * by `timeline FILE FILE`. */
#include "api.h"

#include <fcntl.h>

enum { THREADS = 3, CYCLES = 5 };

struct cell {
  struct cell *next;
  uint64_t words[7];
};

/* A list that lives, and much that does not: cycles begin by themselves. */
static void *allocate(void *argument)
{
  dusk_thread *thread = api_attach(argument);
  struct cell *list = NULL;
  for (int i = 0; i < 200000; i++) {
    struct cell *cell = api_alloc(thread, DUSK_CONSERVATIVE, sizeof *cell);
    dusk_init(thread, &cell->next, i % 4 ? NULL : list);
    if (i % 4 == 0)
      list = i % 80000 ? cell : NULL;
  }
  api_keep(list);
  dusk_detach(thread);
  return NULL;
}

static void allocate_in_threads(dusk_heap *heap)
{
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    threads[i] = api_start(allocate, heap);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

/* ---- the file, in part ---- */

static char text[1 << 22];

static const char *write_text(dusk_heap *heap)
{
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(dusk_write_timeline(heap, fileno(file)), 0);
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static bool has(dusk_heap *heap, const char *what)
{
  return strstr(write_text(heap), what) != NULL;
}

/* ---- tests ---- */

START_TEST(arguments_are_checked)
{
  dusk_heap *heap = api_open_manual();
  ck_assert_int_eq(dusk_timeline_start(NULL, 0), EINVAL);
  ck_assert_int_eq(dusk_timeline_start(heap, 1023), EINVAL);
  ck_assert_int_eq(dusk_timeline_start(heap, ((size_t)1 << 30) + 1), EINVAL);
  ck_assert_int_eq(dusk_write_timeline(NULL, 1), EINVAL);
  dusk_timeline_stop(NULL);
  dusk_timeline_stop(heap);
  ck_assert_int_eq(dusk_timeline_start(heap, 1024), 0);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(a_collection_is_there_with_its_phases)
{
  static const char *const names[] = {
      "cycle",  "H1",   "H1b",  "H2",      "mark",   "H3",    "H4",
      "census", "heap", "live", "collect", "attach", "leave", "serve outside"};
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread); /* not recorded */
  ck_assert(!has(heap, "\"cycle\""));
  ck_assert_int_eq(dusk_timeline_start(heap, 0), 0);
  ck_assert(!has(heap, "\"cycle\""));
  dusk_blocking_begin(thread);
  allocate_in_threads(heap);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  dusk_timeline_stop(heap);
  dusk_collect(thread); /* not recorded either */
  write_text(heap);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[32];
    snprintf(name, sizeof name, "\"name\":\"%s\"", names[i]);
    ck_assert_msg(strstr(text, name), "no %s", name);
  }
  ck_assert_ptr_nonnull(strstr(text, "\"driver\""));
  ck_assert_ptr_nonnull(strstr(text, "\"thread 4\""));
  ck_assert_ptr_nonnull(strstr(text, "\"cycle\":2,\"forced\":1}"));
  ck_assert_ptr_null(strstr(text, "\"cycle\":3"));
  api_close(heap, thread);
}
END_TEST

static bool stop;

/* Everything at once, from a thread that is attached or not. */
static void *record_and_write(void *argument)
{
  dusk_heap *heap = argument;
  static unsigned writers;
  unsigned number = __atomic_fetch_add(&writers, 1, __ATOMIC_RELAXED);
  dusk_thread *thread = number % 2 ? api_attach(heap) : NULL;
  int null = open("/dev/null", O_WRONLY);
  for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
    api_check(dusk_timeline_start(heap, KIB(4) << i % 5) == 0);
    api_check(dusk_write_timeline(heap, null) == 0);
    if (i % 3 == number)
      dusk_timeline_stop(heap);
  }
  close(null);
  if (thread)
    dusk_detach(thread);
  return NULL;
}

START_TEST(it_is_written_while_others_record)
{
  dusk_heap *heap = api_open();
  pthread_t writers[2];
  dusk_set_gc_percent(heap, 50);
  for (int i = 0; i < 2; i++)
    writers[i] = api_start(record_and_write, heap);
  allocate_in_threads(heap);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < 2; i++)
    pthread_join(writers[i], NULL);
  ck_assert_uint_gt(api_cycles(heap), 0);
  dusk_heap_close(heap);
}
END_TEST

struct reader {
  dusk_heap *heap;
  int from;
};

/* Collects, and then reads what is in the pipe. */
static void *collect_and_read(void *argument)
{
  struct reader *reader = argument;
  dusk_thread *thread = api_attach(reader->heap);
  dusk_collect(thread);
  dusk_detach(thread);
  while (read(reader->from, text, sizeof text) > 0)
    ;
  return NULL;
}

START_TEST(who_writes_holds_up_no_cycle)
{
  int ends[2];
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_timeline_start(heap, MIB(1)), 0);
  for (int i = 0; i < 200; i++)
    dusk_collect(thread); /* more than a pipe has room for */
  ck_assert_int_eq(pipe(ends), 0);
  struct reader reader = {heap, ends[0]};
  pthread_t other = api_start(collect_and_read, &reader);
  ck_assert_int_eq(dusk_write_timeline(heap, ends[1]), 0);
  close(ends[1]);
  dusk_blocking_begin(thread);
  pthread_join(other, NULL);
  dusk_blocking_end(thread);
  ck_assert_uint_eq(api_cycles(heap), 201);
  api_close(heap, thread);
}
END_TEST

START_TEST(a_file_that_takes_nothing_is_an_error_and_no_more)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_timeline_start(heap, 0), 0);
  dusk_collect(thread);
  int full = open("/dev/full", O_WRONLY);
  ck_assert_int_ge(full, 0);
  errno = 77;
  ck_assert_int_eq(dusk_write_timeline(heap, full), EIO);
  close(full);
  ck_assert_int_eq(dusk_write_timeline(heap, full), EIO);
  ck_assert_int_eq(errno, 77);
  dusk_collect(thread);
  ck_assert(has(heap, "\"cycle\":2"));
  api_close(heap, thread);
}
END_TEST

START_TEST(a_child_records_nothing_until_it_asks)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_timeline_start(heap, 0), 0);
  dusk_collect(thread);
  pid_t child = fork();
  if (child == 0) {
    bool good = !has(heap, "\"cycle\"");
    dusk_collect(thread);
    good = good && !has(heap, "\"cycle\"");
    good = good && dusk_timeline_start(heap, 0) == 0;
    dusk_collect(thread);
    good = good && has(heap, "\"cycle\"") && has(heap, "\"driver\"");
    dusk_detach(thread);
    dusk_heap_close(heap);
    _exit(good ? 0 : 1);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  ck_assert(has(heap, "\"cycle\""));
  api_close(heap, thread);
}
END_TEST

/* ---- for tests/timeline.sh ---- */

static const char *timeline_name, *stats_name;

/* Writes the timeline, and what the counters say of the same cycles. */
START_TEST(record)
{
  static dusk_memstats stats;
  dusk_heap *heap = api_open();
  dusk_set_gc_percent(heap, 50);
  ck_assert_int_eq(dusk_timeline_start(heap, MIB(16)), 0);
  while (api_cycles(heap) < CYCLES) /* few, if the collector is kept waiting */
    allocate_in_threads(heap);
  dusk_set_gc_percent(heap, -1);
  /* The last cycle is over when one that was asked for after it is. */
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread);
  dusk_detach(thread);
  int file = open(timeline_name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  ck_assert_int_eq(dusk_write_timeline(heap, file), 0);
  close(file);
  dusk_read_memstats(heap, &stats);
  FILE *figures = fopen(stats_name, "w");
  ck_assert_ptr_nonnull(figures);
  fprintf(figures, "%u %llu\n", (unsigned)stats.num_gc,
          (unsigned long long)stats.pause_total_ns);
  fclose(figures);
  dusk_heap_close(heap);
}
END_TEST

int main(int count, char **arguments)
{
  Suite *suite = suite_create("timeline");
  TCase *cases = api_case(suite, "timeline");
  if (count == 3) {
    timeline_name = arguments[1];
    stats_name = arguments[2];
    tcase_add_test(cases, record);
    return api_run(suite);
  }
  tcase_add_test(cases, arguments_are_checked);
  tcase_add_test(cases, a_collection_is_there_with_its_phases);
  tcase_add_test(cases, it_is_written_while_others_record);
  tcase_add_test(cases, who_writes_holds_up_no_cycle);
  tcase_add_test(cases, a_file_that_takes_nothing_is_an_error_and_no_more);
  if (!SANITIZED) /* no threads in a child of theirs */
    tcase_add_test(cases, a_child_records_nothing_until_it_asks);
  return api_run(suite);
}
