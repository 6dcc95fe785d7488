/* SPDX-License-Identifier: MIT */
/* shade.h -- from a word that may be anything to an object turned grey
 *
 * A word counts if it points into a span in use and the slot is allocated: its
 * bit is set in `allocated`.  Testing is allowed only once every thread has
 * served H2 (PROTOCOL 5): before that, a fresh white object of a thread that
 * has not may look like a free slot.  An object allocated since then is black
 * already, so that "not allocated" may be ignored even when it is stale. */
#ifndef DUSK_HEAP_SHADE_H
#define DUSK_HEAP_SHADE_H

#include "heap/arena.h"

/* The two bitmaps in the roles that they have in one epoch. */
struct roles {
  uint64_t *allocated;
  uint64_t *marks;
};

static inline struct roles arena_roles(const struct arena *arena,
                                       uint32_t epoch)
{
  return (struct roles){arena->marks[epoch & 1], arena->marks[~epoch & 1]};
}

/* Is the object allocated, as far as anybody but the owner of its span can
 * tell, in this epoch?  Of a span in a thread's cache every slot counts: what
 * the thread has handed out is published late.  The bits are read in this order
 * because the census clears the first only when the second is set. */
static inline bool object_is_allocated(const struct object *object,
                                       const struct arena *arena,
                                       struct roles roles)
{
  size_t granule = arena_granule(arena, object->start);
  return span_state(object->span) == SPAN_CACHED ||
         bit_test_acquire(roles.allocated, granule) || /* with bits_clear() */
         bit_test_acquire(roles.marks, granule);
}

/* Is the word a pointer to, or into, an allocated object that is white?
 * *start: that object's. */
static inline bool word_is_white(const struct arena *arena, struct roles roles,
                                 uintptr_t word, uintptr_t *start)
{
  struct object object;
  if (!object_find(arena, word, &object))
    return false;
  size_t granule = arena_granule(arena, object.start);
  *start = object.start;
  return bit_test_acquire(roles.allocated, granule) &&
         !bit_test(roles.marks, granule);
}

#endif
