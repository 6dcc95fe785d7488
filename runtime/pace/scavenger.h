/* SPDX-License-Identifier: MIT */
/* scavenger.h -- how much free memory a heap keeps, and how fast the rest goes
 *
 * Arithmetic only: no clock, no lock, no heap.  Targets say how many bytes may
 * stay; a pace says how long to sleep after work of a known length, so that the
 * work is one percent of a processor's time. */
#ifndef DUSK_PACE_SCAVENGER_H
#define DUSK_PACE_SCAVENGER_H

#include "base/sums.h"

/* Bytes that are given back between two looks at the clock. */
enum { SCAVENGER_QUANTUM_BYTES = 64 * 1024 };

/* No target. */
#define SCAVENGER_OFF UINT64_MAX

/* What a heap may hold between cycles, bytes: what it held in spans when the
 * last cycle's marking ended, as the goal has moved since, and a tenth more.
 * last_goal 0: no cycle has ended; a goal of UINT64_MAX is none.  `unit` is the
 * system's page. */
uint64_t scavenger_percent_target(uint64_t last_in_use, uint64_t goal,
                                  uint64_t last_goal, size_t unit);

/* What the process may hold before memory is given back in the background: a
 * twentieth below the limit.  limit INT64_MAX: none. */
uint64_t scavenger_limit_target(int64_t limit);

/* What a program that allocates nothing may hold: what is in use, and a tenth
 * more. */
uint64_t scavenger_idle_target(uint64_t in_use, size_t unit);

/* How far `held` is above the target. */
static inline uint64_t scavenger_over(uint64_t held, uint64_t target)
{
  return subtract_saturate(held, target);
}

/* The pace of background work.  Belongs to one thread. */
struct scavenger_pace {
  double ratio;       /* time of work to time of sleep */
  double integral;    /* the controller's memory */
  double cooldown_ns; /* until the controller is tried again */
  double slice_ns;    /* work since the last sleep */
  size_t page_bytes;  /* the system's */
  uint64_t failures;  /* of the controller, ever */
};

void scavenger_pace_init(struct scavenger_pace *pace, size_t page_bytes);

/* `bytes` were given back in `ns` (0: too fast for the clock).  true: the slice
 * is long enough, and it is time to sleep. */
bool scavenger_pace_worked(struct scavenger_pace *pace, uint64_t bytes,
                           uint64_t ns);

/* How long to sleep for the slice, ns. */
uint64_t scavenger_pace_sleep(const struct scavenger_pace *pace);

/* The sleep took `ns`: the slice is over, and the ratio is set anew. */
void scavenger_pace_slept(struct scavenger_pace *pace, uint64_t ns);

#endif
