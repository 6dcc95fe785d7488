/* SPDX-License-Identifier: MIT */
/* clock.c -- nanoseconds, from the system's clocks
 *
 * Any thread, at any time; clock_now() and clock_wall() are answered without
 * entering the kernel.  errno is never changed.  Tested by tests/unit/clock.c.
 */
#include "os/clock.h"

#include "base/steps.h"

#include <errno.h>
#include <time.h>

static const uint64_t second_ns = UINT64_C(1000000000);

static uint64_t read_clock(clockid_t clock)
{
  if (steps_taken())
    return clock == CLOCK_THREAD_CPUTIME_ID ? steps_taken()->used()
                                            : steps_taken()->now();
  struct timespec now;
  clock_gettime(clock, &now); /* fails for unknown clocks only */
  return (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
}

uint64_t clock_now(void)
{
  return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall(void)
{
  return read_clock(CLOCK_REALTIME);
}

uint64_t clock_thread_cpu(void)
{
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_process_cpu(void)
{
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

/* Sleeps to a moment, not for a time: a program that is showered with signals
 * would stretch a relative sleep a little at each. */
void clock_sleep(uint64_t ns)
{
  if (steps_taken()) {
    steps_taken()->wait(NULL, "sleep", ns);
    return;
  }
  uint64_t now = clock_now();
  uint64_t end = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;
  struct timespec until = {.tv_sec = (time_t)(end / second_ns),
                           .tv_nsec = (long)(end % second_ns)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
    continue;
}
