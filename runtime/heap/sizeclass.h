/* SPDX-License-Identifier: MIT */
/* sizeclass.h -- how many pages a span of each size class has
 *
 * The classes themselves are a formula, in <dusk/abi.h>. */
#ifndef DUSK_HEAP_SIZECLASS_H
#define DUSK_HEAP_SIZECLASS_H

#include "heap/span.h"

#include "dusk/abi.h"

struct sizeclass {
  uint32_t size;  /* bytes */
  uint32_t pages; /* of a span */
  uint32_t slots; /* in a span */
  uint32_t reciprocal;
};

/* Fills the table of all classes. */
void sizeclass_fill(struct sizeclass classes[DUSK_SIZE_CLASSES]);

#endif
