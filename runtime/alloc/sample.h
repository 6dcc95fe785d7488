/* SPDX-License-Identifier: MIT */
/* sample.h -- noting a sampled object, for the heap profile */
#ifndef DUSK_ALLOC_SAMPLE_H
#define DUSK_ALLOC_SAMPLE_H

#include "mutator/thread.h"

/* Must a large object of `bytes`, which the thread has just been given, be
 * sampled? */
bool sample_is_due(struct dusk_thread *thread, size_t bytes);

/* Notes it.  `caller`: the return address into the program. */
void sample_note(struct dusk_thread *thread, void *object, uintptr_t caller);

#endif
