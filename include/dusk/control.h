/* SPDX-License-Identifier: MIT */
/* control.h -- collect now, and how much memory to trade for time */
#ifndef DUSK_CONTROL_H
#define DUSK_CONTROL_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs a full cycle and returns once it has been swept: all that was garbage
 * when it was called is free.  A cycle that is already running does not count.
 * The attached thread, outside blocking regions; waits as in one. */
DUSK_API void dusk_collect(dusk_thread *thread);

/* Sets how far the heap may grow over what is live before the next cycle ends,
 * in percent (Go's GOGC); negative: automatic collection off.  Any thread, also
 * while a cycle runs.  Returns the old value, -1 for off; a NULL heap: -1. */
DUSK_API int dusk_set_gc_percent(dusk_heap *heap, int percent);

/* Sets the soft limit on all the memory of the heap, bytes; INT64_MAX: none;
 * negative: changes nothing; 0 is a limit of 0 here, and the cgroup's in the
 * options.  Any thread.  Returns the old value; a NULL heap: -1. */
DUSK_API int64_t dusk_set_memory_limit(dusk_heap *heap, int64_t bytes);

/* Sets the policy: dusk_tuning(7).  Any thread, also while a cycle runs.
 * Returns the old one; a NULL heap or an unknown policy: -1. */
DUSK_API int dusk_set_policy(dusk_heap *heap, dusk_policy policy);

/* Collects, then gives every free page back to the system.  As
 * dusk_collect(). */
DUSK_API void dusk_release_memory(dusk_thread *thread);

#ifdef __cplusplus
}
#endif

#endif
