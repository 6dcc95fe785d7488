/* SPDX-License-Identifier: MIT */
/* recorder.c -- DUSK_DEBUG=timeline=FILE and recorder=FILE: when they write,
 * where, and what becomes of a file that cannot be written */
#include "api.h"

#include <glob.h>

static char folder[] = "/tmp/dusk-recorder.XXXXXX";

static void set_up(void)
{
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
  char pattern[64];
  glob_t found;
  snprintf(pattern, sizeof pattern, "%s/*", folder);
  if (glob(pattern, 0, NULL, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; i++)
      unlink(found.gl_pathv[i]);
    globfree(&found);
  }
  rmdir(folder);
}

/* Of files that match. */
static size_t files(const char *pattern)
{
  char path[128];
  glob_t found;
  snprintf(path, sizeof path, "%s/%s", folder, pattern);
  if (glob(path, 0, NULL, &found) != 0)
    return 0;
  size_t count = found.gl_pathc;
  globfree(&found);
  return count;
}

/* The file is a timeline with a cycle, to its end. */
static void check_file(const char *name)
{
  static char text[1 << 20];
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  ck_assert_msg(file != NULL, "no %s", name);
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  ck_assert_int_eq(strncmp(text, "{\"displayTimeUnit\"", 18), 0);
  ck_assert_ptr_nonnull(strstr(text, "\"name\":\"cycle\""));
  ck_assert_str_eq(text + length - 3, "}}\n");
}

struct what {
  const char *debug; /* with %s: the folder */
  bool exits;        /* and closes nothing */
};

/* Two heaps, a few cycles in each. */
static int run(const void *argument)
{
  const struct what *what = argument;
  dusk_heap *heaps[2];
  dusk_thread *threads[2];
  char debug[256];
  snprintf(debug, sizeof debug, what->debug, folder, folder);
  setenv("DUSK_DEBUG", debug, 1);
  for (int i = 0; i < 2; i++) {
    heaps[i] = api_open_with(NULL);
    threads[i] = api_attach(heaps[i]);
    for (int n = 0; n < 3; n++)
      dusk_collect(threads[i]);
  }
  if (what->exits)
    exit(0);
  for (int i = 0; i < 2; i++)
    api_close(heaps[i], threads[i]);
  return 0;
}

static void run_silently(const struct what *what)
{
  struct api_child child;
  api_fork(&child, run, what);
  api_assert_silent(&child);
}

START_TEST(a_timeline_is_written_when_the_heap_closes)
{
  run_silently(&(struct what){"timeline=%s/t", _i == 1});
  check_file("t");
  check_file("t.2");
  ck_assert_uint_eq(files("*"), 2);
}
END_TEST

START_TEST(the_process_is_in_the_name)
{
  run_silently(&(struct what){"timeline=%s/t-%%p", false});
  ck_assert_uint_eq(files("t-[0-9]*"), 2);
  ck_assert_uint_eq(files("*%*"), 0);
}
END_TEST

/* Each service takes longer than 0 us.  The thread of a cycle that it has asked
 * for is outside, and serves nothing itself; so a second one is needed. */
static bool stop;

static void *poll_all_the_time(void *argument)
{
  dusk_thread *thread = api_attach(argument);
  while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
    dusk_safepoint(thread);
  dusk_detach(thread);
  return NULL;
}

static int run_with_services(const void *argument)
{
  const struct what *what = argument;
  char debug[256];
  snprintf(debug, sizeof debug, what->debug, folder, folder);
  setenv("DUSK_DEBUG", debug, 1);
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  pthread_t other = api_start(poll_all_the_time, heap);
  dusk_memstats stats;
  do {
    dusk_collect(thread);
    dusk_read_memstats(heap, &stats);
  } while (stats.pause_total_ns < 20000);
  for (int n = 0; n < 20; n++)
    dusk_collect(thread);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  dusk_blocking_begin(thread);
  pthread_join(other, NULL);
  dusk_blocking_end(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(what_takes_too_long_is_written_once)
{
  struct api_child child;
  /* 1 us is little; some cycle has a service that is longer. */
  struct what what = {"recorder=%s/r,pauseus=1", false};
  api_fork(&child, run_with_services, &what);
  api_assert_silent(&child);
  check_file("r.1");
  ck_assert_uint_eq(files("r.*"), files("*")); /* and no timeline */
}
END_TEST

START_TEST(what_is_short_is_not_written)
{
  run_silently(&(struct what){"recorder=%s/r,pauseus=0,assistus=0", false});
  ck_assert_uint_eq(files("*"), 0);
}
END_TEST

START_TEST(a_timeline_that_cannot_be_written_is_one_line)
{
  static const struct what whats[] = {{"timeline=/nonexistent/t", false},
                                      {"timeline=/dev/full", false}};
  struct api_child child;
  api_fork(&child, run, &whats[_i]);
  ck_assert_int_eq(child.exit_code, 0);
  ck_assert_ptr_nonnull(strstr(child.text, "is not written: "));
}
END_TEST

static int fork_in_between(const void *argument)
{
  const struct what *what = argument;
  char debug[256];
  snprintf(debug, sizeof debug, what->debug, folder, folder);
  setenv("DUSK_DEBUG", debug, 1);
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread);
  pid_t child = fork();
  if (child == 0) {
    dusk_detach(thread);
    dusk_heap_close(heap);
    exit(0);
  }
  int status;
  bool good = waitpid(child, &status, 0) == child && status == 0 &&
              files("*") == 0; /* the child has left it alone */
  api_close(heap, thread);
  return good && files("*") == 1 ? 0 : 1;
}

START_TEST(a_child_writes_nothing)
{
  struct api_child child;
  struct what what = {"timeline=%s/t", false};
  api_fork(&child, fork_in_between, &what);
  api_assert_silent(&child);
  check_file("t");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("recorder");
  TCase *cases = api_case(suite, "recorder");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_loop_test(cases, a_timeline_is_written_when_the_heap_closes, 0, 2);
  tcase_add_test(cases, the_process_is_in_the_name);
  tcase_add_test(cases, what_takes_too_long_is_written_once);
  tcase_add_test(cases, what_is_short_is_not_written);
  tcase_add_loop_test(cases, a_timeline_that_cannot_be_written_is_one_line, 0,
                      2);
  tcase_add_test(cases, a_child_writes_nothing);
  return api_run(suite);
}
