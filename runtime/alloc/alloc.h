/* SPDX-License-Identifier: MIT */
/* alloc.h -- allocation's slow path: once a run, not once an object */
#ifndef DUSK_ALLOC_ALLOC_H
#define DUSK_ALLOC_ALLOC_H

#include "collect/heap.h"

/* See dusk_alloc(), dusk_new().  `caller`: where they return to. */
void *alloc_slow(struct dusk_thread *thread, dusk_kind kind, size_t bytes,
                 uintptr_t caller);
void *alloc_fixed_slow(struct dusk_thread *thread, dusk_kind kind,
                       uintptr_t caller);

/* Waits for a cycle that begins now, as in a blocking region. */
void alloc_collect(struct dusk_thread *thread);

#endif
