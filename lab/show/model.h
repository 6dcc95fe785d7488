/* SPDX-License-Identifier: MIT */
/* model.h -- what the simulator says of a program that has been measured */
#ifndef DUSK_LAB_MODEL_H
#define DUSK_LAB_MODEL_H

#include "samples.h"

/* The share of the processors that should mark while cycles run, percent: the
 * simulator's answer for a program with the rates that this heap had.  cpu_ns
 * is the whole program's.
 *
 * NAN: the heap had too few cycles, or was not steady: what a growing heap does
 * next is not in its rates. */
double model_gc_percent(const struct samples_heap *heap, double cpu_ns);

#endif
