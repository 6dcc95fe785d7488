/* SPDX-License-Identifier: MIT */
/* plot_axis.c -- ranges, ticks and their texts; see plot.h */
#include "plot.h"

#include <math.h>

struct plot_axis plot_axis_empty(const char *label, enum plot_unit unit,
                                 bool log)
{
  return (struct plot_axis){label, unit, log, INFINITY, -INFINITY};
}

void plot_axis_include(struct plot_axis *axis, double value)
{
  if (!isfinite(value) || (axis->log && value <= 0))
    return;
  axis->low = fmin(axis->low, value);
  axis->high = fmax(axis->high, value);
}

/* The round step, 1, 2 or 5 times a power of ten, that is at least `least`. */
static double round_step(double least)
{
  double power = pow(10, floor(log10(least)));
  static const double steps[] = {1, 2, 5, 10};
  for (size_t i = 0; i < 4; i++)
    if (steps[i] * power >= least * (1 - 1e-9))
      return steps[i] * power;
  return 10 * power;
}

static double axis_step(const struct plot_axis *axis, size_t wanted)
{
  return round_step((axis->high - axis->low) / (double)wanted);
}

void plot_axis_round(struct plot_axis *axis)
{
  if (axis->low > axis->high) {
    axis->low = axis->log ? 1 : 0;
    axis->high = axis->log ? 10 : 1;
  }
  if (axis->log) {
    axis->low = pow(10, floor(log10(axis->low) + 1e-9));
    axis->high = pow(10, ceil(log10(axis->high) - 1e-9));
    if (axis->high <= axis->low)
      axis->high = axis->low * 10;
    return;
  }
  if (axis->high - axis->low <= 1e-9 * fabs(axis->high)) {
    double room = axis->high == 0 ? 1 : fabs(axis->high) / 10;
    axis->low = axis->low >= 0 && axis->low < room ? 0 : axis->low - room;
    axis->high += room;
  }
  double step = axis_step(axis, 6);
  axis->low = floor(axis->low / step + 1e-9) * step;
  axis->high = ceil(axis->high / step - 1e-9) * step;
}

/* Decades; with few of them, 2 and 5 in each as well. */
static size_t ticks_log(const struct plot_axis *axis, size_t wanted,
                        double ticks[PLOT_TICKS_MAX])
{
  double decades = log10(axis->high / axis->low);
  double stride = ceil(decades / (double)wanted - 1e-9);
  bool between = decades * 3 <= (double)wanted;
  size_t count = 0;
  for (double at = floor(log10(axis->low) + 1e-9);
       pow(10, at) <= axis->high * (1 + 1e-9); at += fmax(stride, 1)) {
    static const double parts[] = {1, 2, 5};
    for (size_t i = 0; i < (between ? 3 : 1); i++) {
      double tick = parts[i] * pow(10, at);
      if (tick >= axis->low * (1 - 1e-9) && tick <= axis->high * (1 + 1e-9) &&
          count < PLOT_TICKS_MAX)
        ticks[count++] = tick;
    }
  }
  return count;
}

size_t plot_axis_ticks(const struct plot_axis *axis, size_t wanted,
                       double ticks[PLOT_TICKS_MAX])
{
  if (axis->log)
    return ticks_log(axis, wanted, ticks);
  double step = axis_step(axis, wanted);
  double first = ceil(axis->low / step - 1e-9);
  size_t count = 0;
  while (count < PLOT_TICKS_MAX &&
         (first + (double)count) * step <= axis->high + step * 1e-9) {
    ticks[count] = (first + (double)count) * step;
    count++;
  }
  return count;
}

void plot_axis_text(const struct plot_axis *axis, double value, char *text,
                    size_t size)
{
  static const char *const units[] = {"ns", "µs", "ms", "s"};
  if (axis->unit == PLOT_NS) {
    unsigned unit = 0;
    for (; unit < 3 && fabs(value) >= 999.5; unit++)
      value /= 1000;
    snprintf(text, size, value == 0 ? "0" : "%.3g %s", value, units[unit]);
  } else {
    /* Sums of steps such as 0.1 are not quite what they should be. */
    snprintf(text, size, fabs(value) < 1e6 ? "%.6g%s" : "%.3g%s",
             fabs(value) < 1e-12 ? 0 : value,
             axis->unit == PLOT_PERCENT ? " %" : "");
  }
}
