/* SPDX-License-Identifier: MIT */
/* fork.h -- heaps and budgets that a child of fork takes over */
#ifndef DUSK_API_FORK_H
#define DUSK_API_FORK_H

#include "collect/budget.h"

/* 0, or an errno value: a child of this process could not go on. */
WARN_UNUSED int fork_is_handled(void);

/* A heap that is open from now on; one that is about to be closed. */
void fork_add_heap(struct dusk_heap *heap);
void fork_remove_heap(struct dusk_heap *heap);

/* Calls act(heap) for each open heap, none of which is closed meanwhile. */
void fork_for_heaps(void (*act)(struct dusk_heap *heap));

void fork_add_budget(struct dusk_budget *budget);

/* As budget_close(), and removes it if it is gone. */
unsigned fork_close_budget(struct dusk_budget *budget);

/* The calling thread is the heap's driver. */
void fork_note_driver(const struct dusk_heap *heap);

#endif
