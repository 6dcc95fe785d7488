/* SPDX-License-Identifier: MIT */
/* peer_bdw.h -- the Boehm-Demers-Weiser collector (libgc) behind peer.h
 *
 * Used at its best: thread-local free lists, parallel marking, leaf objects
 * marked as such, and interior pointers honoured from stacks only, as Dusk does
 * it for objects of known layout.  BDW_INTERIOR in the environment gives
 * libgc's own default, interior pointers from everywhere. */
#ifndef DUSK_BENCH_PEER_BDW_H
#define DUSK_BENCH_PEER_BDW_H

/* Redirects pthread_create() and pthread_join() from here on. */
#define GC_THREADS 1
#include <gc.h>

#include <stdlib.h>

#include "peer_plain.h"

#define PEER_NAME "bdw"
enum { PEER_COLLECTS = true };

static inline struct peer peer_open(void)
{
  struct peer peer = {0};
  GC_set_all_interior_pointers(getenv("BDW_INTERIOR") != NULL);
  GC_INIT();
  return peer;
}

static inline void *peer_new(struct peer peer, struct peer_kind kind,
                             size_t bytes)
{
  (void)peer;
  (void)kind;
  return peer_some(GC_MALLOC(bytes));
}

static inline void *peer_new_leaf(struct peer peer, size_t bytes)
{
  (void)peer;
  return peer_some(GC_MALLOC_ATOMIC(bytes));
}

static inline void *peer_new_array(struct peer peer, struct peer_kind kind,
                                   size_t words)
{
  (void)peer;
  (void)kind;
  return peer_some(GC_MALLOC(words * sizeof(void *)));
}

static inline void peer_free(struct peer peer, void *object)
{
  (void)peer;
  (void)object;
}

static inline void peer_hold(struct peer peer, bool on)
{
  (void)peer;
  if (on)
    GC_disable();
  else
    GC_enable();
}

static inline void peer_collect(struct peer peer)
{
  (void)peer;
  GC_gcollect();
}

static inline uint64_t peer_cycles(struct peer peer)
{
  (void)peer;
  return GC_get_gc_no();
}

#endif
