/* SPDX-License-Identifier: MIT */
/* measured.h -- the figures of one run, and of a cell's runs together
 *
 * One table says what figures there are, how they are written and what they
 * mean; the table on stdout, the page and the raw files follow it. */
#ifndef DUSK_LAB_MEASURED_H
#define DUSK_LAB_MEASURED_H

#include "child.h"
#include "lab/show/samples.h"

enum measured_figure {
  MEASURED_CPU,      /* s */
  MEASURED_GC_MARK,  /* % of all processors, while cycles ran */
  MEASURED_GC_MODEL, /* %: what the simulator expects of the one before */
  MEASURED_GC_ALL,   /* % of the program's own processor time */
  MEASURED_WALL,     /* s */
  MEASURED_RSS,      /* MiB */
  MEASURED_HEAP,     /* MiB */
  MEASURED_OVERSHOT, /* heap_inuse over the goal: a ratio */
  MEASURED_CYCLES,
  MEASURED_PAUSE,  /* ns */
  MEASURED_ASSIST, /* ns */
  MEASURED_TAIL,   /* ns */
  MEASURED_FIGURES
};

enum measured_unit {
  MEASURED_UNIT_PLAIN, /* with `decimals` */
  MEASURED_UNIT_NS     /* written as ns, µs or ms */
};

struct measured_about {
  const char *name;    /* for people */
  const char *key;     /* for programs */
  const char *meaning; /* a sentence */
  enum measured_unit unit;
  int decimals;
};

extern const struct measured_about measured_about[MEASURED_FIGURES];

/* A figure that is not known is NAN. */
struct measured {
  double figures[MEASURED_FIGURES];
};

/* The figures of a run that ended well.  `out_path` is what it printed: a line
 * `p99.9 NUMBER us` is its own measure of its operations, `peak NUMBER MiB` of
 * its memory. */
void measured_of_run(struct measured *measured, const struct samples *samples,
                     const struct child_end *end, const char *out_path);

/* The medians of several runs, each figure for itself. */
void measured_median(struct measured *median, const struct measured *runs,
                     unsigned count);

/* The heap of most memory: what is drawn when there are several. */
const struct samples_heap *measured_heap(const struct samples *samples);

/* Whether a goal is one, and not the mark of a heap that has none. */
bool measured_is_goal(uint64_t goal);

/* A figure as people read it; a dash for NAN. */
void measured_print(char *text, size_t size, enum measured_figure figure,
                    double value);

#endif
