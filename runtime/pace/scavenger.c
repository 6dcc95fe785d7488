/* SPDX-License-Identifier: MIT */
/* scavenger.c -- how much free memory a heap keeps, and how fast the rest goes
 *
 * The thread that gives memory back cannot know what a slice of work will cost
 * (the system may have to split a huge page, or wait for a lock), nor how long
 * a sleep will last.  So the ratio of work to sleep is steered by what came of
 * it: a proportional-integral controller with back-calculation, which takes
 * what the clamp cuts off out of its memory again.
 *
 * A slice is over when the work was at least SLICE_NS long: shorter ones would
 * be mostly wake-ups.  Where the clock is too coarse to see a quantum, it
 * counts as COARSE_NS a page.
 *
 * Tested by tests/unit/scavenger.c, with a stub for the sleep and the work. */
#include "pace/scavenger.h"

#include <math.h>

static const double share = 0.01; /* of one processor */

/* The controller: gain, integral time, reset time (ns), and its output's range
 * and beginning. */
static const double gain = 0.3375;
static const double integral_ns = 3.2e6;
static const double reset_ns = 1e9;
static const double ratio_min = 0.001;
static const double ratio_max = 1000;
static const double ratio_start = 0.001;

static const double cooldown_ns = 5e9;
static const double slice_ns = 1e6;
static const double coarse_ns = 1e4;

static uint64_t round_up(double bytes, size_t unit)
{
  if (!(bytes < 0x1p63))
    return SCAVENGER_OFF;
  return ((uint64_t)bytes + unit - 1) / unit * unit;
}

uint64_t scavenger_percent_target(uint64_t last_in_use, uint64_t goal,
                                  uint64_t last_goal, size_t unit)
{
  if (!last_goal || last_goal == UINT64_MAX || goal == UINT64_MAX)
    return SCAVENGER_OFF;
  double ratio = (double)goal / (double)last_goal;
  return round_up(1.1 * ratio * (double)last_in_use, unit);
}

uint64_t scavenger_limit_target(int64_t limit)
{
  if (limit == INT64_MAX)
    return SCAVENGER_OFF;
  return (uint64_t)(0.95 * (double)limit);
}

uint64_t scavenger_idle_target(uint64_t in_use, size_t unit)
{
  return round_up(1.1 * (double)in_use, unit);
}

void scavenger_pace_init(struct scavenger_pace *pace, size_t page_bytes)
{
  *pace =
      (struct scavenger_pace){.ratio = ratio_start, .page_bytes = page_bytes};
}

bool scavenger_pace_worked(struct scavenger_pace *pace, uint64_t bytes,
                           uint64_t ns)
{
  if (ns)
    pace->slice_ns += (double)ns;
  else
    pace->slice_ns += coarse_ns * ((double)bytes / (double)pace->page_bytes);
  return pace->slice_ns >= slice_ns;
}

uint64_t scavenger_pace_sleep(const struct scavenger_pace *pace)
{
  double sleep = pace->slice_ns / pace->ratio;
  return sleep < 0x1p62 ? (uint64_t)sleep : UINT64_C(1) << 62;
}

/* One step, from the share that the last period had.  false: the numbers have
 * left the range of doubles. */
static bool control(struct scavenger_pace *pace, double had, double period)
{
  double error = share - had;
  double wanted = gain * error + pace->integral;
  double ratio = wanted;
  if (!isfinite(wanted))
    return false;
  if (ratio < ratio_min)
    ratio = ratio_min;
  if (ratio > ratio_max)
    ratio = ratio_max;
  double integral = pace->integral + gain * period / integral_ns * error +
                    period / reset_ns * (ratio - wanted);
  if (!isfinite(integral))
    return false;
  pace->integral = integral;
  pace->ratio = ratio;
  return true;
}

void scavenger_pace_slept(struct scavenger_pace *pace, uint64_t ns)
{
  double worked = pace->slice_ns;
  double period = worked + (double)ns;
  pace->slice_ns = 0;
  if (pace->cooldown_ns > 0) {
    pace->cooldown_ns -= period;
  } else if (!control(pace, worked / period, period)) {
    pace->ratio = ratio_start;
    pace->integral = 0;
    pace->cooldown_ns = cooldown_ns;
    pace->failures++;
  }
}
