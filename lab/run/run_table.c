/* SPDX-License-Identifier: MIT */
/* run_table.c -- the figures of a grid as text; see run.h */
#include "run.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Headings that fit above the numbers. */
static const char *const headings[MEASURED_FIGURES] = {
    [MEASURED_CPU] = "CPU s",      [MEASURED_GC_MARK] = "GC%cyc",
    [MEASURED_GC_MODEL] = "model", [MEASURED_GC_ALL] = "GC%cpu",
    [MEASURED_WALL] = "wall s",    [MEASURED_RSS] = "RSS MiB",
    [MEASURED_HEAP] = "heap MiB",  [MEASURED_OVERSHOT] = "/goal",
    [MEASURED_CYCLES] = "cycles",  [MEASURED_PAUSE] = "pause",
    [MEASURED_ASSIST] = "assist",  [MEASURED_TAIL] = "op p99.9"};

enum { COLUMN_WIDTH = 9 };

static void cell_print(const struct cell *cell, int width, FILE *to)
{
  fputs("  ", to);
  fprintf(to, "%-*s", width, cell->name);
  for (unsigned i = 0; cell->run_count && i < MEASURED_FIGURES; i++) {
    char text[32];
    measured_print(text, sizeof text, i, cell->median.figures[i]);
    waits_print_padded(to, text, COLUMN_WIDTH);
  }
  if (*cell->why)
    fprintf(to, "  failed: %s", cell->why);
  else if (!cell->run_count)
    fputs("  not run", to);
  fputc('\n', to);
}

void run_table_print(const struct grid *grid, FILE *to)
{
  int width = 0;
  for (size_t i = 0; i < grid->count; i++)
    if ((int)strlen(grid->cells[i].name) > width)
      width = (int)strlen(grid->cells[i].name);
  for (size_t i = 0; i < grid->axes->workload_count; i++) {
    size_t count;
    const struct cell *cells = grid_workload(grid, i, &count);
    fprintf(to, "%s%s\n  ", i ? "\n" : "", cells->workload->name);
    fprintf(to, "%-*s", width, "");
    for (unsigned j = 0; j < MEASURED_FIGURES; j++)
      waits_print_padded(to, headings[j], COLUMN_WIDTH);
    fputc('\n', to);
    for (size_t j = 0; j < count; j++)
      cell_print(&cells[j], width, to);
  }
  fprintf(to,
          "\nMedians of up to %u runs a row.  GC%%cyc: of all processors "
          "during cycles, and what the\nsimulator expects; GC%%cpu: of the "
          "program's processor time.  "
          "/goal: the worst ratio of heap to goal.\n",
          grid->axes->repeats);
}

bool run_table_save(const struct grid *grid, const char *path)
{
  FILE *to = fopen(path, "we");
  if (!to)
    return false;
  fputs("workload\tgc_percent\tmemory_limit\tpolicy\tassist\trun", to);
  for (unsigned i = 0; i < MEASURED_FIGURES; i++)
    fprintf(to, "\t%s", measured_about[i].key);
  fputs("\ttrace\n", to);
  for (size_t i = 0; i < grid->count; i++) {
    const struct cell *cell = &grid->cells[i];
    for (unsigned run = 0; run < cell->run_count; run++) {
      char trace[4096];
      fprintf(to, "%s\t%d\t%lld\t%s\t%s\t%u", cell->workload->name,
              cell->setting.gc_percent, (long long)cell->setting.limit,
              cell->setting.policy, cell->setting.assist, cell->numbers[run]);
      for (unsigned j = 0; j < MEASURED_FIGURES; j++)
        fprintf(to, "\t%.9g", cell->runs[run].figures[j]);
      grid_path(grid, cell, cell->numbers[run], "trace", trace, sizeof trace);
      fprintf(to, "\t%s\n", trace);
    }
  }
  errno = 0;
  bool good = !ferror(to);
  return !fclose(to) && good;
}
