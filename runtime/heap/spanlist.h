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

static inline bool spanlist_is_empty(const struct spanlist *list)
{
  return list->first == PAGE_NONE;
}

/* Appends all of `more`, which is not empty. */
static inline void spanlist_append(struct spanlist *list,
                                   const struct spanlist *more,
                                   struct span *spans)
{
  if (list->last)
    spans[list->last].next = more->first;
  else
    list->first = more->first;
  list->last = more->last;
}

static inline void spanlist_push(struct spanlist *list, uint32_t page,
                                 struct span *spans)
{
  spans[page].next = PAGE_NONE;
  spanlist_append(list, &(struct spanlist){page, page}, spans);
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
