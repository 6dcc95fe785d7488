/* SPDX-License-Identifier: MIT */
/* profilefile.c -- DUSK_DEBUG=heapprofile=FILE: what a program that knows
 * nothing of profiles leaves behind, and what it is told of mistakes */
#include "pprof.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>

static char folder[] = "/tmp/dusk-profiles.XXXXXX";

static void set_up(void)
{
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *path_of(const char *name)
{
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void tear_down(void)
{
  DIR *names = opendir(folder);
  for (struct dirent *name; (name = readdir(names));)
    unlink(path_of(name->d_name));
  closedir(names);
  rmdir(folder);
}

/* What the child runs under; "%s" is the folder. */
static void set_debug(const char *form)
{
  char text[1024];
  snprintf(text, sizeof text, form, folder, folder);
  setenv("DUSK_DEBUG", text, 1);
}

static dusk_heap *open_heap(void)
{
  dusk_heap *heap;
  if (dusk_heap_open(NULL, &heap) != 0)
    _exit(2);
  return heap;
}

static dusk_thread *fill(dusk_heap *heap, size_t bytes)
{
  dusk_thread *thread;
  if (dusk_attach(heap, &thread) != 0)
    _exit(2);
  for (; bytes >= 1024; bytes -= 1024)
    if (!dusk_alloc(thread, DUSK_LEAF, 1024))
      _exit(2);
  dusk_collect(thread); /* a profile is as of the last cycle */
  return thread;
}

static uint64_t allocated_in(const char *name)
{
  struct read_profile p;
  pprof_read(&p, path_of(name));
  uint64_t bytes = pprof_sum(&p, "alloc_space", NULL, NULL);
  pprof_free(&p);
  return bytes;
}

static bool is_there(const char *name)
{
  return access(path_of(name), F_OK) == 0;
}

#define assert_about(bytes, wanted)                                            \
  do {                                                                         \
    uint64_t found_ = (bytes);                                                 \
    ck_assert_msg(found_ > (wanted) / 10 * 8 && found_ < (wanted) / 10 * 12,   \
                  "%llu bytes", (unsigned long long)found_);                   \
  } while (0)

/* ---- when it is written ---- */

static int close_a_heap(const void *argument)
{
  dusk_heap *heap = open_heap();
  (void)argument;
  dusk_detach(fill(heap, MIB(16)));
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_heap_that_is_closed_leaves_its_profile)
{
  struct api_child child;
  struct read_profile p;
  set_debug("heapprofile=%s/heap,lifetimeprofile=%s/life,memprofilerate=4096");
  api_fork(&child, close_a_heap, NULL);
  api_assert_silent(&child);
  assert_about(allocated_in("heap"), MIB(16));
  pprof_read(&p, path_of("life"));
  ck_assert(text_is(&p, p.shown, "died_young_space"));
  ck_assert_uint_eq(p.period, 4096);
  pprof_free(&p);
}
END_TEST

static int exit_with_a_heap(const void *argument)
{
  (void)argument;
  fill(open_heap(), MIB(16));
  exit(0);
}

START_TEST(a_program_that_exits_leaves_it_too)
{
  struct api_child child;
  set_debug("heapprofile=%s/heap,memprofilerate=4096");
  api_fork(&child, exit_with_a_heap, NULL);
  api_assert_silent(&child);
  assert_about(allocated_in("heap"), MIB(16));
}
END_TEST

START_TEST(the_rate_is_half_a_mib_if_nobody_says)
{
  struct api_child child;
  struct read_profile p;
  set_debug("heapprofile=%s/heap");
  api_fork(&child, close_a_heap, NULL);
  api_assert_silent(&child);
  pprof_read(&p, path_of("heap"));
  ck_assert_uint_eq(p.period, DUSK_PROFILE_RATE);
  pprof_free(&p);
}
END_TEST

static int open_two(const void *argument)
{
  dusk_heap *heaps[2] = {open_heap(), open_heap()};
  (void)argument;
  dusk_detach(fill(heaps[0], MIB(4)));
  dusk_detach(fill(heaps[1], MIB(16)));
  dusk_heap_close(heaps[0]);
  exit(0);
}

START_TEST(each_heap_has_its_file)
{
  struct api_child child;
  set_debug("heapprofile=%s/heap,memprofilerate=1024");
  api_fork(&child, open_two, NULL);
  api_assert_silent(&child);
  assert_about(allocated_in("heap"), MIB(4));
  assert_about(allocated_in("heap.2"), MIB(16));
}
END_TEST

/* ---- the signal ---- */

static int send_signals(const void *argument)
{
  dusk_heap *heap = open_heap();
  dusk_thread *thread = fill(heap, MIB(4));
  const char *path = path_of("heap");
  (void)argument;
  for (int i = 0; i < 3; i++) {
    unlink(path);
    raise(SIGUSR2);
    while (access(path, F_OK) != 0)
      api_sleep_us(1000);
  }
  /* It may be half written: the next one waits for its end. */
  raise(SIGUSR2);
  dusk_detach(thread);
  unsetenv("DUSK_DEBUG");
  _exit(0);
}

START_TEST(a_signal_has_it_written)
{
  struct api_child child;
  char text[64];
  snprintf(text, sizeof text,
           "heapprofile=%%s/heap,memprofilerate=1024,heapprofilesig=%d",
           SIGUSR2);
  set_debug(text);
  api_fork(&child, send_signals, NULL);
  api_assert_silent(&child);
  ck_assert(is_there("heap"));
}
END_TEST

static int close_after_signals(const void *argument)
{
  dusk_heap *heap = open_heap();
  for (int i = 0; i < 50; i++)
    raise(SIGUSR2);
  close_a_heap(argument);
  dusk_detach(fill(heap, MIB(16)));
  raise(SIGUSR2);
  dusk_heap_close(heap);
  raise(SIGUSR2); /* nobody waits for it any more */
  return 0;
}

START_TEST(a_heap_may_be_closed_while_signals_come)
{
  struct api_child child;
  char text[64];
  snprintf(text, sizeof text,
           "heapprofile=%%s/heap,memprofilerate=1024,heapprofilesig=%d",
           SIGUSR2);
  set_debug(text);
  api_fork(&child, close_after_signals, NULL);
  api_assert_silent(&child);
  assert_about(allocated_in("heap"), MIB(16));
  assert_about(allocated_in("heap.2"), MIB(16));
}
END_TEST

/* ---- a fork ---- */

static int fork_on(const void *argument)
{
  dusk_heap *heap = open_heap();
  dusk_thread *thread = fill(heap, MIB(4));
  int status = 1;
  (void)argument;
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 12 * 1024; i++)
      if (!dusk_alloc(thread, DUSK_LEAF, 1024))
        _exit(2);
    dusk_collect(thread);
    exit(0);
  }
  waitpid(pid, &status, 0);
  char number[32];
  snprintf(number, sizeof number, "heap.%ld", (long)pid);
  FILE *file = fopen(path_of("child"), "w");
  fprintf(file, "%s", number);
  fclose(file);
  bool is_its_own = strstr(getenv("DUSK_DEBUG"), "%p") != NULL;
  if (status != 0 || is_there(number) != is_its_own || is_there("heap"))
    _exit(3);
  exit(0);
}

START_TEST(a_child_writes_only_a_file_of_its_own)
{
  struct api_child child;
  if (SANITIZED)
    return; /* ThreadSanitizer's child may start no threads */
  set_debug(_i ? "heapprofile=%s/heap.%%p,memprofilerate=1024"
               : "heapprofile=%s/heap,memprofilerate=1024");
  api_fork(&child, fork_on, NULL);
  api_assert_silent(&child);
  if (_i) {
    char name[64] = "";
    FILE *file = fopen(path_of("child"), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(name, sizeof name, file));
    fclose(file);
    assert_about(allocated_in(name), MIB(16));
  } else {
    assert_about(allocated_in("heap"), MIB(4));
  }
}
END_TEST

/* ---- mistakes ---- */

START_TEST(a_file_that_cannot_be_written_costs_a_line)
{
  static const char *const names[][2] = {
      {"heapprofile=%s/no/such/folder", "No such file or directory"},
      {"heapprofile=/dev/full",
       "heapprofile=/dev/full is not written: No space left"},
      {"lifetimeprofile=/", "Is a directory"},
  };
  struct api_child child;
  set_debug(names[_i][0]);
  api_fork(&child, close_a_heap, NULL);
  api_assert_one_line(&child, names[_i][1]);
}
END_TEST

static void handle(int number)
{
  (void)number;
}

static int close_with_a_handler(const void *argument)
{
  signal(SIGUSR1, handle);
  close_a_heap(argument);
  return raise(SIGUSR1);
}

START_TEST(a_signal_that_cannot_be_had_costs_a_line)
{
  struct api_child child;
  char text[64];
  const int numbers[] = {SIGSEGV, SIGKILL, 1000, SIGUSR1};
  snprintf(text, sizeof text, "heapprofile=%%s/heap,heapprofilesig=%d",
           numbers[_i]);
  set_debug(text);
  api_fork(&child, close_with_a_handler, NULL);
  api_assert_one_line(&child, "heapprofilesig=");
  ck_assert(is_there("heap"));
}
END_TEST

START_TEST(programs_that_ask_for_no_environment_have_no_file)
{
  set_debug("heapprofile=%s/heap,memprofilerate=1024");
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_set_profile_rate(heap, -1), 0);
  dusk_heap_close(heap);
  ck_assert(!is_there("heap"));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("profilefile");
  TCase *cases = api_case(suite, "profilefile");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, a_heap_that_is_closed_leaves_its_profile);
  tcase_add_test(cases, a_program_that_exits_leaves_it_too);
  tcase_add_test(cases, the_rate_is_half_a_mib_if_nobody_says);
  tcase_add_test(cases, each_heap_has_its_file);
  tcase_add_test(cases, a_signal_has_it_written);
  tcase_add_test(cases, a_heap_may_be_closed_while_signals_come);
  tcase_add_loop_test(cases, a_child_writes_only_a_file_of_its_own, 0, 2);
  tcase_add_loop_test(cases, a_file_that_cannot_be_written_costs_a_line, 0, 3);
  tcase_add_loop_test(cases, a_signal_that_cannot_be_had_costs_a_line, 0, 4);
  tcase_add_test(cases, programs_that_ask_for_no_environment_have_no_file);
  return api_run(suite);
}
