/* SPDX-License-Identifier: MIT */
/* origin.h -- where objects were allocated: a stack for each
 *
 *   table    a word a granule of the heap: the stack's number, 0: not known
 *   depot    the stacks, each once (heap/depot.h)
 *
 * Both are reserved for the whole heap and take memory where they are touched.
 * What the system refuses costs knowledge: such an object has no stack. */
#ifndef DUSK_HEAP_ORIGIN_H
#define DUSK_HEAP_ORIGIN_H

#include "heap/arena.h"

/* Frames that are kept, from the caller of the allocation outwards. */
enum { ORIGIN_FRAMES = 16 };

/* For an arena that is careful, before anything is allocated in it.  Without
 * memory the arena has no origins, and no stack is known. */
void origin_open(struct arena *arena);
void origin_close(struct arena *arena);

/* Makes the table usable for pages below `to`, as the arena grows.  With
 * pages.lock, or before anybody else knows the arena. */
void origin_commit(struct arena *arena, uint32_t to);

/* The calling thread has just been given `object`.  `caller`: the return
 * address into the program, where the stack begins; 0: with all our frames. */
void origin_note(struct arena *arena, uintptr_t object, uintptr_t caller);

/* The stack that allocated the object which starts there, innermost first;
 * return addresses.  0: not known.  Any thread; of an object that is alive, or
 * whose slot has not been handed out again. */
unsigned origin_stack(const struct arena *arena, uintptr_t object,
                      uintptr_t *pcs, unsigned capacity);

#endif
