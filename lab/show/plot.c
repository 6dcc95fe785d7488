/* SPDX-License-Identifier: MIT */
/* plot.c -- plots in SVG; see plot.h */
#include "plot.h"

#include "page.h"

#include <math.h>
#include <string.h>

static double axis_place(const struct plot_axis *axis, double value)
{
  double low = axis->low;
  double high = axis->high;
  if (axis->log) {
    if (value <= 0)
      return 0;
    value = log10(value);
    low = log10(low);
    high = log10(high);
  }
  return fmin(fmax((value - low) / (high - low), 0), 1);
}

double plot_x(const struct plot *plot, double x)
{
  return plot->left + axis_place(&plot->x, x) * (plot->right - plot->left);
}

double plot_y(const struct plot *plot, double y)
{
  return plot->bottom - axis_place(&plot->y, y) * (plot->bottom - plot->top);
}

static void plot_text(struct plot *plot, double x, double y,
                      const char *attributes, const char *text)
{
  fprintf(plot->to, "<text x=\"%.1f\" y=\"%.1f\"%s>", x, y, attributes);
  page_text(plot->to, text);
  fputs("</text>\n", plot->to);
}

static void plot_rule(struct plot *plot, double x1, double y1, double x2,
                      double y2, const char *class_name)
{
  fprintf(plot->to,
          "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
          "y2=\"%.1f\"/>\n",
          class_name, x1, y1, x2, y2);
}

static void plot_draw_x(struct plot *plot)
{
  double ticks[PLOT_TICKS_MAX];
  size_t wanted = (size_t)((plot->right - plot->left) / 75);
  size_t count = plot_axis_ticks(&plot->x, wanted ? wanted : 1, ticks);
  for (size_t i = 0; i < count; i++) {
    char text[32];
    double x = plot_x(plot, ticks[i]);
    plot_axis_text(&plot->x, ticks[i], text, sizeof text);
    plot_rule(plot, x, plot->top, x, plot->bottom, "rule");
    plot_text(plot, x, plot->bottom + 16,
              " class=\"num\" text-anchor=\"middle\"", text);
  }
  plot_text(plot, (plot->left + plot->right) / 2, plot->bottom + 34,
            " text-anchor=\"middle\"", plot->x.label);
}

/* The label stands above the axis, where it is read without a turned head. */
static void plot_draw_y(struct plot *plot)
{
  double ticks[PLOT_TICKS_MAX];
  size_t wanted = (size_t)((plot->bottom - plot->top) / 42);
  size_t count = plot_axis_ticks(&plot->y, wanted ? wanted : 1, ticks);
  for (size_t i = 0; i < count; i++) {
    char text[32];
    double y = plot_y(plot, ticks[i]);
    plot_axis_text(&plot->y, ticks[i], text, sizeof text);
    plot_rule(plot, plot->left, y, plot->right, y, "rule");
    plot_text(plot, plot->left - 7, y + 4, " class=\"num\" text-anchor=\"end\"",
              text);
  }
  plot_text(plot, 2, plot->top - 10, "", plot->y.label);
}

static void plot_open(struct plot *plot, const char *title, const char *about)
{
  fprintf(plot->to,
          "<svg class=\"plot\" role=\"img\" "
          "xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\">\n"
          "<title>",
          plot->width, plot->height);
  page_text(plot->to, title);
  fputs("</title>\n<desc>", plot->to);
  page_text(plot->to, about);
  fputs("</desc>\n", plot->to);
  plot_draw_x(plot);
}

void plot_begin_rows(struct plot *plot, const char *title, const char *about)
{
  plot_open(plot, title, about);
  plot_rule(plot, plot->left, plot->bottom, plot->right, plot->bottom, "edge");
}

void plot_begin(struct plot *plot, const char *title, const char *about)
{
  plot_open(plot, title, about);
  plot_draw_y(plot);
  plot_rule(plot, plot->left, plot->bottom, plot->right, plot->bottom, "edge");
}

void plot_end(struct plot *plot)
{
  fputs("</svg>\n", plot->to);
}

void plot_style(FILE *to, unsigned series)
{
  static const char *const dashes[] = {"", "7 4", "2 4", "9 3 2 3"};
  unsigned dash = series / PLOT_COLOURS % 4;
  fprintf(to, "class=\"line s%u\"", series % PLOT_COLOURS);
  if (dash)
    fprintf(to, " stroke-dasharray=\"%s\"", dashes[dash]);
}

static void plot_path_begin(struct plot *plot, unsigned series, bool thin)
{
  fputs("<path ", plot->to);
  plot_style(plot->to, series);
  if (thin)
    fputs(" style=\"stroke-width:1.3\"", plot->to);
  fputs(" d=\"", plot->to);
}

void plot_line(struct plot *plot, const struct plot_point *points, size_t count,
               unsigned series, bool thin)
{
  plot_path_begin(plot, series, thin);
  bool pen = false;
  for (size_t i = 0; i < count; i++) {
    /* Where there is no value the line is broken. */
    if (!isfinite(points[i].x) || !isfinite(points[i].y)) {
      pen = false;
      continue;
    }
    fprintf(plot->to, "%c%.1f %.1f", pen ? 'L' : 'M', plot_x(plot, points[i].x),
            plot_y(plot, points[i].y));
    pen = true;
  }
  fputs("\"/>\n", plot->to);
}

void plot_step(struct plot *plot, const struct plot_point *points, size_t count,
               unsigned series, bool thin)
{
  plot_path_begin(plot, series, thin);
  for (size_t i = 0; i < count; i++) {
    double y = plot_y(plot, points[i].y);
    if (!i)
      fprintf(plot->to, "M%.1f %.1f", plot_x(plot, points[i].x), y);
    else
      fprintf(plot->to, "H%.1fV%.1f", plot_x(plot, points[i].x), y);
  }
  fputs("\"/>\n", plot->to);
}

void plot_mark(struct plot *plot, struct plot_point at, unsigned series,
               const char *about)
{
  fprintf(plot->to,
          "<circle class=\"mark s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\">",
          series % PLOT_COLOURS, plot_x(plot, at.x), plot_y(plot, at.y));
  if (about) {
    fputs("<title>", plot->to);
    page_text(plot->to, about);
    fputs("</title>", plot->to);
  }
  fputs("</circle>\n", plot->to);
}

void plot_note(struct plot *plot, struct plot_point at, double dx, double dy,
               const char *text)
{
  plot_text(plot, plot_x(plot, at.x) + dx, plot_y(plot, at.y) + dy,
            " class=\"name\"", text);
}

void plot_band(struct plot *plot, double from, double to, double top,
               double bottom, const char *class_name, double opacity)
{
  double x = plot_x(plot, from);
  /* What is too short to see is still there. */
  double width = fmax(plot_x(plot, to) - x, 0.6);
  fprintf(plot->to,
          "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.2f\" "
          "height=\"%.1f\"",
          class_name, x, top, width, bottom - top);
  if (opacity < 1)
    fprintf(plot->to, " opacity=\"%.2f\"", opacity);
  fputs("/>\n", plot->to);
}

void plot_shape(FILE *to, double x, double y, double size, unsigned shape)
{
  switch (shape) {
  case PLOT_DOT:
    fprintf(to,
            "<circle fill=\"var(--fore)\" cx=\"%.1f\" cy=\"%.1f\" "
            "r=\"%.1f\"/>",
            x, y, size * 0.75);
    break;
  case PLOT_RING:
    fprintf(to,
            "<circle style=\"fill:var(--panel);stroke:var(--fore);"
            "stroke-width:1.6\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>",
            x, y, size * 0.8);
    break;
  case PLOT_SQUARE:
    fprintf(to,
            "<rect style=\"fill:var(--panel);stroke:var(--fore);"
            "stroke-width:1.6\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\"/>",
            x - size * 0.75, y - size * 0.75, size * 1.5, size * 1.5);
    break;
  case PLOT_DIAMOND:
    fprintf(to,
            "<path style=\"fill:var(--panel);stroke:var(--fore);"
            "stroke-width:1.6\" d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f "
            "%.1fz\"/>",
            x - size, y, size, -size, size, size, -size, size);
    break;
  default:
    fprintf(to,
            "<path style=\"stroke:var(--fore);stroke-width:2.4\" "
            "d=\"M%.1f %.1fv%.1f\"/>",
            x, y - size, size * 2);
    break;
  }
}
