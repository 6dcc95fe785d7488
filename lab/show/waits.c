/* SPDX-License-Identifier: MIT */
/* waits.c -- how long threads were delayed, by kind; see waits.h */
#include "waits.h"

#include "page.h"
#include "plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROW_HEIGHT = 30, ROW_TOP = 12, BANDS_PER_DECADE = 12 };

struct waits *waits_create(void)
{
  struct waits *waits = calloc(1, sizeof *waits);
  if (!waits)
    measure_fail("no memory for the delays");
  for (unsigned kind = 0; kind < SAMPLES_KINDS; kind++)
    waits->times[kind] = measure_histogram_create();
  return waits;
}

void waits_destroy(struct waits *waits)
{
  for (unsigned kind = 0; waits && kind < SAMPLES_KINDS; kind++)
    measure_histogram_destroy(waits->times[kind]);
  free(waits);
}

void waits_add(struct waits *waits, const struct samples *samples)
{
  for (size_t i = 0; i < samples->heap_count; i++) {
    const struct samples_heap *heap = &samples->heaps[i];
    waits->lost += heap->lost;
    for (size_t j = 0; j < heap->delay_count; j++) {
      const struct samples_delay *delay = &heap->delays[j];
      measure_histogram_add(waits->times[delay->kind], delay->duration_ns);
      waits->total_ns[delay->kind] += delay->duration_ns;
    }
  }
}

void waits_print_ns(char *text, size_t size, double ns)
{
  struct plot_axis axis = {.unit = PLOT_NS};
  if (isfinite(ns))
    plot_axis_text(&axis, ns, text, size);
  else
    snprintf(text, size, "–");
}

void waits_print_padded(FILE *to, const char *text, int width)
{
  for (const char *at = text; *at; at++)
    width -= ((unsigned char)*at & 0xC0) != 0x80;
  fprintf(to, "%*s%s", width > 0 ? width : 0, "", text);
}

static const struct {
  double part;
  enum plot_shape shape;
  const char *name;
} marks[] = {{0.5, PLOT_RING, "half were shorter (p50)"},
             {0.99, PLOT_SQUARE, "p99"},
             {0.999, PLOT_DIAMOND, "p99.9"},
             {1, PLOT_BAR, "longest"}};

enum { MARKS = sizeof marks / sizeof marks[0] };

/* How many values of the histogram are from `low` up to `high`: those whose
 * bucket has its first value there. */
static uint64_t histogram_between(const struct measure_histogram *times,
                                  double low, double high)
{
  unsigned first = measure_histogram_bucket((uint64_t)ceil(low));
  unsigned last = measure_histogram_bucket((uint64_t)ceil(high));
  uint64_t count = 0;
  for (unsigned i = first; i < last; i++)
    count += times->buckets[i];
  return count;
}

static void row_draw(struct plot *plot, const struct waits_row *row, double top)
{
  char class_name[8];
  double middle = top + ROW_HEIGHT / 2.0;
  snprintf(class_name, sizeof class_name, "f%u", row->series % PLOT_COLOURS);
  double step = pow(10, 1.0 / BANDS_PER_DECADE);
  double full = log((double)row->times->count + 1);
  for (double low = plot->x.low; low < plot->x.high; low *= step) {
    uint64_t count = histogram_between(row->times, low, low * step);
    if (count)
      plot_band(plot, low, low * step, middle - 8, middle + 8, class_name,
                0.12 + 0.78 * log((double)count + 1) / full);
  }
  for (size_t i = 0; i < MARKS; i++) {
    double part = marks[i].part;
    /* No percentile that so few values leave to a single one. */
    if (part < 1 && (1 - part) * (double)row->times->count < 1)
      continue;
    double ns = part < 1
                    ? (double)measure_histogram_percentile(row->times, part)
                    : (double)row->times->worst;
    plot_shape(plot->to, plot_x(plot, ns), middle, i + 1 < MARKS ? 5 : 9,
               marks[i].shape);
  }
  fprintf(plot->to,
          "\n<text class=\"name\" text-anchor=\"end\" x=\"%.1f\" "
          "y=\"%.1f\">",
          plot->left - 10, middle + 4);
  page_text(plot->to, row->name);
  fputs("</text>\n", plot->to);
}

/* The least of a histogram, nearly: the end of the axis. */
static double histogram_least(const struct measure_histogram *times)
{
  unsigned bucket = 0;
  while (bucket < HISTOGRAM_BUCKETS && !times->buckets[bucket])
    bucket++;
  if (bucket < HISTOGRAM_STEPS)
    return bucket ? bucket : 1;
  unsigned shift = (bucket >> HISTOGRAM_STEPS_LOG2) - 1;
  return ldexp((bucket & (HISTOGRAM_STEPS - 1)) + HISTOGRAM_STEPS, (int)shift);
}

static void rows_describe(FILE *to, const char *label,
                          const struct waits_row *rows, size_t count)
{
  page_table_begin(to, label);
  page_table_heading(to, "", "", false);
  page_table_heading(to, "count", "how many there were", true);
  page_table_heading(to, "p50", "half were at most so long", true);
  page_table_heading(to, "p99", "99 % were at most so long", true);
  page_table_heading(to, "p99.9", "99.9 % were at most so long", true);
  page_table_heading(to, "longest", "the longest of all", true);
  page_headings_end(to);
  for (size_t i = 0; i < count; i++) {
    const struct measure_histogram *times = rows[i].times;
    char text[32];
    page_row_begin(to);
    page_row_heading(to, rows[i].name);
    snprintf(text, sizeof text, "%llu", (unsigned long long)times->count);
    page_cell(to, text, true);
    for (size_t j = 0; j < MARKS; j++) {
      double part = marks[j].part;
      bool known = times->count &&
                   (1 - part) * (double)times->count >= (part < 1 ? 1 : 0);
      double ns = part < 1 ? (double)measure_histogram_percentile(times, part)
                           : (double)times->worst;
      waits_print_ns(text, sizeof text, known ? ns : NAN);
      page_cell(to, text, true);
    }
    page_row_end(to);
  }
  page_table_end(to);
}

void waits_draw(FILE *to, const char *title, const char *label,
                const struct waits_row *rows, size_t count)
{
  struct plot plot = {.to = to, .width = 1040, .right = 1020, .top = 4};
  size_t longest_name = 0;
  size_t filled = 0;
  plot.x = plot_axis_empty(label, PLOT_NS, true);
  for (size_t i = 0; i < count; i++) {
    if (!rows[i].times->count)
      continue;
    filled++;
    plot_axis_include(&plot.x, histogram_least(rows[i].times));
    plot_axis_include(&plot.x, (double)rows[i].times->worst);
    if (strlen(rows[i].name) > longest_name)
      longest_name = strlen(rows[i].name);
  }
  if (!filled)
    return;
  plot_axis_round(&plot.x);
  plot.left = 24 + 6.6 * (double)longest_name;
  plot.bottom = plot.top + (double)(filled * ROW_HEIGHT) + ROW_TOP;
  plot.height = plot.bottom + 42;
  page_figure_begin(to, title);
  plot_begin_rows(&plot, title,
                  "One row for each setting; the table after it has the same "
                  "percentiles as numbers.");
  double top = plot.top + ROW_TOP / 2.0;
  for (size_t i = 0; i < count; i++) {
    if (!rows[i].times->count)
      continue;
    row_draw(&plot, &rows[i], top);
    top += ROW_HEIGHT;
  }
  plot_end(&plot);
  page_legend_begin(to);
  page_legend_area(to, "f0", "the fuller the colour, the more were so long");
  for (size_t i = 0; i < MARKS; i++)
    page_legend_mark(to, marks[i].shape, marks[i].name);
  page_legend_end(to);
  page_figure_end(to);
  rows_describe(to, title, rows, count);
}
