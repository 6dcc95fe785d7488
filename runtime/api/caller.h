/* SPDX-License-Identifier: MIT */
/* caller.h -- may the caller use this handle? */
#ifndef DUSK_API_CALLER_H
#define DUSK_API_CALLER_H

#include "base/compiler.h"

#include "dusk/types.h"

/* The handle is the calling pthread's own.  false: it is not, and a line on
 * stderr, which begins with `call`, says what is wrong. */
bool caller_owns(const dusk_thread *thread, const char *call);

/* The calling pthread's attachment to the heap; NULL: it has none. */
dusk_thread *caller_find(const dusk_heap *heap);

/* And the thread is outside blocking regions. */
bool caller_is_inside(const dusk_thread *thread, const char *call);

/* A call that names no thread is going to wait: the calling pthread leaves each
 * heap that it is inside of, and comes back.  `sp` is CALLER_SP() of the public
 * function.  The number of its attachment to `heap`; 0: it has none. */
uint64_t caller_wait_begin(const dusk_heap *heap, uintptr_t sp);
void caller_wait_end(void);

#endif
