/* SPDX-License-Identifier: MIT */
/* root.h -- memory outside the heap that holds pointers into it */
#ifndef DUSK_ROOT_H
#define DUSK_ROOT_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Registers [start, start + bytes) as a root: each aligned word in it keeps
 * the object that it points to, or into, alive.  Stores of pointers into the
 * range go through dusk_store() from here on.
 *
 * Any thread, at any time.  The memory stays the caller's, readable until it
 * is removed.  Returns 0; EINVAL (heap or start is NULL, start is not aligned
 * to a word, bytes is 0 or wraps), EEXIST (a root starts there), ENOMEM. */
DUSK_API int dusk_root_add(dusk_heap *heap, void *start, size_t bytes);

/* Removes the root that starts at `start`.  Any thread; waits while the
 * collector reads roots.  After it returns the memory may be freed.  Returns
 * 0; EINVAL (heap or start is NULL), ENOENT (no root starts there), ENOMEM (a
 * cycle runs, and there is no memory to log what the root holds: it stays). */
DUSK_API int dusk_root_remove(dusk_heap *heap, void *start);

#ifdef __cplusplus
}
#endif

#endif
