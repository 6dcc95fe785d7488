/* SPDX-License-Identifier: MIT */
/* profile.h -- who allocates, what is in use, and how long it lives
 *
 * Profiles are samples of what is allocated: each byte has the same chance to
 * be one, and a sampled object stands for those that were passed over.  They
 * are files for pprof, as `go tool pprof FILE` reads them: packed, if the
 * library was built with zlib. */
#ifndef DUSK_PROFILE_H
#define DUSK_PROFILE_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The usual rate: a sample every 512 KiB costs nothing that can be measured in
 * most programs, and is enough for a heap of some hundred MiB. */
#define DUSK_PROFILE_RATE (512 * 1024)

/* Samples every `bytes` allocated, on average; 0: none; 1: each object;
 * negative: only reads.  Off when a heap is opened, unless DUSK_DEBUG says
 * memprofilerate=N or heapprofile=FILE.  What was sampled before is kept.  Any
 * thread; threads notice within a run of objects.  Returns the old value, or
 * -1: a NULL heap, or no memory for the tables. */
DUSK_API int64_t dusk_set_profile_rate(dusk_heap *heap, int64_t bytes);

/* Writes to the file descriptor `fd` a profile of what was allocated since the
 * heap was opened, and what of it was in use at the end of the last cycle, by
 * the stack that allocated it: alloc_objects, alloc_space, inuse_objects,
 * inuse_space, with labels for the kind and for the size.  As of the end of the
 * last cycle, so that allocation and death agree; before the first cycle, all
 * that was allocated until now.
 *
 * Any thread, attached or not; stops nobody.  An attached thread is served
 * meanwhile as in a blocking region.  Returns 0; EINVAL (a NULL heap), ENOMEM
 * (nothing is written), EIO (not all could be written). */
DUSK_API int dusk_write_heap_profile(dusk_heap *heap, int fd);

/* Writes a profile of what has died since the heap was opened, by the stack
 * that allocated it: died_young_objects and died_young_space have what the
 * first cycle freed that could, died_objects and died_space all, and cycles how
 * many cycles those that died survived together.  The label `survived` has the
 * cycles: 0, 1, 2+, 4+, 8+ and so on.  As dusk_write_heap_profile(). */
DUSK_API int dusk_write_lifetime_profile(dusk_heap *heap, int fd);

#ifdef __cplusplus
}
#endif

#endif
