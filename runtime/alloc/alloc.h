/* SPDX-License-Identifier: MIT */
/* alloc.h -- allocation's slow path: once a run, not once an object */
#ifndef DUSK_ALLOC_ALLOC_H
#define DUSK_ALLOC_ALLOC_H

#include "collect/heap.h"

/* See dusk_alloc(), dusk_new(). */
void *alloc_slow(struct dusk_thread *thread, dusk_kind kind, size_t bytes);
void *alloc_fixed_slow(struct dusk_thread *thread, dusk_kind kind);

/* Waits for a cycle that begins now, as in a blocking region. */
void alloc_collect(struct dusk_thread *thread);

#endif
