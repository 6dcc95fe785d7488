/* SPDX-License-Identifier: MIT */
/* rootset.h -- memory outside the heap that holds pointers into it
 *
 * A root that is removed while a cycle marks is a store of NULL over all its
 * words: they are logged first, as any overwritten word is.  A root that is
 * added is logged as well, so that it makes no difference what the program
 * stored there before. */
#ifndef DUSK_MUTATOR_ROOTSET_H
#define DUSK_MUTATOR_ROOTSET_H

#include "base/lock.h"
#include "heap/gather.h"

struct root {
  uintptr_t start;
  uintptr_t end;
};

struct rootset {
  struct lock lock; /* RANK_roots; guards all but `bytes` for readers */
  struct root *roots;
  size_t count;
  size_t capacity;
  uint64_t bytes; /* of all roots, atomic to read */
  bool data_segments;
  bool logging; /* a cycle is between H1 and its end */
};

void rootset_init(struct rootset *set, bool data_segments);
void rootset_destroy(struct rootset *set);

/* See dusk_root_add() and dusk_root_remove(). */
WARN_UNUSED int rootset_add(struct rootset *set, const struct arena *arena,
                            struct grey *grey, uintptr_t start, size_t bytes);
WARN_UNUSED int rootset_remove(struct rootset *set, const struct arena *arena,
                               struct grey *grey, uintptr_t start);

/* In the child of a fork: no cycle runs. */
void rootset_revive(struct rootset *set);

/* The collector: from now on changes are logged, or no longer. */
void rootset_log(struct rootset *set, bool logging);

/* The collector, after H1b: the words of all roots go to the grey set as raw.
 * Returns bytes read; *complete: there were packets enough. */
uint64_t rootset_gather(struct rootset *set, const struct arena *arena,
                        struct grey *grey, bool *complete);

#endif
