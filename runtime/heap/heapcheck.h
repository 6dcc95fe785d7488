/* SPDX-License-Identifier: MIT */
/* heapcheck.h -- DUSK_DEBUG=verify=1: do pages, spans, bits and totals agree?
 *
 * A walk over all that describes the heap.  What does not agree is our own
 * corruption, or a program that wrote where it must not: a line says what,
 * where, what it should be and what it is, and the process aborts. */
#ifndef DUSK_HEAP_HEAPCHECK_H
#define DUSK_HEAP_HEAPCHECK_H

#include "heap/arena.h"

/* Threads allocate, take pages and give some back. */
#define HEAPCHECK_RUNNING UINT64_MAX

/* Between two cycles: every thread has served its H4, and the census of `epoch`
 * is complete.  The driver, with no lock of `pages` or `central`.  When all
 * threads stand, more can be said: then `unpublished` pages are taken and in no
 * span yet. */
void heapcheck_walk(struct arena *arena, uint32_t epoch, uint64_t unpublished);

#endif
