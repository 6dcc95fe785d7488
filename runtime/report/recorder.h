/* SPDX-License-Identifier: MIT */
/* recorder.h -- DUSK_DEBUG=timeline=FILE and recorder=FILE: the timeline of a
 * program that knows nothing of it
 *
 *   timeline   is written when the heap is closed, or the program exits
 *   recorder   whenever a thread was held up for longer than pauseus or
 *              assistus say, but not more often than every few seconds; each
 *              time to a new file, whose name ends in a number */
#ifndef DUSK_REPORT_RECORDER_H
#define DUSK_REPORT_RECORDER_H

#include "collect/heap.h"

struct recorder;

/* As heap->debug has it, before the first thread attaches; begins recording.
 * What cannot be done costs a line on stderr. */
void recorder_open(struct dusk_heap *heap);

/* A cycle is over, and nobody waits for it: has it, or has anything since the
 * last one, taken too long?  The driver. */
void recorder_look(struct dusk_heap *heap, const struct cycle_record *record);

/* Writes the timeline, if that is asked for. */
void recorder_write(struct dusk_heap *heap);

/* The same for the last time, if the heap was ever open. */
void recorder_close(struct dusk_heap *heap, bool was_open);

/* In the child of a fork, which is not recorded. */
void recorder_drop(struct dusk_heap *heap);

#endif
