/* SPDX-License-Identifier: MIT */
/* inspect.h -- what the driver looks at between marking and the end of a cycle
 */
#ifndef DUSK_INSPECT_INSPECT_H
#define DUSK_INSPECT_INSPECT_H

#include "collect/heap.h"

/* Options that others ask for. */
void inspect_imply(struct debug_options *debug);

/* After the collector is open and before any thread attaches. */
void inspect_open(struct dusk_heap *heap);

/* When no thread of the collector is left. */
void inspect_close(struct dusk_heap *heap);

/* In the child of a fork, after revive_heap(). */
void inspect_revive(struct dusk_heap *heap);

/* The driver: before a cycle, and between its marking and its end.  The second
 * halts all threads if anything is to be inspected by halting; a snapshot is
 * not. */
void inspect_begin(struct dusk_heap *heap);
void inspect_cycle(struct dusk_heap *heap, bool forced);

/* The driver, after the census of a cycle. */
void inspect_census(struct dusk_heap *heap);

#endif
