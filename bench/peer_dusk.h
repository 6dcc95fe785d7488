/* SPDX-License-Identifier: MIT */
/* peer_dusk.h -- Dusk behind peer.h: a line each, and no state of its own */
#ifndef DUSK_BENCH_PEER_DUSK_H
#define DUSK_BENCH_PEER_DUSK_H

#include <dusk.h>

#include <string.h>

#define PEER_NAME "dusk"
enum { PEER_COLLECTS = true };

struct peer {
  dusk_heap *heap;
  dusk_thread *thread;
};

struct peer_kind {
  dusk_kind kind;
};

static inline void peer_require(int error)
{
  if (error)
    measure_fail(strerror(error));
}

static inline struct peer peer_attach(struct peer opener)
{
  struct peer peer = opener;
  peer_require(dusk_attach(opener.heap, &peer.thread));
  return peer;
}

static inline void peer_detach(struct peer peer)
{
  dusk_detach(peer.thread);
}

static inline struct peer peer_open(void)
{
  struct peer peer = {NULL, NULL};
  peer_require(dusk_heap_open(NULL, &peer.heap));
  return peer_attach(peer);
}

static inline void peer_close(struct peer peer)
{
  dusk_detach(peer.thread);
  dusk_heap_close(peer.heap);
}

static inline struct peer_kind peer_kind_define(struct peer peer,
                                                const char *name, size_t bytes,
                                                uint64_t pointers)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = name;
  spec.size = bytes;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  spec.period = bytes ? bytes / sizeof(void *) : 1;
  struct peer_kind kind;
  peer_require(dusk_kind_define(peer.heap, &spec, &kind.kind));
  return kind;
}

static inline void *peer_new(struct peer peer, struct peer_kind kind,
                             size_t bytes)
{
  return peer_some(dusk_alloc(peer.thread, kind.kind, bytes));
}

static inline void *peer_new_leaf(struct peer peer, size_t bytes)
{
  return peer_some(dusk_alloc(peer.thread, DUSK_LEAF, bytes));
}

static inline void *peer_new_array(struct peer peer, struct peer_kind kind,
                                   size_t words)
{
  return peer_some(dusk_alloc(peer.thread, kind.kind, words * sizeof(void *)));
}

static inline void peer_free(struct peer peer, void *object)
{
  (void)peer;
  (void)object;
}

static inline void peer_init(struct peer peer, void *slot, const void *value)
{
  dusk_init(peer.thread, slot, value);
}

static inline void peer_store(struct peer peer, void *slot, const void *value)
{
  dusk_store(peer.thread, slot, value);
}

static inline void *peer_load(const void *slot)
{
  return dusk_load(slot);
}

static inline void *peer_exchange(struct peer peer, void *slot, void *value)
{
  return dusk_exchange(peer.thread, slot, value);
}

static inline void peer_safepoint(struct peer peer)
{
  dusk_safepoint(peer.thread);
}

static inline void peer_wait_begin(struct peer peer)
{
  dusk_blocking_begin(peer.thread);
}

static inline void peer_wait_end(struct peer peer)
{
  dusk_blocking_end(peer.thread);
}

static inline void peer_hold(struct peer peer, bool on)
{
  dusk_set_gc_percent(peer.heap, on ? -1 : 100);
}

static inline void peer_collect(struct peer peer)
{
  dusk_collect(peer.thread);
}

static inline uint64_t peer_cycles(struct peer peer)
{
  dusk_memstats stats;
  dusk_read_memstats(peer.heap, &stats);
  return stats.num_gc;
}

#endif
