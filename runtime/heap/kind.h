/* SPDX-License-Identifier: MIT */
/* kind.h -- how the objects of a kind are read
 *
 * Kinds are only ever added.  A kind is immutable once it is in the table,
 * except for `classes`; it is published with release, so that whoever finds a
 * page of that kind finds the kind. */
#ifndef DUSK_HEAP_KIND_H
#define DUSK_HEAP_KIND_H

#include "base/atomic.h"
#include "base/lock.h"

#include "dusk/abi.h"
#include "dusk/kind.h"

/* What the marker needs of a kind, for most objects: one load.  `bits` are the
 * pointer words of an object that has a short layout. */
enum reading {
  READ_NOTHING, /* a leaf */
  READ_BITS,    /* a fixed layout of at most 64 words */
  READ_OTHERWISE,
};
struct reader {
  uint64_t bits;
  uint64_t how; /* enum reading */
};

enum { KIND_CLASS_WORDS = (DUSK_SIZE_CLASSES + 63) / 64 };

struct kind {
  char *name;  /* owned; may be NULL */
  size_t size; /* 0: any */
  dusk_scan scan;
  uint64_t *pointers; /* LAYOUT: owned */
  size_t period;      /* LAYOUT: words that `pointers` covers */
  size_t repeat;      /* LAYOUT: objects have the bitmap once (0) or again and
                         again to their end (1) */
  void (*trace)(void *object, size_t bytes, dusk_tracer *tracer, void *context);
  void *context;
  /* Bit c: a span of size class c was taken at some time.  Atomic OR by any
   * thread, read by the collector: which centrals it has to close. */
  uint64_t classes[KIND_CLASS_WORDS];
};

struct kinds {
  struct lock lock; /* RANK_kinds: defining */
  uint32_t count;   /* release by the definer, acquire by readers */
  struct reader readers[DUSK_KINDS_MAX];
  struct kind *table[DUSK_KINDS_MAX];
};

/* With DUSK_LEAF and DUSK_CONSERVATIVE defined.  false: no memory. */
WARN_UNUSED bool kinds_init(struct kinds *kinds);
void kinds_destroy(struct kinds *kinds);

/* Makes ready what a kind with this number needs besides, with the lock; again
 * if it was in vain.  false: no memory. */
typedef bool kind_ready(void *context, dusk_kind number);

/* See dusk_kind_define().  The kind is known to others once all else is ready;
 * `ready` may be NULL. */
WARN_UNUSED int kind_define(struct kinds *kinds, const dusk_kind_spec *spec,
                            kind_ready *ready, void *context, dusk_kind *kind);

static inline uint32_t kinds_count(const struct kinds *kinds)
{
  return LOAD_ACQUIRE(&kinds->count); /* pairs with kind_define() */
}

/* NULL: no such kind. */
static inline struct kind *kind_find(const struct kinds *kinds, dusk_kind kind)
{
  return kind < kinds_count(kinds) ? kinds->table[kind] : NULL;
}

static inline bool kind_is_scanned(const struct kinds *kinds, uint16_t kind)
{
  return kinds->readers[kind].how != READ_NOTHING;
}

/* Spans of this class exist from now on. */
static inline void kind_note_class(struct kind *kind, unsigned size_class)
{
  uint64_t *word = &kind->classes[size_class / 64];
  uint64_t mask = UINT64_C(1) << (size_class % 64);
  if (!(LOAD_RELAXED(word) & mask))
    OR_RELAXED(word, mask);
}

/* Were there ever any? */
static inline bool kind_has_class(const struct kind *kind, unsigned size_class)
{
  return LOAD_RELAXED(&kind->classes[size_class / 64]) >> (size_class % 64) & 1;
}

/* The collector's look-up of a kind that a page names: it was published before
 * the page was. */
static inline const struct kind *kind_of_page(const struct kinds *kinds,
                                              uint16_t kind)
{
  return kinds->table[kind];
}

#endif
