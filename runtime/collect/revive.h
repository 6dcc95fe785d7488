/* SPDX-License-Identifier: MIT */
/* revive.h -- a heap in the child of a fork */
#ifndef DUSK_COLLECT_REVIVE_H
#define DUSK_COLLECT_REVIVE_H

#include "collect/heap.h"

/* Makes a heap whole of which nothing runs but the calling thread.  At the fork
 * the caller had its locks; here they are free.  No thread is started. */
void revive_heap(struct dusk_heap *heap);

#endif
