/* SPDX-License-Identifier: MIT */
/* dominators.h -- which object must go for another to go
 *
 * A node dominates another if every path from the root to that one leads
 * through it.  The last such node is its immediate dominator; they make a tree,
 * and what hangs below a node in it is what the node alone retains.
 *
 * Tested by tests/lab/dominators.c. */
#ifndef DUSK_LAB_DOMINATORS_H
#define DUSK_LAB_DOMINATORS_H

#include "lab/heap/objects.h"

/* Not reached from the root; and what the root has for a dominator. */
#define DOMINATED_BY_NONE UINT32_MAX

struct dominators {
  uint32_t *of;       /* of each node: its immediate dominator */
  uint64_t *retained; /* of each node: bytes below it, itself included */
  uint32_t *order;    /* reached nodes, dominators before what they dominate */
  size_t reached;
};

/* false: no memory. */
bool dominators_find(const struct objects *objects,
                     struct dominators *dominators);
void dominators_free(struct dominators *dominators);

#endif
