/* SPDX-License-Identifier: MIT */
/* peer_hand.h -- memory freed by hand behind peer.h: mimalloc, or libc's malloc
 *
 * What a program costs without a collector.  Objects are not zeroed, because
 * these programs write what they read, and a C programmer would leave it out;
 * tables of pointers are. */
#ifndef DUSK_BENCH_PEER_HAND_H
#define DUSK_BENCH_PEER_HAND_H

#include <stdlib.h>

#include "peer_plain.h"

#if defined(PEER_MIMALLOC)
#include <mimalloc.h>
#define PEER_NAME "mimalloc"
#define PEER_BY_HAND(call) mi_##call
#else
#define PEER_NAME "malloc"
#define PEER_BY_HAND(call) call
#endif
enum { PEER_COLLECTS = false };

static inline struct peer peer_open(void)
{
  struct peer peer = {0};
  return peer;
}

static inline void *peer_new(struct peer peer, struct peer_kind kind,
                             size_t bytes)
{
  (void)peer;
  (void)kind;
  return peer_some(PEER_BY_HAND(malloc)(bytes));
}

static inline void *peer_new_leaf(struct peer peer, size_t bytes)
{
  (void)peer;
  return peer_some(PEER_BY_HAND(malloc)(bytes));
}

static inline void *peer_new_array(struct peer peer, struct peer_kind kind,
                                   size_t words)
{
  (void)peer;
  (void)kind;
  return peer_some(PEER_BY_HAND(calloc)(words, sizeof(void *)));
}

static inline void peer_free(struct peer peer, void *object)
{
  (void)peer;
  PEER_BY_HAND(free)(object);
}

static inline void peer_hold(struct peer peer, bool on)
{
  (void)peer;
  (void)on;
}

static inline uint64_t peer_cycles(struct peer peer)
{
  (void)peer;
  return 0;
}

#endif
