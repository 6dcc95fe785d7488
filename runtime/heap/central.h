/* SPDX-License-Identifier: MIT */
/* central.h -- the spans of one kind and size class that have free slots
 *
 * A lock each, so that threads meet only when they want the same class.  A list
 * belongs to an epoch: it holds spans that this epoch's census has counted, and
 * only threads of that epoch take from it.  A thread that has not yet served
 * its H4 would read a counted span with the bitmaps in their old roles. */
#ifndef DUSK_HEAP_CENTRAL_H
#define DUSK_HEAP_CENTRAL_H

#include "heap/arena.h"
#include "heap/spanlist.h"

struct central {
  struct lock lock; /* RANK_central */
  uint32_t epoch;
  /* LISTED spans, by address.  At least half free: taken first, because their
   * runs are long, and a run is what an allocation's slow path buys. */
  struct spanlist roomy;
  struct spanlist tight;
};

/* Makes a kind's centrals usable.  false: no memory. */
WARN_UNUSED bool centrals_commit(struct arena *arena, dusk_kind kind);

static inline struct central *central_of(const struct arena *arena,
                                         dusk_kind kind, unsigned size_class)
{
  return &arena->centrals[(size_t)kind * DUSK_SIZE_CLASSES + size_class];
}

/* In the child of a fork, where nobody else is: all locks are free and all
 * lists empty, of the given epoch; each span with free slots is filed, by
 * address; then the lists are whole.  No link is written that is right already:
 * most are, and a page of descriptors that is written to must be copied. */
void centrals_refile_begin(struct arena *arena, uint32_t epoch);
void central_refile(struct arena *arena, struct span *span);
void centrals_refile_end(struct arena *arena);

/* Takes a span, CACHED; NULL: the list is empty or of another epoch. */
struct span *central_take(struct arena *arena, dusk_kind kind,
                          unsigned size_class, uint32_t epoch);

/* Files a span with free slots; its state becomes LISTED. */
void central_give(struct arena *arena, struct span *span, uint32_t epoch);

#endif
