/* SPDX-License-Identifier: MIT */
/* world.h -- programs that exist only as rates, and the pacer's part in
 * them
 *
 *   rates of a cycle --> [world] --> what became of the cycle
 *
 * A simulated program allocates and scans at rates that are given for each
 * cycle.  The world drives the library's own pacer through its cycles on an
 * ideal machine, in steps of half a millisecond.  What comes out is a function
 * of what goes in alone, to the last bit.
 *
 * Knows nothing of expressions, files and options: a test that has measured the
 * rates of a real program can ask here what the model expects of it. */
#ifndef DUSK_LAB_SIM_WORLD_H
#define DUSK_LAB_SIM_WORLD_H

#include "base/compiler.h"
#include "pace/pacer.h"

enum { SIM_CORES_MAX = 4096 };

/* No size in a world grows beyond this many bytes. */
#define SIM_BYTES_MAX (UINT64_C(1) << 60)

/* What holds for all cycles. */
struct sim_setup {
  enum pacer_policy policy;
  unsigned trigger_low;  /* percent; see pacer_set_bounds() */
  unsigned trigger_high; /* the same */
  int gc_percent;        /* negative: off */
  int64_t memory_limit;  /* bytes; PACER_NO_LIMIT */
  unsigned cores;        /* 1 to SIM_CORES_MAX */
  uint64_t globals;      /* bytes of root ranges, at most SIM_BYTES_MAX */
};

/* What the program does in one cycle. */
struct sim_rates {
  double alloc;     /* KiB that a processor allocates in a ms; >= 0.0001 */
  double scan;      /* KiB that a processor marks in a ms; >= 0.0001 */
  double growth;    /* what survives, over what did last time; >= 0.0001 */
  double scannable; /* part of the heap that is not leaves, 0 to 1 */
  double stack;     /* bytes; taken down to blocks of 2 KiB */
  double jump;      /* bytes allocated at a stroke, half of the marking done */
  double idle;      /* part of the processors that the program never uses, and
                       that mark besides the quarter, 0 to 0.75 */
};

/* One cycle, when its mark phase has just ended. */
struct sim_row {
  unsigned cycle;     /* from 1 */
  double utilization; /* share of the processors that marked, 0 to 1 */
  uint64_t live;      /* marked by the cycle before, bytes */
  uint64_t trigger;   /* size of the heap when it began, bytes */
  uint64_t peak;      /* when it ended, bytes */
  uint64_t goal;      /* bytes */
};

enum sim_error {
  SIM_FINE,
  SIM_NEVER,     /* neither percent nor limit sets a goal */
  SIM_TOO_LARGE, /* a rate is not a number below 2^60, or a size outgrew that */
  SIM_ENDLESS,   /* marking is so slow that the cycle hardly ends */
  SIM_IMPOSSIBLE /* a share came out below 0 or above 1: the pacer is at fault
                  */
};

/* Written by sim_world_*() alone. */
struct sim_world {
  struct pacer pacer;
  unsigned cores;
  uint64_t globals;
  unsigned cycles; /* that are over */

  /* Of the cycle that runs. */
  struct pacer_work done;
  struct pacer_work left;
  uint64_t jump;    /* bytes, until they are allocated */
  uint64_t jump_at; /* when so much work is left, bytes */
  uint64_t assist_ns;
  uint64_t idle_ns;
  uint64_t duration_ns;
  uint64_t quiet_ns;   /* before it, when nothing marked */
  uint64_t born_black; /* bytes allocated while it marked */
  uint64_t survivors;  /* bytes that live on, besides those */
};

void sim_world_init(struct sim_world *world, const struct sim_setup *setup);

/* Runs one cycle.  A rate out of its range is taken as the nearest within.
 * After an error the world is of no use but to be initialized again. */
WARN_UNUSED enum sim_error sim_world_cycle(struct sim_world *world,
                                           const struct sim_rates *rates,
                                           struct sim_row *row);

/* What an error means, to follow "cycle N: ". */
const char *sim_error_text(enum sim_error error);

double sim_goal_ratio(const struct sim_row *row);    /* peak / goal */
double sim_trigger_ratio(const struct sim_row *row); /* way from live to goal */
int64_t sim_runway(const struct sim_row *row);       /* goal - trigger, bytes */

#endif
