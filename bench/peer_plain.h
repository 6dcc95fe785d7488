/* SPDX-License-Identifier: MIT */
/* peer_plain.h -- the half of peer.h that is the same wherever a store is just
 * a store: no barrier, no safepoints, one heap to a process that finds its
 * threads by itself, objects that are not described. */
#ifndef DUSK_BENCH_PEER_PLAIN_H
#define DUSK_BENCH_PEER_PLAIN_H

struct peer {
  char none;
};

struct peer_kind {
  char none;
};

static inline struct peer peer_attach(struct peer opener)
{
  return opener;
}

static inline void peer_detach(struct peer peer)
{
  (void)peer;
}

static inline void peer_close(struct peer peer)
{
  (void)peer;
}

static inline struct peer_kind peer_kind_define(struct peer peer,
                                                const char *name, size_t bytes,
                                                uint64_t pointers)
{
  struct peer_kind kind = {0};
  (void)peer;
  (void)name;
  (void)bytes;
  (void)pointers;
  return kind;
}

static inline void peer_init(struct peer peer, void *slot, const void *value)
{
  (void)peer;
  *(void **)slot = (void *)value;
}

static inline void peer_store(struct peer peer, void *slot, const void *value)
{
  (void)peer;
  __atomic_store_n((void **)slot, (void *)value, __ATOMIC_RELEASE);
}

static inline void *peer_load(const void *slot)
{
  return __atomic_load_n((void *const *)slot, __ATOMIC_RELAXED);
}

static inline void *peer_exchange(struct peer peer, void *slot, void *value)
{
  (void)peer;
  return __atomic_exchange_n((void **)slot, value, __ATOMIC_ACQ_REL);
}

static inline void peer_safepoint(struct peer peer)
{
  (void)peer;
}

static inline void peer_wait_begin(struct peer peer)
{
  (void)peer;
}

static inline void peer_wait_end(struct peer peer)
{
  (void)peer;
}

#endif
