/* SPDX-License-Identifier: MIT */
/* halt.h -- threads that stand still, for debug modes and reports
 *
 * The collector never does this; whoever looks for a mistake may.  While a halt
 * lasts, no attached thread runs outside of a blocking region, none comes out
 * of one, none attaches and none detaches. */
#ifndef DUSK_INSPECT_HALT_H
#define DUSK_INSPECT_HALT_H

#include "collect/heap.h"

struct halt {
  struct park came; /* a thread stands */
  struct park go;
  uint32_t over; /* atomic */
};

/* The driver, with no round open; from here to halt_end() it holds the
 * registry's lock.  Each thread's `standing` tells where it is. */
void halt_begin(struct dusk_heap *heap, struct halt *halt);
void halt_end(struct dusk_heap *heap, struct halt *halt);

#endif
