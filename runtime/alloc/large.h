/* SPDX-License-Identifier: MIT */
/* large.h -- objects that have their pages to themselves */
#ifndef DUSK_ALLOC_LARGE_H
#define DUSK_ALLOC_LARGE_H

#include "collect/heap.h"

/* An object of more than DUSK_SMALL_MAX bytes; NULL: the heap cannot grow. */
void *large_alloc(struct dusk_thread *thread, dusk_kind kind, size_t bytes);

#endif
