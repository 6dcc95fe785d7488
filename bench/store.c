/* SPDX-License-Identifier: MIT */
/* store.c -- the price of storing a pointer while no collection runs
 *
 * One object's slots, all in the first cache, stored to over and over.  The
 * compiler is kept from merging, hoisting and vectorising the stores, so each
 * pays its barrier's load and branch; eight stand in a row, or where the loop
 * falls in a cache line would count for as much as they do.  Figure: ns for
 * each. */
#include "option.h"
#include "peer.h"

#include <stdlib.h>

enum { SLOTS = 64 };

struct object {
  struct object *slots[SLOTS];
};

static struct object *object_create(struct peer peer, struct peer_kind kind)
{
  struct object *object = peer_new(peer, kind, sizeof *object);
  for (unsigned i = 0; i < SLOTS; i++)
    peer_init(peer, &object->slots[i], NULL);
  return object;
}

static void object_fill(struct peer peer, struct object *object,
                        struct object *value)
{
#pragma GCC unroll 8
  for (unsigned i = 0; i < SLOTS; i++) {
    peer_store(peer, &object->slots[i], value);
    measure_keep(object);
  }
}

static void object_check(const struct object *object,
                         const struct object *value)
{
  for (unsigned i = 0; i < SLOTS; i++) {
    if (peer_load(&object->slots[i]) != value)
      measure_fail("a store was lost");
  }
}

int main(int argc, char **argv)
{
  enum { COUNT, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [COUNT] = {"count", "Stores to time", 1000000000, 50000000, NULL}};
  static const struct option_program program = {
      "store", PEER_NAME, "Stores a pointer over and over"};
  option_parse(&program, options, argc, argv);
  uint64_t rounds = options[COUNT].value / SLOTS;
  if (!rounds)
    measure_fail("count is at least 64");

  struct peer peer = peer_open();
  struct peer_kind kind =
      peer_kind_define(peer, "object", sizeof(struct object), UINT64_MAX);
  struct object *object = object_create(peer, kind);
  struct object *value = object_create(peer, kind);
  uint64_t cycles = peer_cycles(peer);
  struct measure_stretch stretch = measure_begin();
  for (uint64_t i = 0; i < rounds; i++)
    object_fill(peer, object, value);
  stretch = measure_end(stretch);
  if (peer_cycles(peer) != cycles)
    measure_fail("a collection ran");
  measure_figure_each(stretch, rounds * SLOTS);
  object_check(object, value);
  peer_free(peer, object);
  peer_free(peer, value);
  peer_close(peer);
  return EXIT_SUCCESS;
}
