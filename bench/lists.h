/* SPDX-License-Identifier: MIT */
/* lists.h -- a table of short lists that several threads rewire and replace
 *
 * What churn and handshake keep alive and busy.  The table is an array of
 * pointers to lists of equal length.  A thread owns a list from the moment that
 * it exchanges the table's slot for NULL until it stores one back; meeting
 * NULL, it tries another.  So threads never wait for each other, every list has
 * its length whenever it is in the table, and memory freed by hand is freed
 * safely.  Each node carries a seal made from its own address, and all who pass
 * look at it: memory that was recycled too early does not go unnoticed. */
#ifndef DUSK_BENCH_LISTS_H
#define DUSK_BENCH_LISTS_H

#include "peer.h"

struct list_node {
  struct list_node *next;
  uint64_t seal;
  uint64_t payload[6];
};

/* Lives on the stack of the thread that opened it, which outlives the others:
 * `table` is what keeps every list alive. */
struct lists {
  struct peer_kind node;
  struct list_node **table;
  uint64_t count;
  uint64_t length; /* nodes to a list, at least 2 */
};

/* Makes an empty table for lists of `length` nodes, `live_bytes` of nodes in
 * all.  Fails the program if that makes fewer than `lists_min` lists, or too
 * many to pick from. */
struct lists lists_create(struct peer peer, uint64_t live_bytes,
                          uint64_t length, uint64_t lists_min);

/* Makes the lists of one share of `shares`.  Each thread at work makes its own,
 * so that memory by hand is returned to who will allocate it again. */
void lists_fill(const struct lists *lists, struct peer peer, uint64_t share,
                uint64_t shares);

/* Takes out a random list and puts a new one in its place. */
void lists_replace(const struct lists *lists, struct peer peer,
                   struct measure_random *random);

/* Takes out two random lists, swaps their tails from a random node on, and puts
 * them back in each other's place. */
void lists_rewire(const struct lists *lists, struct peer peer,
                  struct measure_random *random);

/* One of the two, with even odds. */
static inline void lists_step(const struct lists *lists, struct peer peer,
                              struct measure_random *random)
{
  if (measure_random_next(random) >> 63)
    lists_replace(lists, peer, random);
  else
    lists_rewire(lists, peer, random);
}

/* Visits every node, fails the program if one is missing or was recycled, and
 * frees all by hand.  No other thread is at work. */
void lists_finish(struct lists *lists, struct peer peer);

#endif
