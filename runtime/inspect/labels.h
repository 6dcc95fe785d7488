/* SPDX-License-Identifier: MIT */
/* labels.h -- which objects can be reached from one place alone
 *
 * Each place has a number.  An object that is reached with one number only
 * carries that; with two, LABEL_MANY.  So an object's label changes at most
 * twice, and labelling a heap costs as much as marking it twice. */
#ifndef DUSK_INSPECT_LABELS_H
#define DUSK_INSPECT_LABELS_H

#include "inspect/thing.h"

enum { LABEL_NONE = 0 };
#define LABEL_MANY UINT32_MAX

struct labels {
  const struct arena *arena;
  struct roles roles;
  uint32_t *table; /* one a granule */
  uintptr_t *work; /* objects to read: last in, first out */
  size_t granules;
  size_t count;
  bool precise_only; /* words of conservative objects are not followed */
  const struct labels *except; /* what has a label there is left alone */
};

/* false: no memory. */
WARN_UNUSED bool labels_open(struct labels *labels, const struct arena *arena,
                             struct roles roles);
void labels_close(struct labels *labels);

/* The object that the word names; false: it names none that is alive. */
bool labels_find(const struct labels *labels, uintptr_t word,
                 struct thing *thing);

/* All that can be reached from this object has this label, or several. */
void labels_spread(struct labels *labels, const struct thing *thing,
                   uint32_t label);

static inline uint32_t labels_of(const struct labels *labels,
                                 const struct thing *thing)
{
  return labels->table[thing->granule];
}

#endif
