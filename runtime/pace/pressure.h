/* SPDX-License-Identifier: MIT */
/* pressure.h -- how close what a program needs is to its memory limit
 *
 * Arithmetic only.  What counts is what a cycle has found to be needed: garbage
 * is no pressure, as the next cycle frees it. */
#ifndef DUSK_PACE_PRESSURE_H
#define DUSK_PACE_PRESSURE_H

#include "base/compiler.h"

/* The levels of dusk_pressure. */
enum pressure {
  PRESSURE_NONE,
  PRESSURE_MODERATE, /* three quarters of the limit are needed */
  PRESSURE_HIGH,     /* nine tenths */
  PRESSURE_CRITICAL, /* no cycle can bring the heap below the limit */
};

/* The level after a cycle that found `needed` bytes, when it was `level`
 * before.  A level is left only well below where it was entered, so that a
 * program on the edge is not told twice a second.  limit: bytes; UINT64_MAX:
 * none. */
enum pressure pressure_next(enum pressure level, uint64_t needed,
                            uint64_t limit);

#endif
