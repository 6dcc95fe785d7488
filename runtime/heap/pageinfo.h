/* SPDX-License-Identifier: MIT */
/* pageinfo.h -- what one load tells about a page
 *
 * The page map has a word for each page.  0: in no span.  Otherwise it packs
 * the page where the span begins, the kind and the size class: all that the
 * marker needs to read an object, so that it touches no descriptor.
 *
 *   63      56 55     48 47        32 31                    0
 *   | in use  |  class  |    kind    |   head page          |
 */
#ifndef DUSK_HEAP_PAGEINFO_H
#define DUSK_HEAP_PAGEINFO_H

#include "base/compiler.h"

static inline uint64_t pageinfo_make(uint32_t head, uint16_t kind,
                                     uint8_t size_class)
{
  return UINT64_C(1) << 56 | (uint64_t)size_class << 48 | (uint64_t)kind << 32 |
         head;
}

static inline uint32_t pageinfo_head(uint64_t info)
{
  return (uint32_t)info;
}

static inline uint16_t pageinfo_kind(uint64_t info)
{
  return (uint16_t)(info >> 32);
}

static inline uint8_t pageinfo_class(uint64_t info)
{
  return (uint8_t)(info >> 48);
}

#endif
