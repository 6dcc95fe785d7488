/* SPDX-License-Identifier: MIT */
/* careful.h -- which debug switches make allocation careful */
#ifndef DUSK_COLLECT_CAREFUL_H
#define DUSK_COLLECT_CAREFUL_H

#include "collect/heap.h"

/* Sets the arena up as the switches want it: after collector_open(), before
 * anything is allocated.  What the system has no memory for is left out. */
void careful_open(struct arena *arena, const struct debug_options *debug);

#endif
