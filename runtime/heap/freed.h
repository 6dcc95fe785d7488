/* SPDX-License-Identifier: MIT */
/* freed.h -- what becomes of the memory of dead objects in a careful heap
 *
 * Nothing, otherwise: a census reads no object. */
#ifndef DUSK_HEAP_FREED_H
#define DUSK_HEAP_FREED_H

#include "heap/arena.h"
#include "heap/shade.h"

/* DUSK_DEBUG=poison=1: what every word of a dead object holds.  No address on
 * any machine we know of: to follow it as a pointer is a fault. */
#define FREED_WORD UINT64_C(0xdeadd05cdeadd05c)

/* The objects of a span that a cycle found dead: their bits are set in what was
 * `allocated` until then, and will be `marks`, but not in what is allocated
 * now.  The census, before it clears them. */
void freed_slots(struct arena *arena, const struct span *span,
                 struct roles roles);

/* DUSK_DEBUG=efence=1: pages of a span that is unpublished are never used
 * again, and whoever touches them faults. */
void freed_pages(struct arena *arena, uint32_t page, uint32_t count);

#endif
