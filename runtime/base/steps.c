/* SPDX-License-Identifier: MIT */
/* steps.c -- a test that decides which thread runs next
 *
 * Tested by tests/steps. */
#include "base/steps.h"

#include <sched.h>

const struct steps *steps_table;

void steps_yield(void)
{
  if (steps_taken())
    steps_taken()->yield();
  else
    sched_yield();
}
