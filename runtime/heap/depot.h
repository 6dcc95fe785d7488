/* SPDX-License-Identifier: MIT */
/* depot.h -- stacks, each once, by number: programs allocate from few places */
#ifndef DUSK_HEAP_DEPOT_H
#define DUSK_HEAP_DEPOT_H

#include "base/atomic.h"

struct depot {
  uint64_t *units;   /* committed as a whole, touched as it fills */
  uint32_t used;     /* of them; atomic */
  uint32_t *buckets; /* the last stack of each; 0: none.  Atomic: release by
                        who links a stack, acquire by who reads it */
};

/* false: no memory, and there is no depot. */
WARN_UNUSED bool depot_open(struct depot *depot);
void depot_close(struct depot *depot);

/* The number of a stack; 0: the depot is full.  Any thread, without a lock. */
uint32_t depot_number(struct depot *depot, const uintptr_t *pcs,
                      unsigned count);

/* The stack of that number, of *count return addresses, innermost first: as
 * long as the depot is there.  Any thread that got the number by an acquire
 * from who was given it. */
const uintptr_t *depot_stack(const struct depot *depot, uint32_t number,
                             unsigned *count);

/* Memory that it takes. */
uint64_t depot_bytes(const struct depot *depot);

#endif
