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
#include "os/tools.h"

void careful_open(struct arena *arena, const struct debug_options *debug)
{
  bool origins = debug->origins;
  arena->poison = debug->poison;
  arena->efence = debug->efence;
  arena->watched = debug->tools && tool_is_there();
  arena->copies = tool_is_valgrind();
  arena->careful = origins || arena->poison || arena->efence || arena->watched;
  if (arena->watched)
    tool_open(arena);
  if (origins)
    origin_open(arena);
}
