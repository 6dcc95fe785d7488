/* SPDX-License-Identifier: MIT */
/* pressure.c -- how close what a program needs is to its memory limit
 *
 * Levels are parts of the limit, in 1/128: 96 are three quarters.  The last is
 * where the pacer has no headroom left (pacer.c limit_goal): cycles then follow
 * each other without a break.
 *
 * Tested by tests/unit/pressure.c. */
#include "pace/pressure.h"

#include "base/sums.h"

enum { PARTS = 128, HYSTERESIS = 8 };

static const unsigned entered_at[] = {
    [PRESSURE_MODERATE] = 96, [PRESSURE_HIGH] = 115, [PRESSURE_CRITICAL] = 124};

enum pressure pressure_next(enum pressure level, uint64_t needed,
                            uint64_t limit)
{
  enum pressure next = PRESSURE_CRITICAL;
  if (limit == UINT64_MAX)
    return PRESSURE_NONE;
  for (; next > PRESSURE_NONE; next--) {
    unsigned parts = entered_at[next];
    if (next <= level)
      parts -= HYSTERESIS;
    if (needed >= scaled(limit, parts, PARTS))
      break;
  }
  return next;
}
