/* SPDX-License-Identifier: MIT */
/* careful.c -- which debug switches make allocation careful
 *
 * A careful heap hands slots out one by one.  So each allocation passes by the
 * slow path, where it can be noted down, and a slot that nobody was given is
 * never taken for an object.  It costs what the run saves: some 30 ns an
 * object, against 2.
 *
 * Runs when a heap is opened.  Tested by tests/api/careful.c. */
#include "collect/careful.h"

#include "heap/origin.h"

void careful_open(struct arena *arena, const struct debug_options *debug)
{
  bool origins = debug->origins;
  arena->careful = origins;
  if (origins)
    origin_open(arena);
}
