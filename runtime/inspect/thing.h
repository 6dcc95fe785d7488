/* SPDX-License-Identifier: MIT */
/* thing.h -- an object as an inspector sees it, and the slots in it
 *
 * A second reading of the heap, on purpose: of what the collector works with it
 * shares the tables and not a line of code that reads them, so that a mistake
 * in one is not repeated in the other.  In a halt, between marking and H4. */
#ifndef DUSK_INSPECT_THING_H
#define DUSK_INSPECT_THING_H

#include "collect/collector.h"
#include "heap/shade.h"

struct thing {
  uintptr_t start;
  size_t bytes;
  size_t granule; /* of its start */
  const struct span *span;
  const struct kind *kind;
};

/* The slot of a span in use that the word points to or into; false: none. */
bool thing_find(const struct arena *arena, uintptr_t word, struct thing *thing);

/* It is an object: it was allocated when the cycle began, or has been since. */
bool thing_is_allocated(const struct thing *thing, struct roles roles);
bool thing_is_marked(const struct thing *thing, struct roles roles);

/* The slot whose end this is; false: there is none. */
bool thing_ends_at(const struct arena *arena, uintptr_t address,
                   struct thing *thing);

/* The size of the slots of the span in front of the thing's; 0: there is none,
 * or it has a large object. */
size_t thing_size_in_front(const struct arena *arena,
                           const struct thing *thing);

/* Visits each word of the thing that may hold a pointer: as the kind says
 * (precise), or any word of a conservative object. */
typedef void thing_visit(void *context, const struct thing *holder,
                         uintptr_t slot, bool precise);
void thing_slots(const struct thing *thing, thing_visit *visit, void *context);

/* All objects, in the order of their addresses. */
void thing_each(const struct arena *arena, struct roles roles,
                void (*visit)(void *context, const struct thing *thing),
                void *context);

/* A word that its thread may be writing to, or that may lie anywhere. */
uintptr_t thing_word(uintptr_t address);

/* "0x1234 (kind 5 "node", 48 bytes)". */
void thing_print(const struct thing *thing, char *text, size_t size);

/* Lines on stderr: a stack, down to where the program's functions begin. */
void thing_print_stack(const uintptr_t *pcs, unsigned count,
                       const char *indent);

/* Lines on stderr: where it was allocated, if that is known. */
void thing_print_origin(const struct arena *arena, uintptr_t object,
                        const char *indent);

#endif
