/* SPDX-License-Identifier: MIT */
/* Test of os/clock.c: which clock runs when. */
#include "unit.h"

#include "os/clock.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static const uint64_t ms = 1000000;

/* Keeps the processor until the thread has used `ns` of it. */
static void burn(uint64_t ns)
{
  uint64_t end = clock_thread_cpu() + ns;
  while (clock_thread_cpu() < end)
    continue;
}

START_TEST(now_goes_forward)
{
  uint64_t start = clock_now();
  uint64_t last = start;
  for (int i = 0; i < 100000; i++) {
    uint64_t now = clock_now();
    ck_assert_uint_ge(now, last);
    last = now;
  }
  ck_assert_uint_gt(last, start);
}
END_TEST

START_TEST(wall_is_the_system_time)
{
  uint64_t before = (uint64_t)time(NULL);
  uint64_t wall = clock_wall() / 1000000000;
  /* time() may lag behind by a tick of the kernel. */
  ck_assert_uint_ge(wall, before);
  ck_assert_uint_le(wall, (uint64_t)time(NULL) + 1);
}
END_TEST

START_TEST(processor_time_runs_while_working)
{
  uint64_t now = clock_now();
  uint64_t process = clock_process_cpu();
  burn(20 * ms);
  ck_assert_uint_ge(clock_process_cpu() - process, 20 * ms);
  ck_assert_uint_ge(clock_now() - now, 20 * ms);
}
END_TEST

START_TEST(processor_time_stands_while_sleeping)
{
  uint64_t now = clock_now();
  uint64_t thread = clock_thread_cpu();
  uint64_t process = clock_process_cpu();
  clock_sleep(100 * ms);
  ck_assert_uint_ge(clock_now() - now, 100 * ms);
  ck_assert_uint_lt(clock_thread_cpu() - thread, 50 * ms);
  ck_assert_uint_lt(clock_process_cpu() - process, 50 * ms);
}
END_TEST

START_TEST(sleep_of_nothing_returns)
{
  uint64_t now = clock_now();
  clock_sleep(0);
  clock_sleep(1);
  ck_assert_uint_lt(clock_now() - now, 3000 * ms);
}
END_TEST

static volatile sig_atomic_t alarms;

static void count_alarm(int signal_number)
{
  (void)signal_number;
  alarms++;
}

START_TEST(sleep_outlasts_signals)
{
  struct sigaction action = {.sa_handler = count_alarm};
  struct itimerval every_ms = {{0, 1000}, {0, 1000}};
  struct itimerval never = {{0, 0}, {0, 0}};
  ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
  ck_assert_int_eq(setitimer(ITIMER_REAL, &every_ms, NULL), 0);
  uint64_t now = clock_now();
  errno = EXDEV;
  clock_sleep(50 * ms);
  ck_assert_int_eq(errno, EXDEV);
  ck_assert_uint_ge(clock_now() - now, 50 * ms);
  setitimer(ITIMER_REAL, &never, NULL);
  ck_assert_int_gt(alarms, 0);
}
END_TEST

/* The longest sleep there is: only a signal that kills ends it. */
START_TEST(endless_sleep)
{
  struct itimerval once = {{0, 0}, {0, 50000}};
  signal(SIGALRM, SIG_DFL);
  setitimer(ITIMER_REAL, &once, NULL);
  clock_sleep(UINT64_MAX);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("clock");
  TCase *cases = tcase_create("clock");
  tcase_add_test(cases, now_goes_forward);
  tcase_add_test(cases, wall_is_the_system_time);
  tcase_add_test(cases, processor_time_runs_while_working);
  tcase_add_test(cases, processor_time_stands_while_sleeping);
  tcase_add_test(cases, sleep_of_nothing_returns);
  tcase_add_test(cases, sleep_outlasts_signals);
  tcase_add_test_raise_signal(cases, endless_sleep, SIGALRM);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
