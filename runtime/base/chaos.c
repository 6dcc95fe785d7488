/* SPDX-License-Identifier: MIT */
/* chaos.c -- widening the windows in which races happen */
#include "base/chaos.h"

#include "base/steps.h"

#include <sched.h>
#include <time.h>

static _Thread_local uint32_t state;

void (*chaos_visitor)(const char *name);

/* Most visits go on at once; one in eight yields, one in 64 sleeps 20 us to
 * 0.3 ms: long against any window, short against a test. */
static void dwell(const char *name)
{
  if (!state)
    state = (uint32_t)(uintptr_t)&state | 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  uint32_t roll = state ^ (uint32_t)(uintptr_t)name;
  if (roll % 64 == 0) {
    struct timespec rest = {.tv_nsec = 20000 + (long)(roll >> 14)};
    nanosleep(&rest, NULL);
  } else if (roll % 8 == 0) {
    sched_yield();
  }
}

void chaos_pause(const char *name)
{
  if (chaos_visitor)
    chaos_visitor(name);
  if (steps_taken())
    steps_taken()->visit(name);
  else if (!chaos_visitor)
    dwell(name);
}
