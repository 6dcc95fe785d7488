/* SPDX-License-Identifier: MIT */
/* lists.c -- lists that are rewired and replaced; see lists.h */
#include "lists.h"

static uint64_t node_seal(const struct list_node *node)
{
  return (uintptr_t)node ^ UINT64_C(0x5EA1ED5EA1ED5EA1);
}

static void node_check(const struct list_node *node)
{
  if (__builtin_expect(!node || node->seal != node_seal(node), 0))
    measure_fail("a list has lost a node");
}

static struct list_node *list_build(const struct lists *lists, struct peer peer)
{
  struct list_node *head = NULL;
  for (uint64_t i = 0; i < lists->length; i++) {
    struct list_node *node = peer_new(peer, lists->node, sizeof *node);
    peer_init(peer, &node->next, head);
    node->seal = node_seal(node);
    head = node;
  }
  return head;
}

static void list_free(struct peer peer, struct list_node *node)
{
  while (node) {
    struct list_node *next = node->next;
    node_check(node);
    peer_free(peer, node);
    node = next;
  }
}

/* Takes out a random list; its slot is NULL until the caller fills it. */
static struct list_node *lists_take(const struct lists *lists, struct peer peer,
                                    struct measure_random *random,
                                    struct list_node ***slot)
{
  struct list_node *head;
  do {
    *slot = &lists->table[measure_random_below(random, lists->count)];
    head = peer_exchange(peer, *slot, NULL);
  } while (!head);
  return head;
}

static struct list_node *list_walk(struct list_node *node, uint64_t steps)
{
  for (node_check(node); steps; steps--) {
    node = peer_load(&node->next);
    node_check(node);
  }
  return node;
}

struct lists lists_create(struct peer peer, uint64_t live_bytes,
                          uint64_t length, uint64_t lists_min)
{
  if (length < 2)
    measure_fail("a list has at least 2 nodes");
  struct lists lists = {.length = length};
  lists.count = live_bytes / (length * sizeof(struct list_node));
  if (lists.count < lists_min || lists.count >> 32)
    measure_fail("live is too small or too large for the length");
  lists.node = peer_kind_define(peer, "list node", sizeof(struct list_node), 1);
  struct peer_kind array = peer_kind_define(peer, "table", 0, 1);
  lists.table = peer_new_array(peer, array, lists.count);
  return lists;
}

void lists_fill(const struct lists *lists, struct peer peer, uint64_t share,
                uint64_t shares)
{
  uint64_t end = lists->count * (share + 1) / shares;
  for (uint64_t i = lists->count * share / shares; i < end; i++)
    peer_store(peer, &lists->table[i], list_build(lists, peer));
}

void lists_replace(const struct lists *lists, struct peer peer,
                   struct measure_random *random)
{
  struct list_node **slot;
  struct list_node *old = lists_take(lists, peer, random, &slot);
  node_check(old);
  peer_store(peer, slot, list_build(lists, peer));
  if (!PEER_COLLECTS)
    list_free(peer, old);
}

void lists_rewire(const struct lists *lists, struct peer peer,
                  struct measure_random *random)
{
  struct list_node **slots[2];
  struct list_node *heads[2];
  heads[0] = lists_take(lists, peer, random, &slots[0]);
  heads[1] = lists_take(lists, peer, random, &slots[1]);
  uint64_t at = measure_random_below(random, lists->length - 1);
  struct list_node *left = list_walk(heads[0], at);
  struct list_node *right = list_walk(heads[1], at);
  struct list_node *tail = peer_load(&left->next);
  peer_store(peer, &left->next, peer_load(&right->next));
  peer_store(peer, &right->next, tail);
  peer_store(peer, slots[0], heads[1]);
  peer_store(peer, slots[1], heads[0]);
  peer_safepoint(peer);
}

void lists_finish(struct lists *lists, struct peer peer)
{
  for (uint64_t i = 0; i < lists->count; i++) {
    struct list_node *head = peer_load(&lists->table[i]);
    struct list_node *last = list_walk(head, lists->length - 1);
    if (peer_load(&last->next))
      measure_fail("a list has grown");
    if (!PEER_COLLECTS)
      list_free(peer, head);
    peer_safepoint(peer);
  }
  peer_free(peer, lists->table);
  lists->table = NULL;
}
