/* SPDX-License-Identifier: MIT */
/* barriercheck.h -- DUSK_DEBUG=barriercheck: was every pointer stored through
 * the library? */
#ifndef DUSK_INSPECT_BARRIERCHECK_H
#define DUSK_INSPECT_BARRIERCHECK_H

#include "collect/heap.h"

/* barriercheck=2: stores are noticed where they happen; false: not here. */
WARN_UNUSED bool barriercheck_fence(struct arena *arena);

/* Looks at the slots of all marked objects, in a halt, and says on stderr which
 * hold something else than was announced; false: some do. */
WARN_UNUSED bool barriercheck_run(struct dusk_heap *heap);

/* In the child of a fork, when it is known what is allocated: what stands there
 * counts as announced.  Threads that vanished may have been between announcing
 * and storing. */
void barriercheck_revive(struct dusk_heap *heap);

#endif
