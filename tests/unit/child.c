/* SPDX-License-Identifier: MIT */
/* Test of os/child.c: a copy of the process, and what becomes of a snapshot
 * when there is none, or it ends too early. */
#include "unit.h"

#include "os/child.h"

#include "dusk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int value = 1;

START_TEST(a_child_has_memory_as_it_was)
{
  int *common = child_share(4096);
  ck_assert_ptr_nonnull(common);
  ck_assert_int_eq(*common, 0);
  int child = child_begin();
  if (child == 0) {
    *common = 10 + value;
    value = 3;
    child_end(0);
  }
  ck_assert_int_gt(child, 0);
  ck_assert(child_wait(child));
  ck_assert_int_eq(*common, 11);
  ck_assert_int_eq(value, 1);
  child_unshare(common, 4096);
}
END_TEST

START_TEST(a_bad_end_is_told)
{
  int child = child_begin();
  if (child == 0)
    child_end(1);
  ck_assert(!child_wait(child));
  child = child_begin();
  if (child == 0)
    raise(SIGKILL);
  ck_assert(!child_wait(child));
  errno = 77;
  ck_assert(!child_wait(child)); /* it is gone */
  ck_assert_int_eq(errno, 77);
}
END_TEST

START_TEST(a_child_that_keeps_silent_ends)
{
  int child = child_begin();
  if (child == 0) {
    child_settle(-1);
    child_expect(1);
    for (;;)
      pause();
  }
  ck_assert(!child_wait(child));
}
END_TEST

/* And stderr. */
START_TEST(a_child_keeps_one_file)
{
  int ends[2], kept[2];
  char byte;
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(pipe(kept), 0);
  int child = child_begin();
  if (child == 0) {
    child_settle(kept[1]);
    bool good =
        write(kept[1], "x", 1) == 1 && fcntl(STDERR_FILENO, F_GETFD) >= 0;
    /* Where the system can close the others. */
    good =
        good && (fcntl(ends[1], F_GETFD) < 0 || fcntl(kept[0], F_GETFD) >= 0);
    child_end(!good);
  }
  ck_assert(child_wait(child));
  ck_assert_int_eq(read(kept[0], &byte, 1), 1);
}
END_TEST

static void fail_if_called(int number)
{
  (void)number;
  _exit(3);
}

START_TEST(a_child_has_no_handler)
{
  struct sigaction action = {.sa_handler = fail_if_called};
  ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
  int child = child_begin();
  if (child == 0) {
    struct sigaction now;
    child_settle(-1);
    sigaction(SIGUSR1, NULL, &now);
    child_end(now.sa_handler != SIG_DFL);
  }
  ck_assert(child_wait(child));
}
END_TEST

/* ---- a snapshot without one ---- */

static int refusal;

static int refuse(void)
{
  errno = refusal;
  return -1;
}

static int snapshot(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(dusk_heap_open(NULL, &heap), 0);
  ck_assert_int_eq(dusk_attach(heap, &thread), 0);
  int error = dusk_write_snapshot(heap, fileno(file));
  /* The heap works as before. */
  ck_assert_ptr_nonnull(dusk_alloc(thread, DUSK_LEAF, 100));
  dusk_collect(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  fclose(file);
  return error;
}

START_TEST(a_refusal_is_an_answer)
{
  child_system.begin = refuse;
  refusal = EAGAIN;
  errno = 77;
  ck_assert_int_eq(child_begin(), -EAGAIN);
  ck_assert_int_eq(errno, 77);
  ck_assert_int_eq(snapshot(), EAGAIN);
  refusal = ENOMEM;
  ck_assert_int_eq(snapshot(), ENOMEM);
}
END_TEST

static struct child_table before;

static int end_at_once(void)
{
  int child = before.begin();
  if (child == 0)
    raise(SIGKILL);
  return child;
}

START_TEST(an_early_end_is_an_error)
{
  before = child_system;
  child_system.begin = end_at_once;
  ck_assert_int_eq(snapshot(), EIO);
  child_system = before;
  ck_assert_int_eq(snapshot(), 0);
}
END_TEST

/* A program that waits for whatever there is. */
static int wait_twice(int child, int *status)
{
  before.wait(child, status);
  return before.wait(child, status);
}

START_TEST(somebody_else_may_have_waited)
{
  before = child_system;
  child_system.wait = wait_twice;
  ck_assert_int_eq(snapshot(), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("child");
  TCase *tests = tcase_create("child");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, a_child_has_memory_as_it_was);
  tcase_add_test(tests, a_bad_end_is_told);
  tcase_add_test(tests, a_child_that_keeps_silent_ends);
  tcase_add_test(tests, a_child_keeps_one_file);
  tcase_add_test(tests, a_child_has_no_handler);
  tcase_add_test(tests, a_refusal_is_an_answer);
  tcase_add_test(tests, an_early_end_is_an_error);
  tcase_add_test(tests, somebody_else_may_have_waited);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
