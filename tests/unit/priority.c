/* SPDX-License-Identifier: MIT */
/* Test of os/priority.c: which thread is made idle, and that it runs. */
#include "unit.h"

#include "fixture.h"
#include "os/clock.h"
#include "os/priority.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool became;
static int policy;
static int nice_value;
static int error;

static void be_idle(unsigned index)
{
  (void)index;
  errno = EXDEV;
  became = priority_be_idle();
  error = errno;
  policy = sched_getscheduler(0);
  nice_value = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}

START_TEST(the_calling_thread_is_the_least)
{
  fixture_threads(1, be_idle);
  ck_assert(became);
  ck_assert(policy == SCHED_IDLE || nice_value == 19);
  ck_assert_int_eq(error, EXDEV);
}
END_TEST

START_TEST(other_threads_stay_as_they_are)
{
  int before = sched_getscheduler(0);
  int nice_before = getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
  fixture_threads(1, be_idle);
  ck_assert_int_eq(sched_getscheduler(0), before);
  ck_assert_int_eq(getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid)),
                   nice_before);
}
END_TEST

static void be_idle_twice(unsigned index)
{
  be_idle(index);
  be_idle(index);
}

START_TEST(twice_is_no_error)
{
  fixture_threads(1, be_idle_twice);
  ck_assert(became);
}
END_TEST

static unsigned idle; /* threads that became so; atomic */

static void be_idle_and_work(unsigned index)
{
  (void)index;
  if (priority_be_idle())
    __atomic_fetch_add(&idle, 1, __ATOMIC_RELAXED);
  uint64_t end = clock_thread_cpu() + 5 * 1000 * 1000;
  while (clock_thread_cpu() < end)
    continue;
}

/* More of them than processors: the test ends, so all got some time. */
START_TEST(idle_threads_run)
{
  fixture_threads(16, be_idle_and_work);
  ck_assert_uint_eq(idle, 16);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("priority");
  TCase *cases = tcase_create("priority");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, the_calling_thread_is_the_least);
  tcase_add_test(cases, other_threads_stay_as_they_are);
  tcase_add_test(cases, twice_is_no_error);
  tcase_add_test(cases, idle_threads_run);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
