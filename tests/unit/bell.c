/* SPDX-License-Identifier: MIT */
/* Test of os/bell.c: a signal rings, and only the bells that hang for it. */
#include "unit.h"

#include "base/atomic.h"
#include "os/bell.h"
#include "os/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

static uint32_t rings; /* atomic */
static uint32_t ends;  /* atomic */

static void *wait_for_rings(void *argument)
{
  const struct bell *bell = argument;
  for (;;) {
    bell_wait(*bell);
    if (LOAD_ACQUIRE(&ends))
      return NULL;
    ADD_RELAXED(&rings, 1);
  }
}

static void await_rings(uint32_t count)
{
  while (LOAD_RELAXED(&rings) < count)
    clock_sleep(100 * 1000);
}

START_TEST(a_signal_rings_once_each_time)
{
  struct bell bell;
  pthread_t waiter;
  ck_assert_int_eq(bell_hang(&bell, SIGUSR1), 0);
  ck_assert_int_eq(pthread_create(&waiter, NULL, wait_for_rings, &bell), 0);
  for (uint32_t i = 1; i <= 20; i++) {
    ck_assert_int_eq(raise(SIGUSR1), 0);
    await_rings(i);
  }
  bell_ring(bell);
  await_rings(21);
  STORE_RELEASE(&ends, 1);
  bell_ring(bell);
  pthread_join(waiter, NULL);
  ck_assert_uint_eq(rings, 21);
  bell_take_down(bell);
  raise(SIGUSR1); /* and nothing happens */
}
END_TEST

START_TEST(each_bell_has_its_signal)
{
  struct bell one, other, both;
  ck_assert_int_eq(bell_hang(&one, SIGUSR1), 0);
  ck_assert_int_eq(bell_hang(&other, SIGUSR2), 0);
  ck_assert_int_eq(bell_hang(&both, SIGUSR1), 0);
  raise(SIGUSR1);
  bell_wait(one);
  bell_wait(both);
  raise(SIGUSR2);
  bell_wait(other); /* would wait for ever */
}
END_TEST

START_TEST(late_rings_are_forgotten)
{
  struct bell bell, next;
  ck_assert_int_eq(bell_hang(&bell, SIGUSR1), 0);
  raise(SIGUSR1);
  raise(SIGUSR1);
  bell_take_down(bell);
  ck_assert_int_eq(bell_hang(&next, SIGUSR2), 0);
  ck_assert_uint_eq(next.index, bell.index);
  raise(SIGUSR2);
  bell_wait(next);
  pthread_t waiter;
  ck_assert_int_eq(pthread_create(&waiter, NULL, wait_for_rings, &next), 0);
  bell_ring(next);
  await_rings(1);
  clock_sleep(20 * 1000 * 1000);
  ck_assert_uint_eq(LOAD_RELAXED(&rings), 1);
}
END_TEST

START_TEST(there_are_eight)
{
  struct bell bells[8], more;
  for (int i = 0; i < 8; i++)
    ck_assert_int_eq(bell_hang(&bells[i], SIGUSR1), 0);
  ck_assert_int_eq(bell_hang(&more, SIGUSR1), EAGAIN);
  bell_take_down(bells[3]);
  ck_assert_int_eq(bell_hang(&more, SIGUSR1), 0);
  ck_assert_uint_eq(more.index, 3);
}
END_TEST

static void handle(int number)
{
  (void)number;
}

START_TEST(not_every_signal_is_to_be_had)
{
  struct bell bell;
  static const uint64_t wrong[] = {
      0,       SIGSEGV, SIGBUS,  SIGFPE, SIGILL,     SIGTRAP,
      SIGABRT, SIGKILL, SIGSTOP, NSIG,   UINT64_MAX,
  };
  for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ck_assert_int_eq(bell_hang(&bell, wrong[i]), EINVAL);
  signal(SIGUSR1, handle);
  ck_assert_int_eq(bell_hang(&bell, SIGUSR1), EBUSY);
  ck_assert_int_eq(bell_hang(&bell, SIGUSR2), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("bell");
  TCase *cases = tcase_create("bell");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, a_signal_rings_once_each_time);
  tcase_add_test(cases, each_bell_has_its_signal);
  tcase_add_test(cases, late_rings_are_forgotten);
  tcase_add_test(cases, there_are_eight);
  tcase_add_test(cases, not_every_signal_is_to_be_had);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
