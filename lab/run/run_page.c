/* SPDX-License-Identifier: MIT */
/* run_page.c -- the page of dusk-lab run; see run.h */
#include "run.h"

#include "lab/show/page.h"
#include "lab/show/plot.h"
#include "lab/show/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double mib = 1 << 20;

static const char *series_name(const struct cell *cell)
{
  return *cell->series_name ? cell->series_name : "go, no limit, full assists";
}

/* ---- processor time against memory ---- */

static struct plot_point cell_point(const struct cell *cell)
{
  struct plot_point point = {NAN, NAN};
  if (cell->run_count)
    point = (struct plot_point){cell->median.figures[MEASURED_RSS],
                                cell->median.figures[MEASURED_CPU]};
  return point;
}

/* A curve over the GC percents, each run as a faint dot, medians as marks. */
static void trade_draw_series(struct plot *plot, const struct grid *grid,
                              const struct cell *cells, unsigned series)
{
  size_t count = grid->axes->gc_percent_count;
  struct plot_point points[GRID_LIST_MAX];
  for (size_t i = 0; i < count; i++)
    points[i] = cell_point(&cells[i]);
  plot_line(plot, points, count, series, false);
  for (size_t i = 0; i < count; i++) {
    if (!cells[i].run_count)
      continue;
    char text[256];
    snprintf(text, sizeof text, "%s: %.2f s CPU, %.1f MiB", cells[i].name,
             points[i].y, points[i].x);
    plot_mark(plot, points[i], series, text);
    /* The end of a curve has its name as well: colours are not for all. */
    bool last = i + 1 == count && grid->series_count > 1;
    const char *name = last ? cells[i].series_name : "";
    if (cells[i].setting.gc_percent < 0)
      snprintf(text, sizeof text, "off%s%s", *name ? ", " : "", name);
    else
      snprintf(text, sizeof text, "%d %%%s%s", cells[i].setting.gc_percent,
               *name ? ", " : "", name);
    plot_note(plot, points[i], 8, -7, text);
  }
}

static void trade_axes(struct plot *plot, const struct cell *cells,
                       size_t count)
{
  plot->x = plot_axis_empty("peak resident memory, MiB", PLOT_NUMBER, false);
  plot->y = plot_axis_empty("processor time, s", PLOT_NUMBER, false);
  for (size_t i = 0; i < count; i++) {
    struct plot_point point = cell_point(&cells[i]);
    plot_axis_include(&plot->x, point.x);
    /* Room for the label of the point to the right. */
    plot_axis_include(&plot->x, point.x * 1.1);
    plot_axis_include(&plot->y, point.y);
  }
  /* From 0, where that leaves half of the height for what differs: then half
   * the height is half the cost. */
  if (plot->y.low < plot->y.high / 2)
    plot_axis_include(&plot->y, 0);
  plot_axis_round(&plot->x);
  plot_axis_round(&plot->y);
}

static void trade_draw(const struct grid *grid, const struct cell *cells,
                       size_t count, FILE *to)
{
  struct plot plot = {.to = to,
                      .width = 1040,
                      .height = 420,
                      .left = 60,
                      .right = 1020,
                      .top = 30,
                      .bottom = 370};
  char title[256];
  trade_axes(&plot, cells, count);
  snprintf(title, sizeof title, "%s: processor time against memory",
           cells->workload->name);
  page_figure_begin(to, "Processor time against memory");
  plot_begin(&plot, title,
             "Each point is a GC percent, each curve a series of them. Further "
             "down is less processor time, further left less memory. The table "
             "of all cells has the numbers.");
  for (unsigned series = 0; series < grid->series_count; series++)
    trade_draw_series(&plot, grid,
                      &cells[series * grid->axes->gc_percent_count], series);
  plot_end(&plot);
  page_legend_begin(to);
  for (unsigned series = 0; series < grid->series_count; series++)
    page_legend_line(
        to, series, series_name(&cells[series * grid->axes->gc_percent_count]));
  page_legend_end(to);
  page_figure_end(to);
}

/* ---- delays ---- */

static void waits_draw_kind(const struct cell *cells, size_t count,
                            enum samples_delay_kind kind, const char *title,
                            FILE *to)
{
  struct waits_row *rows = calloc(count, sizeof *rows);
  size_t filled = 0;
  for (size_t i = 0; rows && i < count; i++)
    if (cells[i].waits)
      rows[filled++] = (struct waits_row){
          cells[i].name, cells[i].waits->times[kind], cells[i].series};
  if (rows)
    waits_draw(to, title, "duration", rows, filled);
  free(rows);
}

/* ---- the heap over time ---- */

enum { CYCLE_POINTS = 3 };

/* Where the heap stood when a cycle began, when it ended, and after. */
static void heap_points(const struct samples_heap *heap,
                        struct plot_point *points)
{
  for (size_t i = 0; i < heap->cycle_count; i++) {
    const struct samples_cycle *cycle = &heap->cycles[i];
    uint64_t times[] = {cycle->start_ns, cycle->end_ns, cycle->swept_ns};
    uint64_t sizes[] = {cycle->live_start, cycle->live_end, cycle->marked};
    for (size_t j = 0; j < CYCLE_POINTS; j++) {
      points[i * CYCLE_POINTS + j].x =
          (double)(times[j] - heap->opened_ns) / 1e9;
      points[i * CYCLE_POINTS + j].y = (double)sizes[j] / mib;
    }
  }
}

static void heap_axes(const struct cell *cells, size_t count,
                      struct plot_axis *y)
{
  *y = plot_axis_empty("heap, MiB", PLOT_NUMBER, false);
  plot_axis_include(y, 0);
  for (size_t i = 0; i < count; i++) {
    const struct samples_heap *heap = measured_heap(&cells[i].shown);
    for (size_t j = 0; heap && j < heap->cycle_count; j++) {
      plot_axis_include(y, (double)heap->cycles[j].live_end / mib);
      if (measured_is_goal(heap->cycles[j].goal))
        plot_axis_include(y, (double)heap->cycles[j].goal / mib);
    }
  }
  plot_axis_round(y);
}

/* The goal and the trigger of a cycle hold until the next one begins. */
static void heap_draw_steps(struct plot *plot, const struct samples_heap *heap,
                            struct plot_point *points)
{
  for (unsigned line = 0; line < 2; line++) {
    size_t count = 0;
    for (size_t i = 0; i < heap->cycle_count; i++) {
      const struct samples_cycle *cycle = &heap->cycles[i];
      uint64_t value = line ? cycle->trigger : cycle->goal;
      uint64_t since = i ? heap->cycles[i - 1].swept_ns : heap->opened_ns;
      if (!measured_is_goal(value))
        continue;
      points[count].x = (double)(since - heap->opened_ns) / 1e9;
      points[count++].y = (double)value / mib;
    }
    if (count && heap->cycle_count) {
      points[count].x = (double)(heap->cycles[heap->cycle_count - 1].swept_ns -
                                 heap->opened_ns) /
                        1e9;
      points[count].y = points[count - 1].y;
      count++;
    }
    plot_step(plot, points, count, line ? 2 : 1, true);
  }
}

static void heap_draw(const struct cell *cell, const struct plot_axis *y,
                      FILE *to)
{
  const struct samples_heap *heap = measured_heap(&cell->shown);
  if (!heap || !heap->cycle_count)
    return;
  size_t most = (heap->cycle_count + 1) * CYCLE_POINTS;
  struct plot_point *points = calloc(most, sizeof *points);
  if (!points)
    return;
  struct plot plot = {.to = to,
                      .width = 380,
                      .height = 220,
                      .left = 46,
                      .right = 368,
                      .top = 26,
                      .bottom = 178,
                      .y = *y};
  plot.x = plot_axis_empty("seconds", PLOT_NUMBER, false);
  plot_axis_include(&plot.x, 0);
  plot_axis_include(&plot.x,
                    (double)(samples_heap_end(heap) - heap->opened_ns) / 1e9);
  plot_axis_round(&plot.x);
  char title[256];
  snprintf(title, sizeof title, "%s, %s: heap over time", cell->workload->name,
           cell->name);
  char about[256];
  snprintf(about, sizeof about,
           "%zu cycles; the heap rises to %.1f MiB, and is %.1f MiB when it "
           "was last marked.",
           heap->cycle_count, cell->median.figures[MEASURED_HEAP],
           (double)heap->cycles[heap->cycle_count - 1].marked / mib);
  page_figure_begin(to, cell->name);
  plot_begin(&plot, title, about);
  heap_draw_steps(&plot, heap, points);
  heap_points(heap, points);
  plot_line(&plot, points, heap->cycle_count * CYCLE_POINTS, 0, true);
  plot_end(&plot);
  page_figure_end(to);
  free(points);
}

static void heaps_draw(const struct cell *cells, size_t count, FILE *to)
{
  struct plot_axis y;
  heap_axes(cells, count, &y);
  page_subheading(to, "Heap over time");
  page_paragraph(to, "Of each setting the run of median processor time, all to "
                     "the same scale. A cycle should begin at its trigger and "
                     "end below its goal.");
  page_legend_begin(to);
  page_legend_line(to, 0, "heap");
  page_legend_line(to, 1, "goal");
  page_legend_line(to, 2, "trigger");
  page_legend_end(to);
  page_grid_begin(to);
  for (size_t i = 0; i < count; i++)
    heap_draw(&cells[i], &y, to);
  page_grid_end(to);
}

/* ---- all of it ---- */

static void cells_table(const struct cell *cells, size_t count, FILE *to)
{
  page_table_begin(to, "All settings: medians of the runs");
  page_table_heading(to, "setting", "GC percent, and what else differs", false);
  for (unsigned i = 0; i < MEASURED_FIGURES; i++)
    page_table_heading(to, measured_about[i].name, measured_about[i].meaning,
                       true);
  page_table_heading(to, "runs", "how many ended well", true);
  page_headings_end(to);
  for (size_t i = 0; i < count; i++) {
    char text[640];
    page_row_begin(to);
    page_row_heading(to, cells[i].name);
    for (unsigned j = 0; cells[i].run_count && j < MEASURED_FIGURES; j++) {
      measured_print(text, sizeof text, j, cells[i].median.figures[j]);
      page_cell(to, text, true);
    }
    if (!cells[i].run_count) {
      snprintf(text, sizeof text, "%s%s", *cells[i].why ? "failed: " : "",
               *cells[i].why ? cells[i].why : "not run");
      page_cell_wide(to, text, MEASURED_FIGURES);
    }
    snprintf(text, sizeof text, "%u", cells[i].run_count);
    page_cell(to, text, true);
    page_row_end(to);
    if (cells[i].run_count && *cells[i].why) {
      page_row_begin(to);
      page_row_heading(to, "");
      snprintf(text, sizeof text, "a run failed: %s", cells[i].why);
      page_cell_wide(to, text, MEASURED_FIGURES + 1);
      page_row_end(to);
    }
  }
  page_table_end(to);
}

/* What the first and the last GC percent of the first series cost. */
static void workload_sum_up(const struct grid *grid, const struct cell *cells,
                            FILE *to)
{
  const struct cell *least = &cells[0];
  const struct cell *most = &cells[grid->axes->gc_percent_count - 1];
  if (least == most || !least->run_count || !most->run_count)
    return;
  page_paragraph(to,
                 "From %s to %s, processor time goes from %.2f s to %.2f s and "
                 "peak resident memory from %.0f MiB to %.0f MiB.",
                 least->name, most->name, least->median.figures[MEASURED_CPU],
                 most->median.figures[MEASURED_CPU],
                 least->median.figures[MEASURED_RSS],
                 most->median.figures[MEASURED_RSS]);
}

static void workload_write(const struct grid *grid, size_t index, FILE *to)
{
  size_t count;
  const struct cell *cells = grid_workload(grid, index, &count);
  char text[512];
  bool any = false;
  workload_print(cells->workload, text, sizeof text);
  page_section(to, cells->workload->name);
  page_paragraph(to, "%s", text);
  for (size_t i = 0; i < count; i++)
    any |= cells[i].run_count > 0;
  if (any) {
    workload_sum_up(grid, cells, to);
    trade_draw(grid, cells, count, to);
  }
  cells_table(cells, count, to);
  if (!any)
    return;
  heaps_draw(cells, count, to);
  page_subheading(to, "Pauses and assists");
  page_paragraph(to, "A pause is one thread's own step for the collector; the "
                     "others run on. An assist is what a thread marks to pay "
                     "for what it allocates. All runs together.");
  waits_draw_kind(cells, count, SAMPLES_SERVICE,
                  "Pauses: steps for the collector", to);
  waits_draw_kind(cells, count, SAMPLES_ASSIST, "Assists", to);
  waits_draw_kind(cells, count, SAMPLES_ASIDE,
                  "Asides: a thread made way for the collector", to);
  waits_draw_kind(cells, count, SAMPLES_WALL, "Waits at the hard wall", to);
}

static void host_write(const struct grid *grid, const struct host *host,
                       const char *command, FILE *to)
{
  char text[160];
  page_section(to, "How it was measured");
  page_paragraph(to,
                 "Each run is a process of its own, one at a time, with the "
                 "setting in its environment; the runs go round by round over "
                 "all settings. Processor time and memory are the system's "
                 "figures, all else is from the trace that the heap writes.");
  snprintf(text, sizeof text, "%u of %zu runs, %u for each setting", grid->done,
           grid->count * grid->axes->repeats, grid->axes->repeats);
  host_table(host, command, text, to);
}

void run_page_write(const struct grid *grid, const struct host *host,
                    const char *command, FILE *to)
{
  char lead[640];
  snprintf(lead, sizeof lead,
           "%zu workload%s, %zu setting%s, %u run%s in all: what a collector's "
           "settings cost in processor time, memory and waiting. %s, %s "
           "of memory, %s.",
           grid->axes->workload_count,
           grid->axes->workload_count == 1 ? "" : "s",
           grid->count / grid->axes->workload_count,
           grid->count == grid->axes->workload_count ? "" : "s", grid->done,
           grid->done == 1 ? "" : "s", host->kernel, host->memory, host->date);
  page_begin(to, "Dusk laboratory", lead);
  if (child_interrupted())
    page_paragraph(to, "It was interrupted after %u of %zu runs.", grid->done,
                   grid->count * grid->axes->repeats);
  for (size_t i = 0; i < grid->axes->workload_count; i++)
    workload_write(grid, i, to);
  host_write(grid, host, command, to);
}
