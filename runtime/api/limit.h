/* SPDX-License-Identifier: MIT */
/* limit.h -- telling the program how close the memory limit is */
#ifndef DUSK_API_LIMIT_H
#define DUSK_API_LIMIT_H

#include "collect/heap.h"

/* A cycle is over; the driver, with no lock. */
void limit_tell(struct dusk_heap *heap);

#endif
