/* SPDX-License-Identifier: MIT */
/* grid.h -- workloads times settings: the cells of dusk-lab run
 *
 * Each cell is run some times, each time in a process of its own with the
 * setting in its environment.  The runs go round by round over all cells, so
 * that what the machine does meanwhile falls on all of them.  An interrupt
 * ends the run under way; the ones before it stay. */
#ifndef DUSK_LAB_GRID_H
#define DUSK_LAB_GRID_H

#include "measured.h"
#include "lab/show/waits.h"
#include "workload.h"

enum { GRID_LIST_MAX = 32 };

struct setting {
  int gc_percent;     /* -1: off */
  uint64_t limit;     /* UINT64_MAX: off */
  const char *policy; /* as DUSK_POLICY has it */
  const char *assist; /* as DUSK_ASSIST has it */
};

/* What was asked for: every combination is a cell. */
struct grid_axes {
  struct workload workloads[GRID_LIST_MAX];
  size_t workload_count;
  int gc_percents[GRID_LIST_MAX];
  size_t gc_percent_count;
  uint64_t limits[GRID_LIST_MAX];
  size_t limit_count;
  char *policies[GRID_LIST_MAX];
  size_t policy_count;
  char *assists[GRID_LIST_MAX];
  size_t assist_count;
  unsigned repeats;
};

struct cell {
  const struct workload *workload;
  struct setting setting;
  unsigned series;       /* which limit, policy and assists: a curve */
  char series_name[96];  /* what differs between the grid's series */
  char name[128];        /* what differs between the workload's cells */
  struct measured *runs; /* those that ended well */
  unsigned *numbers;     /* which repeats those were, from 1 */
  unsigned run_count;
  double wall_s; /* of all runs that ended */
  unsigned ended;
  char why[512]; /* the first failure; "" if there was none */
  struct measured median;
  struct waits *waits;  /* of all runs */
  struct samples shown; /* of the run of median processor time */
};

struct grid {
  const struct grid_axes *axes;
  struct cell *cells; /* of one workload after the other */
  size_t count;
  unsigned series_count;
  const char *folder; /* where runs leave their traces and output */
  unsigned done;      /* runs */
  bool failed;
};

/* Lays the cells out.  Ends the program if there is no memory. */
void grid_create(struct grid *grid, const struct grid_axes *axes,
                 const char *folder);

/* Runs all cells, or those that can be until a signal comes. */
void grid_run(struct grid *grid, bool quiet);

/* Medians, and the traces that are drawn.  After grid_run(). */
void grid_finish(struct grid *grid);

/* The cell of all series and GC percents of one workload. */
static inline struct cell *grid_workload(const struct grid *grid, size_t index,
                                         size_t *count)
{
  *count = grid->count / grid->axes->workload_count;
  return &grid->cells[index * *count];
}

/* The path of a run's trace, or of another file that ends so. */
void grid_path(const struct grid *grid, const struct cell *cell,
               unsigned number, const char *ending, char *text, size_t size);

#endif
