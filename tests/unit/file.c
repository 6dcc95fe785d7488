/* SPDX-License-Identifier: MIT */
/* Test of os/file.c: files as they are, and a system that takes less than it is
 * given, is interrupted, or refuses. */
#include "unit.h"

#include "os/file.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char name[] = "/tmp/dusk-file.XXXXXX";
static int scratch; /* of that name, open */
static struct file_table real;

static void set_up(void)
{
  real = file_system;
  strcpy(strrchr(name, '.'), ".XXXXXX");
  scratch = mkstemp(name);
  ck_assert_int_ge(scratch, 0);
  errno = EXDEV;
}

/* Whatever happened inside, errno is as it was. */
static void tear_down(void)
{
  ck_assert_int_eq(errno, EXDEV);
  file_system = real;
  close(scratch);
  unlink(name);
}

static void fill_file(const char *text)
{
  ck_assert_int_eq((long)write(scratch, text, strlen(text)),
                   (long)strlen(text));
}

static void check_file(const char *expected)
{
  char text[256] = "";
  ck_assert_int_eq((long)pread(scratch, text, sizeof text - 1, 0),
                   (long)strlen(expected));
  ck_assert_str_eq(text, expected);
}

/* ---- a system that is slow ---- */

static unsigned turns; /* calls so far; every other one is interrupted */

static bool is_interrupted(void)
{
  if (turns++ % 2)
    return false;
  errno = EINTR;
  return true;
}

static int slow_open(const char *path, int flags, mode_t mode)
{
  return is_interrupted() ? -1 : real.open(path, flags, mode);
}

static ssize_t slow_read(int file, void *to, size_t bytes)
{
  return is_interrupted() ? -1 : real.read(file, to, bytes < 2 ? bytes : 2);
}

static ssize_t slow_read_at(int file, void *to, size_t bytes, off_t offset)
{
  return is_interrupted() ? -1 : real.read_at(file, to, bytes, offset);
}

static ssize_t slow_write(int file, const void *from, size_t bytes)
{
  return is_interrupted() ? -1 : real.write(file, from, bytes < 3 ? bytes : 3);
}

static void be_slow(void)
{
  file_system.open = slow_open;
  file_system.read = slow_read;
  file_system.read_at = slow_read_at;
  file_system.write = slow_write;
}

START_TEST(what_is_interrupted_is_done_again)
{
  char text[16] = "";
  be_slow();
  ck_assert_int_eq(file_write(scratch, "ten bytes.", 10), 0);
  check_file("ten bytes.");
  int file = file_open(name, O_RDONLY);
  ck_assert_int_ge(file, 0);
  ck_assert_int_eq((long)file_read(file, text, sizeof text), 2);
  ck_assert_str_eq(text, "te");
  ck_assert_int_eq((long)file_read_at(file, text, 5, 4), 5);
  ck_assert_str_eq(text, "bytes");
  file_close(file);
}
END_TEST

/* _i 0: as the system reads; 1: two bytes at a time. */
START_TEST(lines_come_one_by_one_and_long_ones_are_cut)
{
  struct file_lines lines;
  char line[6], long_line[3000];
  memset(long_line, 'x', sizeof long_line);
  long_line[sizeof long_line - 1] = '\0';
  fill_file("one\n\nthree");
  fill_file(long_line);
  fill_file("\nfive5\nlast");
  if (_i)
    be_slow();
  file_lines_open(&lines, name);
  static const char *const expected[] = {"one", "", "three", "five5", "last"};
  for (unsigned i = 0; i < 5; i++) {
    ck_assert(file_lines_next(&lines, line, sizeof line));
    ck_assert_str_eq(line, expected[i]);
  }
  ck_assert(!file_lines_next(&lines, line, sizeof line));
  ck_assert(!file_lines_next(&lines, line, sizeof line));
  file_lines_close(&lines);
}
END_TEST

START_TEST(what_is_not_there_has_no_lines)
{
  struct file_lines lines;
  char line[8];
  file_lines_open(&lines, "/nonexistent/file");
  ck_assert(!file_lines_next(&lines, line, sizeof line));
  file_lines_close(&lines);
  file_lines_open(&lines, "/tmp"); /* opened, and cannot be read */
  ck_assert(!file_lines_next(&lines, line, sizeof line));
  file_lines_close(&lines);
}
END_TEST

START_TEST(a_refusal_is_the_answer)
{
  char byte;
  ck_assert_int_eq(file_open("/nonexistent/file", O_RDONLY), -ENOENT);
  ck_assert_int_eq((long)file_read(-1, &byte, 1), -EBADF);
  ck_assert_int_eq((long)file_read_at(-1, &byte, 1, 0), -EBADF);
  ck_assert_int_eq(file_write(-1, "x", 1), -EBADF);
  file_close(-1);
  int full = file_open("/dev/full", O_WRONLY);
  if (full >= 0) {
    ck_assert_int_eq(file_write(full, "x", 1), -ENOSPC);
    file_close(full);
  }
  errno = EXDEV;
}
END_TEST

static ssize_t write_nothing(int file, const void *from, size_t bytes)
{
  (void)file;
  (void)from;
  (void)bytes;
  return 0;
}

START_TEST(what_is_never_taken_ends)
{
  file_system.write = write_nothing;
  ck_assert_int_eq(file_write(scratch, "x", 1), -EIO);
  ck_assert_int_eq(file_write(scratch, "", 0), 0);
}
END_TEST

START_TEST(a_link_that_does_not_fit_is_none)
{
  char link[64], to[64];
  snprintf(link, sizeof link, "%s.link", name);
  ck_assert_int_eq(symlink("target", link), 0);
  ck_assert(file_read_link(link, to, sizeof to));
  ck_assert_str_eq(to, "target");
  ck_assert(file_read_link(link, to, 7));
  ck_assert(!file_read_link(link, to, 6));
  ck_assert(!file_read_link(name, to, sizeof to));
  unlink(link);
}
END_TEST

/* ---- signals ---- */

static volatile sig_atomic_t delivered;

static void count_signal(int number)
{
  (void)number;
  delivered++;
}

/* Writes to a pipe that nobody reads, or to a file that may not grow so far. */
static int write_in_vain(int number)
{
  int ends[2];
  if (number == SIGPIPE) {
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    int error = file_write(ends[1], "ab", 2);
    close(ends[1]);
    return error;
  }
  struct rlimit before, limit = {1, RLIM_INFINITY};
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit.rlim_max = before.rlim_max;
  /* Check has a file too: no assertion in between. */
  int refused = setrlimit(RLIMIT_FSIZE, &limit);
  int error = file_write(scratch, "ab", 2);
  refused |= setrlimit(RLIMIT_FSIZE, &before);
  ck_assert_int_eq(refused, 0);
  return error;
}

static const int numbers[] = {SIGPIPE, SIGXFSZ};
static const int errors[] = {-EPIPE, -EFBIG};

START_TEST(a_refusal_has_no_signal)
{
  sigset_t waiting, mask;
  signal(numbers[_i], count_signal);
  ck_assert_int_eq(write_in_vain(numbers[_i]), errors[_i]);
  ck_assert_int_eq(delivered, 0);
  sigpending(&waiting);
  ck_assert(!sigismember(&waiting, numbers[_i]));
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  ck_assert(!sigismember(&mask, numbers[_i]));
  raise(numbers[_i]); /* the program's own */
  ck_assert_int_eq(delivered, 1);
  errno = EXDEV;
}
END_TEST

START_TEST(a_signal_that_was_waiting_is_left)
{
  sigset_t one, waiting;
  sigemptyset(&one);
  sigaddset(&one, numbers[_i]);
  signal(numbers[_i], count_signal);
  pthread_sigmask(SIG_BLOCK, &one, NULL);
  raise(numbers[_i]);
  ck_assert_int_eq(write_in_vain(numbers[_i]), errors[_i]);
  ck_assert_int_eq(delivered, 0);
  sigpending(&waiting);
  ck_assert(sigismember(&waiting, numbers[_i]));
  pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  ck_assert_int_eq(delivered, 1);
  errno = EXDEV;
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("file");
  TCase *file = tcase_create("file");
  tcase_add_checked_fixture(file, set_up, tear_down);
  tcase_add_test(file, what_is_interrupted_is_done_again);
  tcase_add_loop_test(file, lines_come_one_by_one_and_long_ones_are_cut, 0, 2);
  tcase_add_test(file, what_is_not_there_has_no_lines);
  tcase_add_test(file, a_refusal_is_the_answer);
  tcase_add_test(file, what_is_never_taken_ends);
  tcase_add_test(file, a_link_that_does_not_fit_is_none);
  tcase_add_loop_test(file, a_refusal_has_no_signal, 0, 2);
  tcase_add_loop_test(file, a_signal_that_was_waiting_is_left, 0, 2);
  suite_add_tcase(suite, file);
  return unit_run(suite);
}
