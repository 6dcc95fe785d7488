/* SPDX-License-Identifier: MIT */
/* harness.h -- programs that exist only as rates, and the pacer's part in them
 *
 * A simulated program allocates and scans at rates that are given for each
 * cycle.  sim_run() drives the library's own pacer through its cycles on an
 * ideal machine of eight processors, in steps of half a millisecond, and notes
 * what became of each.  A run is a function of the program alone. */
#ifndef DUSK_TESTS_SIM_HARNESS_H
#define DUSK_TESTS_SIM_HARNESS_H

#include "base/compiler.h"

/* A figure of a program, drawn anew for each cycle; cycles count from 0. */
struct sim_stream {
  double base;
  double (*change)(unsigned cycle); /* added to it; NULL: never */
};

struct sim_program {
  const char *name;
  unsigned cycles;
  int gc_percent;
  int64_t memory_limit;          /* bytes */
  uint64_t globals;              /* bytes */
  double scan_rate;              /* KiB per ms of one processor */
  struct sim_stream allocations; /* KiB per ms of one processor */
  struct sim_stream growth;      /* what survives, over what did last time */
  struct sim_stream scannable;   /* part of heap that is not leaves, 0 to 1 */
  struct sim_stream stack;       /* bytes; taken down to blocks of 2 KiB */
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

/* Fills program->cycles rows.  Fails the running test if a share of the
 * processors or of the heap comes out impossible. */
void sim_run(const struct sim_program *program, struct sim_row *rows);

double sim_goal_ratio(const struct sim_row *row);    /* peak / goal */
double sim_trigger_ratio(const struct sim_row *row); /* way from live to goal */
int64_t sim_runway(const struct sim_row *row);       /* goal - trigger, bytes */

/* Shapes to make streams of: from 0 in a straight line to height, reached at
 * cycle length; a sine wave. */
double sim_ramp(double height, unsigned length, unsigned cycle);
double sim_oscillate(double height, unsigned period, unsigned cycle);

#endif
