/* SPDX-License-Identifier: MIT */
/* kinds.h -- what there is of each kind, in one snapshot and in two */
#ifndef DUSK_LAB_KINDS_H
#define DUSK_LAB_KINDS_H

#include "lab/heap/dominators.h"

/* The nodes that are objects: not the roots. */
bool kinds_is_object(const struct objects *objects, uint32_t node);

/* Which nodes are dominated by "(not reached)", as dusk_write_snapshot() calls
 * it: an array to be freed; NULL: no memory. */
bool *kinds_find_strays(const struct objects *objects,
                        const struct dominators *dominators);

/* Objects of one name. */
struct kind_sum {
  const char *name;
  uint64_t objects;
  uint64_t bytes;
  uint64_t retained; /* what would go if all of them went: at least */
};

struct kind_sums {
  struct kind_sum *sums; /* largest `retained` first */
  size_t count;
  struct kind_sum all;
  struct kind_sum strays; /* that hang from "(not reached)": in no other sum */
};

/* false: no memory. */
bool kinds_sum(const struct objects *objects,
               const struct dominators *dominators, struct kind_sums *sums);
void kinds_free(struct kind_sums *sums);

struct kind_change {
  const char *name;
  uint64_t objects[2]; /* before, after */
  uint64_t bytes[2];
  uint64_t made; /* objects that were not there before */
  uint64_t gone;
};

struct kind_changes {
  struct kind_change *changes; /* largest growth first */
  size_t count;
  struct kind_change all;
};

/* Of two snapshots of one heap.  Strays count in neither. */
bool kinds_compare(const struct objects snapshots[2],
                   const struct dominators dominators[2],
                   struct kind_changes *changes);
void kinds_free_changes(struct kind_changes *changes);

#endif
