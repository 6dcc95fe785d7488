/* SPDX-License-Identifier: MIT */
/* worker.h -- marking in the background, and how much of a processor it takes
 *
 * A quarter of the processors marks while a cycle runs (PACING 3.7): whole
 * workers from four processors on, and below that one worker that takes turns
 * with the program.  A worker holds back only when the program wants its
 * processor: while threads in the heap are fewer than the processors, there is
 * one to spare.
 *
 * Besides, idle workers mark on processors that neither the program nor a
 * worker wants.  What they use is counted apart, and so is what a worker uses
 * beyond its share of a processor to spare: it costs the program nothing. */
#ifndef DUSK_COLLECT_WORKER_H
#define DUSK_COLLECT_WORKER_H

#include "collect/mark.h"

/* One worker's share of a cycle's time. */
struct turn {
  struct collector *collector;
  double share;       /* of a processor, 0 to 1: that it may take */
  double fair;        /* and its part of the quarter */
  uint64_t began_ns;  /* wall */
  uint64_t cpu_ns;    /* of this thread when it began */
  uint64_t noted_ns;  /* processor time already counted */
  uint64_t looked_ns; /* wall, at the last count */
  bool wakes_idle;    /* it still has to */
  struct track *track;
};

void turn_begin(struct turn *turn, struct collector *collector,
                unsigned worker);

/* Marks for a while, then holds back if it has to.  false: the grey set has
 * run dry. */
bool turn_mark(struct turn *turn, struct dusk_tracer *tracer);

/* Counts the processor time since the last count. */
void turn_count(struct turn *turn);

/* Workers besides the driver, and idle workers, as many as the collector says.
 * Returns 0, EAGAIN or ENOMEM. */
WARN_UNUSED int helpers_start(struct collector *collector);
void helpers_stop(struct collector *collector);

/* What they record, from before they start until after they stop.  Returns 0
 * or ENOMEM. */
WARN_UNUSED int helpers_make_tracks(struct collector *collector);
void helpers_drop_tracks(struct collector *collector);

/* The driver begins to mark: wakes the helpers, and lets idle workers in. */
void helpers_wake(struct collector *collector);

/* Workers for a number of processors; the driver is one. */
unsigned worker_count(unsigned processors);

/* Idle workers to be had on a number of processors beside so many workers. */
unsigned worker_idle_count(unsigned processors, unsigned workers);

/* One of collector->helper_count threads of ours. */
pthread_t helper_thread(const struct collector *collector, unsigned index);

#endif
