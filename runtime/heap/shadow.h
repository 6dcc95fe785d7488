/* SPDX-License-Identifier: MIT */
/* shadow.h -- DUSK_DEBUG=barriercheck: what was stored through the library
 *
 *   values   a word a word of the heap: what was announced for it last
 *   writers  a number a word: the thread that announced it since the last
 *            check; 0: nobody did; SHADOW_SEVERAL: more than one thread
 *
 * A store is announced first and done then, by the program.  So of two threads
 * that store to one slot at a time nobody knows whose value stays, and such a
 * slot is not checked until the next time.  Otherwise the last value announced
 * is the one that is there, whenever all threads stand at safepoints.
 *
 * Both are reserved for the whole heap and take memory where they are touched.
 * Words for which the system refuses it are not checked. */
#ifndef DUSK_HEAP_SHADOW_H
#define DUSK_HEAP_SHADOW_H

#include "heap/arena.h"

#define SHADOW_SEVERAL UINT32_MAX

/* Before anything is allocated.  Without memory the arena has no shadow. */
void shadow_open(struct arena *arena);
void shadow_close(struct arena *arena);

/* As origin_commit(). */
void shadow_commit(struct arena *arena, uint32_t to);

/* The words of an object that has just been allocated: all zero, and stored to
 * by nobody. */
void shadow_begin(struct arena *arena, uintptr_t start, size_t bytes);

/* The thread with this number is about to store `value`, or has done it. */
void shadow_note(struct arena *arena, uint32_t writer, uintptr_t slot,
                 uintptr_t value);

/* The first address at or after `at` that is not in the shadow itself. */
uintptr_t shadow_pass(const struct arena *arena, uintptr_t at);

/* What a slot should hold; false: that is not known.  In a halt. */
bool shadow_read(const struct arena *arena, uintptr_t slot, uintptr_t *value);

/* The slot holds this, and nobody has stored to it since.  In a halt. */
void shadow_settle(struct arena *arena, uintptr_t slot, uintptr_t value);

#endif
