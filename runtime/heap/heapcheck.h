/* SPDX-License-Identifier: MIT */
/* heapcheck.h -- DUSK_DEBUG=verify=1: do pages, spans, bits and totals agree?
 *
 * A walk over all that describes the heap.  What does not agree is our own
 * corruption, or a program that wrote where it must not: a line says what,
 * where, what it should be and what it is, and the process aborts. */
#ifndef DUSK_HEAP_HEAPCHECK_H
#define DUSK_HEAP_HEAPCHECK_H

#include "heap/arena.h"

enum heapcheck_when {
  HEAPCHECK_RUNNING, /* threads allocate, take pages and give some back */
  HEAPCHECK_STOPPED, /* nobody does: more can be said */
};

/* Between two cycles: every thread has served its H4, and the census of `epoch`
 * is complete.  The driver, with no lock. */
void heapcheck_walk(struct arena *arena, uint32_t epoch,
                    enum heapcheck_when when);

#endif
