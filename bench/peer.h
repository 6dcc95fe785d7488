/* SPDX-License-Identifier: MIT */
/* peer.h -- one face for every memory manager that is compared
 *
 * A program is written once against the names below and compiled once for each
 * peer, chosen by one macro: PEER_DUSK, PEER_BDW, PEER_MIMALLOC, PEER_MALLOC.
 * All is inline: what is timed is the peer's own fast path.
 *
 *   PEER_NAME              what to call it in output
 *   PEER_COLLECTS          a constant: garbage goes by itself.  Where it is
 *                          false the program frees what a C programmer would
 *   struct peer            one thread's way to its memory; passed by value
 *   struct peer_kind       how objects of one shape are read
 *
 *   peer_open(), peer_close(peer)           the first thread
 *   peer_attach(opener), peer_detach(peer)  every other thread, on itself
 *   peer_kind_define(peer, name, bytes, pointers)
 *                          bit i of `pointers`: word i is a pointer.  bytes 0:
 *                          arrays, in which every word is one
 *   peer_new(peer, kind, bytes)             an object with pointers in it
 *   peer_new_leaf(peer, bytes)              one without
 *   peer_new_array(peer, kind, words)       an array of pointers, all NULL
 *   peer_free(peer, object)                 by hand: frees; else nothing
 *   peer_init, peer_store, peer_load, peer_exchange, peer_safepoint
 *                          as dusk_init(), dusk_store() and so on
 *   peer_wait_begin(peer), peer_wait_end(peer)
 *                          around what may block; no object is touched between
 *   peer_hold(peer, on)    no collection from here on, or collections again
 *   peer_collect(peer)     a full collection, now; not by hand
 *   peer_cycles(peer)      collections so far
 *
 * The three that allocate never return NULL.  What peer_new() and
 * peer_new_leaf() return is zeroed by some peers and not by others, as C has
 * it: a program writes before it reads.  Pointers to objects live in locals and
 * in other objects, never in static data or in memory from libc. */
#ifndef DUSK_BENCH_PEER_H
#define DUSK_BENCH_PEER_H

#include "measure.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void *peer_some(void *object)
{
  if (__builtin_expect(!object, 0))
    measure_fail("out of memory");
  return object;
}

#if defined(PEER_DUSK)
#include "peer_dusk.h"
#elif defined(PEER_BDW)
#include "peer_bdw.h"
#elif defined(PEER_MIMALLOC) || defined(PEER_MALLOC)
#include "peer_hand.h"
#else
#error "define PEER_DUSK, PEER_BDW, PEER_MIMALLOC or PEER_MALLOC"
#endif

#endif
