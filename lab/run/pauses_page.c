/* SPDX-License-Identifier: MIT */
/* pauses_page.c -- the page of dusk-lab pauses; see pauses.h */
#include "pauses.h"

#include "lab/show/page.h"
#include "lab/show/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CURVE_POINTS = 41, ROWS_MAX = 32, ROW_HEIGHT = 24 };

static const struct {
  const char *name;
  unsigned series;
} kinds[SAMPLES_KINDS] = {
    [SAMPLES_SERVICE] = {"service: a step for the collector", 0},
    [SAMPLES_ASSIST] = {"assist: marking, to pay for allocation", 1},
    [SAMPLES_ASIDE] = {"aside: made way for the collector", 2},
    [SAMPLES_WALL] = {"wall: waited at the hard wall", 3},
    [SAMPLES_COLLECT] = {"collect: waited for a cycle it asked for", 4}};

/* ---- utilisation ---- */

static void share_print(char *text, size_t size, double share)
{
  if (isnan(share))
    snprintf(text, size, "–");
  else
    snprintf(text, size, "%.2f %%", 100 * share);
}

static void mmu_table(const struct pauses *pauses, FILE *to)
{
  page_table_begin(to, "Minimum mutator utilisation");
  page_table_heading(to, "window", "how long a stretch of time", false);
  page_table_heading(to, "worst thread", "of one thread's own time", true);
  page_table_heading(to, "all threads", "of all threads' time", true);
  page_headings_end(to);
  for (unsigned i = 0; i < PAUSES_WINDOWS; i++) {
    char text[32];
    uint64_t window = pauses_windows_ms[i] * UINT64_C(1000000);
    page_row_begin(to);
    snprintf(text, sizeof text, "%u ms", pauses_windows_ms[i]);
    page_row_heading(to, text);
    share_print(text, sizeof text, pauses_mmu_worst(pauses, window));
    page_cell(to, text, true);
    share_print(text, sizeof text, pauses_mmu_all(pauses, window));
    page_cell(to, text, true);
    page_row_end(to);
  }
  page_table_end(to);
}

static void mmu_draw(const struct pauses *pauses, FILE *to)
{
  struct plot_point worst[CURVE_POINTS];
  struct plot_point all[CURVE_POINTS];
  struct plot plot = {.to = to,
                      .width = 1040,
                      .height = 360,
                      .left = 60,
                      .right = 1010,
                      .top = 30,
                      .bottom = 312,
                      .y = {"utilisation", PLOT_PERCENT, false, 0, 100},
                      .x = {"window", PLOT_NS, true, 1e6, 1e8}};
  for (unsigned i = 0; i < CURVE_POINTS; i++) {
    double window = 1e6 * pow(100, i / (CURVE_POINTS - 1.0));
    worst[i].x = all[i].x = window;
    worst[i].y = 100 * pauses_mmu_worst(pauses, (uint64_t)window);
    all[i].y = 100 * pauses_mmu_all(pauses, (uint64_t)window);
  }
  page_figure_begin(to, "Minimum mutator utilisation by window");
  plot_begin(&plot, "Minimum mutator utilisation by window",
             "How much of the worst window of each length the program had, for "
             "the worst thread and for all together. The table after it has "
             "the numbers.");
  plot_line(&plot, worst, CURVE_POINTS, 1, false);
  plot_line(&plot, all, CURVE_POINTS, 0, false);
  plot_end(&plot);
  page_legend_begin(to);
  page_legend_line(to, 0, "all threads");
  page_legend_line(to, 1, "the worst thread");
  page_legend_end(to);
  page_figure_end(to);
}

/* ---- the timeline ---- */

/* Delays so near to each other that they would be drawn over each other are
 * one; the kind is that of the longest. */
struct stretch {
  double start;
  double end;
  double longest;
  enum samples_delay_kind kind;
};

static void stretch_draw(struct plot *plot, const struct stretch *stretch,
                         double top)
{
  char class_name[8];
  if (stretch->end <= stretch->start)
    return;
  snprintf(class_name, sizeof class_name, "f%u", kinds[stretch->kind].series);
  plot_band(plot, stretch->start, stretch->end, top + 3, top + ROW_HEIGHT - 3,
            class_name, 1);
}

static void thread_draw(struct plot *plot, const struct samples_heap *heap,
                        const struct samples_delay *delays, size_t count,
                        double top)
{
  double gap = (plot->x.high - plot->x.low) / (plot->right - plot->left) / 2;
  struct stretch stretch = {0};
  for (size_t i = 0; i < count; i++) {
    double start = ((double)delays[i].start_ns - (double)heap->opened_ns) / 1e9;
    double length = (double)delays[i].duration_ns / 1e9;
    if (start > stretch.end + gap || !stretch.longest) {
      stretch_draw(plot, &stretch, top);
      stretch = (struct stretch){.start = start};
    }
    if (start + length > stretch.end)
      stretch.end = start + length;
    if (length >= stretch.longest) {
      stretch.longest = length;
      stretch.kind = delays[i].kind;
    }
  }
  stretch_draw(plot, &stretch, top);
}

static int compare_delays(const void *left, const void *right)
{
  const struct samples_delay *a = left;
  const struct samples_delay *b = right;
  if (a->thread != b->thread)
    return a->thread > b->thread ? 1 : -1;
  return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

static void rows_draw(struct plot *plot, const struct samples_heap *heap,
                      uint64_t threads)
{
  struct samples_delay *delays = calloc(heap->delay_count + 1, sizeof *delays);
  if (!delays)
    return;
  if (heap->delay_count)
    memcpy(delays, heap->delays, heap->delay_count * sizeof *delays);
  qsort(delays, heap->delay_count, sizeof *delays, compare_delays);
  size_t at = 0;
  for (uint64_t thread = 1; thread <= threads; thread++) {
    uint64_t start;
    uint64_t end;
    double top = plot->top + (double)(thread - 1) * ROW_HEIGHT;
    pauses_thread_life(heap, thread, &start, &end);
    plot_band(plot, ((double)start - (double)heap->opened_ns) / 1e9,
              ((double)end - (double)heap->opened_ns) / 1e9,
              top + ROW_HEIGHT / 2.0 - 0.5, top + ROW_HEIGHT / 2.0 + 0.5, "f5",
              0.5);
    size_t first = at;
    while (at < heap->delay_count && delays[at].thread == thread)
      at++;
    thread_draw(plot, heap, &delays[first], at - first, top);
    fprintf(plot->to,
            "<text class=\"name\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">"
            "thread %llu</text>\n",
            plot->left - 8, top + ROW_HEIGHT / 2.0 + 4,
            (unsigned long long)thread);
  }
  free(delays);
}

static void timeline_legend(const struct pauses *pauses, FILE *to)
{
  page_legend_begin(to);
  for (unsigned kind = 0; kind < SAMPLES_KINDS; kind++) {
    char class_name[8];
    if (!pauses->waits->times[kind]->count)
      continue;
    snprintf(class_name, sizeof class_name, "f%u", kinds[kind].series);
    page_legend_area(to, class_name, kinds[kind].name);
  }
  page_legend_area(to, "cycle", "a cycle runs");
  page_legend_end(to);
}

static void timeline_draw(const struct pauses *pauses,
                          const struct samples_heap *heap, FILE *to)
{
  uint64_t all = pauses_heap_threads(heap);
  uint64_t threads = all < ROWS_MAX ? all : ROWS_MAX;
  struct plot plot = {
      .to = to, .width = 1040, .left = 84, .right = 1020, .top = 6};
  plot.bottom = plot.top + (double)threads * ROW_HEIGHT;
  plot.height = plot.bottom + 42;
  plot.x =
      plot_axis_empty("seconds since the heap was opened", PLOT_NUMBER, false);
  plot_axis_include(&plot.x, 0);
  plot_axis_include(&plot.x,
                    (double)(samples_heap_end(heap) - heap->opened_ns) / 1e9);
  plot_axis_round(&plot.x);
  char caption[128];
  snprintf(caption, sizeof caption,
           "Delays of each thread over time: heap %s%s", heap->id,
           all > threads ? ", its first threads" : "");
  page_figure_begin(to, caption);
  plot_begin_rows(&plot, caption,
                  "A row for each thread, with its delays as boxes; the times "
                  "of the longest are in the table.");
  for (size_t i = 0; i < heap->cycle_count; i++)
    plot_band(&plot, (double)(heap->cycles[i].start_ns - heap->opened_ns) / 1e9,
              (double)(heap->cycles[i].end_ns - heap->opened_ns) / 1e9,
              plot.top, plot.bottom, "cycle", 1);
  rows_draw(&plot, heap, threads);
  plot_end(&plot);
  timeline_legend(pauses, to);
  page_figure_end(to);
}

/* ---- all of it ---- */

static void worst_table(const struct pauses *pauses, FILE *to)
{
  page_table_begin(to, "The longest delays");
  page_table_heading(to, "duration", "how long it was", true);
  page_table_heading(to, "kind", "why the thread did not run", false);
  page_table_heading(to, "thread", "in the order of attaching", true);
  page_table_heading(to, "heap", "process id and number", false);
  page_table_heading(to, "at, s", "since the heap was opened", true);
  page_table_heading(to, "in cycle", "its number", true);
  page_headings_end(to);
  for (size_t i = 0; i < pauses->worst_count; i++) {
    const struct pauses_worst *worst = &pauses->worst[i];
    char text[48];
    page_row_begin(to);
    waits_print_ns(text, sizeof text, (double)worst->delay->duration_ns);
    page_cell(to, text, true);
    page_cell(to, samples_kind_names[worst->delay->kind], false);
    snprintf(text, sizeof text, "%llu",
             (unsigned long long)worst->delay->thread);
    page_cell(to, text, true);
    page_cell(to, worst->heap->id, false);
    snprintf(text, sizeof text, "%.4f",
             ((double)worst->delay->start_ns - (double)worst->heap->opened_ns) /
                 1e9);
    page_cell(to, text, true);
    uint64_t cycle = pauses_cycle_at(worst->heap, worst->delay->start_ns);
    snprintf(text, sizeof text, "%llu", (unsigned long long)cycle);
    page_cell(to, cycle ? text : "–", true);
    page_row_end(to);
  }
  page_table_end(to);
}

static void kinds_draw(const struct pauses *pauses, FILE *to)
{
  struct waits_row rows[SAMPLES_KINDS];
  size_t count = 0;
  for (unsigned kind = 0; kind < SAMPLES_KINDS; kind++)
    if (pauses->waits->times[kind]->count)
      rows[count++] =
          (struct waits_row){samples_kind_names[kind],
                             pauses->waits->times[kind], kinds[kind].series};
  waits_draw(to, "How long delays are, by kind", "duration", rows, count);
}

static void host_write(const struct host *host, const char *command, FILE *to)
{
  page_section(to, "How it was measured");
  page_paragraph(to, "From the trace that the heap writes: each delay with its "
                     "thread, its begin and its length. What other programs, "
                     "or the collector's own threads, take from a thread by "
                     "having its processor is not in it.");
  host_table(host, command, NULL, to);
}

void pauses_page_write(const struct pauses *pauses, const struct host *host,
                       const char *program, const char *command, FILE *to)
{
  char lead[1024];
  char worst[32] = "none";
  if (pauses->worst_count)
    waits_print_ns(worst, sizeof worst,
                   (double)pauses->worst[0].delay->duration_ns);
  snprintf(lead, sizeof lead,
           "%s: what delayed its %zu thread%s in %u run%s. The longest delay: "
           "%s.",
           program, pauses->threads, pauses->threads == 1 ? "" : "s",
           pauses->run_count, pauses->run_count == 1 ? "" : "s", worst);
  page_begin(to, "Dusk laboratory: pauses", lead);
  page_section(to, "Delays");
  if (pauses->waits->lost)
    page_paragraph(to, "%llu delays are missing: the threads' rings were full.",
                   (unsigned long long)pauses->waits->lost);
  kinds_draw(pauses, to);
  if (pauses->worst_count)
    worst_table(pauses, to);
  page_section(to, "Utilisation");
  page_paragraph(to, "Of every stretch of time of one length, the one in which "
                     "the program had the least of its threads' time, exactly. "
                     "A wait for a cycle that the program asked for does not "
                     "count.");
  mmu_draw(pauses, to);
  mmu_table(pauses, to);
  const struct samples_heap *heap =
      pauses->run_count ? measured_heap(&pauses->runs[0]) : NULL;
  if (heap) {
    page_section(to, "Over time");
    timeline_draw(pauses, heap, to);
  }
  host_write(host, command, to);
}
