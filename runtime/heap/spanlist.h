/* SPDX-License-Identifier: MIT */
/* spanlist.h -- first in, first out, linked through the descriptors
 *
 * A span is in at most one list.  The list's owner guards it. */
#ifndef DUSK_HEAP_SPANLIST_H
#define DUSK_HEAP_SPANLIST_H

#include "heap/span.h"

/* Pages where spans begin; {0} is the empty list. */
struct spanlist {
  uint32_t first;
  uint32_t last;
};

static inline void spanlist_push(struct spanlist *list, uint32_t page,
                                 struct span *spans)
{
  spans[page].next = PAGE_NONE;
  if (list->last)
    spans[list->last].next = page;
  else
    list->first = page;
  list->last = page;
}

/* The first, or PAGE_NONE. */
static inline uint32_t spanlist_pop(struct spanlist *list,
                                    const struct span *spans)
{
  uint32_t page = list->first;
  if (page) {
    list->first = spans[page].next;
    if (!list->first)
      list->last = PAGE_NONE;
  }
  return page;
}

#endif
