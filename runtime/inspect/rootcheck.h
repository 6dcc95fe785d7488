/* SPDX-License-Identifier: MIT */
/* rootcheck.h -- DUSK_DEBUG=rootcheck: who holds an object that is about to be
 * freed? */
#ifndef DUSK_INSPECT_ROOTCHECK_H
#define DUSK_INSPECT_ROOTCHECK_H

#include "collect/heap.h"

/* In a halt, after marking.  Says on stderr what it finds. */
void rootcheck_run(struct dusk_heap *heap);

/* In the child of a fork, after registry_revive(): the stacks of threads that
 * have vanished hold nothing that is in use. */
void rootcheck_revive(struct dusk_heap *heap);
void rootcheck_close(struct dusk_heap *heap);

#endif
