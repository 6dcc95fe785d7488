/* SPDX-License-Identifier: MIT */
/* grid.c -- workloads times settings; see grid.h */
#include "grid.h"

#include "lab/lab.h"
#include "progress.h"
#include "lab/show/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void name_add(char *name, size_t size, const char *text)
{
  size_t used = strlen(name);
  snprintf(name + used, size - used, "%s%s", used ? ", " : "", text);
}

/* What differs between series, and what is not the default. */
static void cell_name_series(const struct grid_axes *axes, struct cell *cell)
{
  const struct setting *setting = &cell->setting;
  char text[64];
  char *name = cell->series_name;
  size_t size = sizeof cell->series_name;
  if (axes->policy_count > 1 || strcmp(setting->policy, "go"))
    name_add(name, size, setting->policy);
  if (axes->limit_count > 1 || setting->limit != UINT64_MAX) {
    char bytes[32];
    value_print_bytes(bytes, sizeof bytes, setting->limit);
    snprintf(text, sizeof text, "limit %s", bytes);
    name_add(name, size, text);
  }
  if (axes->assist_count > 1 || strcmp(setting->assist, "full")) {
    snprintf(text, sizeof text, "assists %s", setting->assist);
    name_add(name, size, text);
  }
}

static void cell_create(const struct grid_axes *axes, struct cell *cell)
{
  cell->runs = calloc(axes->repeats, sizeof *cell->runs);
  cell->numbers = calloc(axes->repeats, sizeof *cell->numbers);
  if (!cell->runs || !cell->numbers)
    lab_fail("run: no memory for the figures of %u runs", axes->repeats);
  cell_name_series(axes, cell);
  if (cell->setting.gc_percent < 0)
    snprintf(cell->name, sizeof cell->name, "GC off");
  else
    snprintf(cell->name, sizeof cell->name, "GC %d %%",
             cell->setting.gc_percent);
  if (*cell->series_name)
    name_add(cell->name, sizeof cell->name, cell->series_name);
}

void grid_create(struct grid *grid, const struct grid_axes *axes,
                 const char *folder)
{
  size_t series = axes->limit_count * axes->policy_count * axes->assist_count;
  size_t each = series * axes->gc_percent_count;
  *grid = (struct grid){.axes = axes,
                        .folder = folder,
                        .series_count = (unsigned)series,
                        .count = axes->workload_count * each};
  grid->cells = calloc(grid->count, sizeof *grid->cells);
  if (!grid->cells)
    lab_fail("run: no memory for %zu cells", grid->count);
  for (size_t i = 0; i < grid->count; i++) {
    struct cell *cell = &grid->cells[i];
    size_t rest = i % each / axes->gc_percent_count;
    cell->workload = &axes->workloads[i / each];
    cell->series = (unsigned)rest;
    cell->setting.gc_percent = axes->gc_percents[i % axes->gc_percent_count];
    cell->setting.assist = axes->assists[rest % axes->assist_count];
    rest /= axes->assist_count;
    cell->setting.limit = axes->limits[rest % axes->limit_count];
    cell->setting.policy = axes->policies[rest / axes->limit_count];
    cell_create(axes, cell);
  }
}

void grid_path(const struct grid *grid, const struct cell *cell,
               unsigned number, const char *ending, char *text, size_t size)
{
  snprintf(text, size, "%s/cell-%03u-run-%u.%s", grid->folder,
           (unsigned)(cell - grid->cells) + 1, number, ending);
}

/* How long all the runs will take that are still to come: as long as those of
 * the same cell, or else of all cells.  -1: there was none yet. */
static double grid_left(const struct grid *grid, unsigned round, size_t next)
{
  double wall_s = 0;
  double ended = 0;
  double left = 0;
  for (size_t i = 0; i < grid->count; i++) {
    wall_s += grid->cells[i].wall_s;
    ended += grid->cells[i].ended;
  }
  if (!ended)
    return -1;
  for (size_t i = 0; i < grid->count; i++) {
    const struct cell *cell = &grid->cells[i];
    unsigned runs = grid->axes->repeats - round - (i < next);
    left += runs * (cell->ended ? cell->wall_s / cell->ended : wall_s / ended);
  }
  return left;
}

/* The environment of a run. */
struct variables {
  char text[5][4200];
  char *list[6];
};

static void variables_set(struct variables *variables,
                          const struct setting *setting, const char *trace)
{
  char(*text)[4200] = variables->text;
  const size_t size = sizeof text[0];
  if (setting->gc_percent < 0)
    snprintf(text[0], size, "DUSK_GCPERCENT=off");
  else
    snprintf(text[0], size, "DUSK_GCPERCENT=%d", setting->gc_percent);
  if (setting->limit == UINT64_MAX)
    snprintf(text[1], size, "DUSK_MEMLIMIT=off");
  else
    snprintf(text[1], size, "DUSK_MEMLIMIT=%llu",
             (unsigned long long)setting->limit);
  snprintf(text[2], size, "DUSK_POLICY=%s", setting->policy);
  snprintf(text[3], size, "DUSK_ASSIST=%s", setting->assist);
  snprintf(text[4], size, "DUSK_TRACE=%s", trace);
  for (size_t i = 0; i < 5; i++)
    variables->list[i] = text[i];
  variables->list[5] = NULL;
}

static void cell_fail(struct grid *grid, struct cell *cell, const char *why)
{
  grid->failed = true;
  if (!*cell->why)
    snprintf(cell->why, sizeof cell->why, "%s", why);
}

/* What the run that has ended well says about itself. */
static void cell_take(struct grid *grid, struct cell *cell, unsigned number,
                      const struct child *child, const struct child_end *end,
                      const char *trace)
{
  struct samples samples;
  char why[512];
  if (access(trace, F_OK)) {
    cell_fail(grid, cell, "it opened no heap that writes a trace");
  } else if (!samples_read(trace, &samples, why, sizeof why)) {
    cell_fail(grid, cell, why);
  } else {
    if (!samples.heap_count) {
      cell_fail(grid, cell, "its trace is empty");
    } else {
      measured_of_run(&cell->runs[cell->run_count], &samples, end,
                      child->out_path);
      cell->numbers[cell->run_count++] = number;
      if (!cell->waits)
        cell->waits = waits_create();
      waits_add(cell->waits, &samples);
    }
    samples_free(&samples);
  }
}

static void cell_run(struct grid *grid, struct cell *cell, unsigned number,
                     struct progress *progress)
{
  char trace[4096];
  char out[4096];
  char err[4096];
  static struct variables variables;
  grid_path(grid, cell, number, "trace", trace, sizeof trace);
  grid_path(grid, cell, number, "out", out, sizeof out);
  grid_path(grid, cell, number, "err", err, sizeof err);
  variables_set(&variables, &cell->setting, trace);
  unlink(trace); /* of an earlier grid: heaps append */
  struct child child = {cell->workload->argv, variables.list, out, err};
  struct child_end end;
  child_run(&child, progress_tick, progress, &end);
  if (child_interrupted())
    return;
  cell->wall_s += end.wall_s;
  cell->ended++;
  if (child_is_good(&end)) {
    cell_take(grid, cell, number, &child, &end, trace);
  } else {
    char why[512];
    child_explain(&child, &end, why, sizeof why);
    cell_fail(grid, cell, why);
  }
}

void grid_run(struct grid *grid, bool quiet)
{
  struct progress progress;
  progress_begin(&progress, (unsigned)grid->count * grid->axes->repeats, quiet);
  child_signals_hold();
  for (unsigned round = 0; round < grid->axes->repeats; round++) {
    for (size_t i = 0; i < grid->count && !child_interrupted(); i++) {
      struct cell *cell = &grid->cells[i];
      char now[256];
      snprintf(now, sizeof now, "%s, %s", cell->workload->name, cell->name);
      progress_start(&progress, now, grid_left(grid, round, i));
      cell_run(grid, cell, round + 1, &progress);
      grid->done = progress.done += !child_interrupted();
    }
  }
  progress_clear(&progress);
  child_signals_release();
}

/* Of the runs, the one whose processor time is the median, or just below. */
static unsigned cell_median_run(const struct cell *cell)
{
  unsigned best = 0;
  double median = cell->median.figures[MEASURED_CPU];
  for (unsigned i = 1; i < cell->run_count; i++)
    if (fabs(cell->runs[i].figures[MEASURED_CPU] - median) <
        fabs(cell->runs[best].figures[MEASURED_CPU] - median))
      best = i;
  return cell->numbers[best];
}

void grid_finish(struct grid *grid)
{
  for (size_t i = 0; i < grid->count; i++) {
    struct cell *cell = &grid->cells[i];
    char trace[4096];
    char why[512];
    measured_median(&cell->median, cell->runs, cell->run_count);
    if (!cell->run_count)
      continue;
    grid_path(grid, cell, cell_median_run(cell), "trace", trace, sizeof trace);
    if (!samples_read(trace, &cell->shown, why, sizeof why))
      cell_fail(grid, cell, why);
  }
}
