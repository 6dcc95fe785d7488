/* SPDX-License-Identifier: MIT */
/* tools.h -- what a memory checker must be told
 *
 * AddressSanitizer and Valgrind know malloc's objects and not ours.  Both are
 * looked for when a heap is opened: an ordinary library works inside a program
 * that is built with the one, or run under the other.
 *
 * A `pool` is the address of whatever owns the memory. */
#ifndef DUSK_OS_TOOLS_H
#define DUSK_OS_TOOLS_H

#include "base/compiler.h"

/* Does one of them watch this process? */
bool tool_is_there(void);

/* Of them, does Valgrind? */
bool tool_is_valgrind(void);

/* A pool exists from here to there; at its end its memory [start, start +
 * bytes) is nothing special any more. */
void tool_open(const void *pool);
void tool_close(const void *pool, uintptr_t start, size_t bytes);

/* Memory of the pool in which no object is, until one is handed out. */
void tool_empty(uintptr_t start, size_t bytes);

/* An object is handed out: before it is zeroed, which may be no more than to
 * know that it is. */
void tool_handed_out(const void *pool, uintptr_t start, size_t bytes);

/* And is dead. */
void tool_freed(const void *pool, uintptr_t start, size_t bytes);

/* Copies words that may never have been written, in a way that Valgrind takes
 * no offence at, nor at what is done with the copies. */
void tool_copy_words(uintptr_t *to, const uintptr_t *from, size_t count);

/* AddressSanitizer moves locals whose address is taken from the stack to a
 * "fake stack", to find their use after return.  The calling thread's; NULL: it
 * has none. */
void *tool_fake_stack(void);

/* Does the word point into a frame of that fake stack?  [*start, *end) is the
 * frame, words aligned. */
bool tool_fake_frame(void *fake_stack, uintptr_t word, uintptr_t *start,
                     uintptr_t *end);

#endif
