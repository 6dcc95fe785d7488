/* SPDX-License-Identifier: MIT */
/* place.h -- where outside the heap the words are that keep objects alive
 *
 * Registers and stacks of the threads that stand, what threads in blocking
 * regions left, registered roots, and data segments if the heap was opened so.
 * In a halt. */
#ifndef DUSK_INSPECT_PLACE_H
#define DUSK_INSPECT_PLACE_H

#include "collect/heap.h"

enum place_kind {
  PLACE_REGISTERS, /* and frames that a thread outside may have left */
  PLACE_STACK,
  PLACE_ROOT,
  PLACE_DATA,
};

/* A stretch of words, [start, end). */
struct place {
  enum place_kind kind;
  const struct dusk_thread *thread; /* registers and stack */
  uintptr_t start;
  uintptr_t end;
};

typedef void place_visit(void *context, const struct place *place);
void place_each(struct dusk_heap *heap, place_visit *visit, void *context);

/* The frame of the place, a stack, that the address lies in; NULL: it is not
 * known. */
const struct frame *place_frame(const struct place *place, uintptr_t address);

/* What stands at this address outside the heap: "stack of thread 2, word
 * 0x7ff..., in main+0x12 (trees)". */
void place_print(struct dusk_heap *heap, uintptr_t address, char *text,
                 size_t size);

#endif
