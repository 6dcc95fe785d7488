/* SPDX-License-Identifier: MIT */
/* profilefile.h -- DUSK_DEBUG=heapprofile=FILE: the profiles of a program that
 * knows nothing of them
 *
 * They are written when the heap is closed, when the program exits before that,
 * and when the signal heapprofilesig comes: each time the file anew. */
#ifndef DUSK_REPORT_PROFILEFILE_H
#define DUSK_REPORT_PROFILEFILE_H

#include "collect/heap.h"

/* As heap->debug has it, before the first thread attaches; begins sampling.
 * What cannot be done costs a line on stderr. */
void profilefile_open(struct dusk_heap *heap);

/* Writes the profiles for the last time, if the heap has any to write. */
void profilefile_write(struct dusk_heap *heap);

/* The same, and nothing is left. */
void profilefile_close(struct dusk_heap *heap);

/* The heap could not be opened: nothing is written. */
void profilefile_forget(struct dusk_heap *heap);

/* In the child of a fork, whose files they are only if their names have its
 * number in them. */
void profilefile_drop(struct dusk_heap *heap);

#endif
