/* SPDX-License-Identifier: MIT */
/* plot.h -- plots in SVG, inside a page
 *
 * A plot is begun with its size and axes, then lines, marks and texts are
 * drawn in the data's own units, and it is ended.  Colours are classes that
 * page.c has; a series has a colour, and a dash from the seventh on, so that
 * series can be told apart without colour.  Tested by tests/lab/plot.c. */
#ifndef DUSK_LAB_PLOT_H
#define DUSK_LAB_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PLOT_COLOURS = 6, PLOT_TICKS_MAX = 24 };

enum plot_unit { PLOT_NUMBER, PLOT_PERCENT, PLOT_NS };

struct plot_axis {
  const char *label;
  enum plot_unit unit;
  bool log;
  double low; /* the range of the data, and then of the axis */
  double high;
};

/* An axis that nothing has been put on. */
struct plot_axis plot_axis_empty(const char *label, enum plot_unit unit,
                                 bool log);

/* Makes room for a value; one that is not finite, or not above 0 on a
 * logarithmic axis, needs none. */
void plot_axis_include(struct plot_axis *axis, double value);

/* Moves both ends outwards to round numbers.  An axis with nothing on it gets
 * some range. */
void plot_axis_round(struct plot_axis *axis);

/* Where the ticks are: about `wanted` round numbers within the range. */
size_t plot_axis_ticks(const struct plot_axis *axis, size_t wanted,
                       double ticks[PLOT_TICKS_MAX]);

/* How a value is written on the axis: with its unit. */
void plot_axis_text(const struct plot_axis *axis, double value, char *text,
                    size_t size);

struct plot_point {
  double x;
  double y;
};

struct plot {
  FILE *to;
  double width;
  double height;
  double left; /* the edges of what is inside the axes */
  double right;
  double top;
  double bottom;
  struct plot_axis x;
  struct plot_axis y;
};

enum plot_shape { PLOT_DOT, PLOT_RING, PLOT_SQUARE, PLOT_DIAMOND, PLOT_BAR };

/* Writes the frame, ticks and labels.  `about` describes it in words, for
 * those who do not see it. */
void plot_begin(struct plot *plot, const char *title, const char *about);

/* The same without a scale upwards: rows are drawn by plot_row(). */
void plot_begin_rows(struct plot *plot, const char *title, const char *about);
void plot_end(struct plot *plot);

/* Where a value is drawn; values beyond the axis are drawn at its end. */
double plot_x(const struct plot *plot, double x);
double plot_y(const struct plot *plot, double y);

void plot_line(struct plot *plot, const struct plot_point *points, size_t count,
               unsigned series, bool thin);

/* Keeps a value until the next point. */
void plot_step(struct plot *plot, const struct plot_point *points, size_t count,
               unsigned series, bool thin);

/* A point of a series; `about`, if not NULL, is shown to who points at it. */
void plot_mark(struct plot *plot, struct plot_point at, unsigned series,
               const char *about);

/* Text beside a point, moved by so many pixels. */
void plot_note(struct plot *plot, struct plot_point at, double dx, double dy,
               const char *text);

/* A rectangle from one x to another, and from one pixel row to another. */
void plot_band(struct plot *plot, double from, double to, double top,
               double bottom, const char *class_name, double opacity);

/* Attributes of a path that belongs to a series, and a shape around a pixel. */
void plot_style(FILE *to, unsigned series);
void plot_shape(FILE *to, double x, double y, double size, unsigned shape);

#endif
