/* SPDX-License-Identifier: MIT */
/* alloc.c -- the price of an object, all collection included
 *
 *   ring     64 bytes with 2 pointers; the last million objects stay alive
 *   drop     the same, nothing stays
 *   leaf16   16 bytes without pointers, nothing stays
 *   leaf1k   1 KiB without pointers, nothing stays
 *
 * The two pointers of an object lead to two of a fixed set of anchors, so that
 * what is alive is bounded and the collector has something to follow. */
#include "option.h"
#include "peer.h"

#include <stdlib.h>

struct object {
  struct object *first;
  struct object *second;
  uint64_t payload[6];
};

enum { ANCHORS = 1024 };

/* Passed by value, so that it is in registers while objects are timed. */
struct shop {
  struct peer peer;
  struct peer_kind object;
  struct peer_kind array;
  struct object **anchors;
};

static struct object *object_make(struct shop shop, uint64_t index)
{
  struct object *object = peer_new(shop.peer, shop.object, sizeof *object);
  struct object **anchors = shop.anchors;
  struct object *first = peer_load(&anchors[index % ANCHORS]);
  struct object *second = peer_load(&anchors[(index + 1) % ANCHORS]);
  peer_init(shop.peer, &object->first, first);
  peer_init(shop.peer, &object->second, second);
  object->payload[0] = index;
  return object;
}

/* The anchors themselves point nowhere. */
static void shop_stock(struct shop *shop)
{
  shop->anchors = peer_new_array(shop->peer, shop->array, ANCHORS);
  for (unsigned i = 0; i < ANCHORS; i++) {
    struct object *anchor =
        peer_new(shop->peer, shop->object, sizeof(struct object));
    peer_init(shop->peer, &anchor->first, NULL);
    peer_init(shop->peer, &anchor->second, NULL);
    peer_store(shop->peer, &shop->anchors[i], anchor);
  }
}

static struct measure_stretch time_ring(struct shop shop, uint64_t count,
                                        uint64_t live)
{
  struct object **ring = peer_new_array(shop.peer, shop.array, live);
  struct measure_stretch stretch = measure_begin();
  uint64_t at = 0;
  for (uint64_t i = 0; i < count; i++) {
    struct object *object = object_make(shop, i);
    struct object *old = peer_load(&ring[at]);
    peer_store(shop.peer, &ring[at], object);
    peer_free(shop.peer, old);
    at = at + 1 < live ? at + 1 : 0;
  }
  stretch = measure_end(stretch);
  for (uint64_t i = 0; i < live && i < count; i++) {
    struct object *object = peer_load(&ring[i]);
    if (object->payload[0] % live != i)
      measure_fail("the ring has lost an object");
  }
  return stretch;
}

static struct measure_stretch time_drop(struct shop shop, uint64_t count)
{
  struct measure_stretch stretch = measure_begin();
  for (uint64_t i = 0; i < count; i++) {
    struct object *object = object_make(shop, i);
    measure_keep(object);
    peer_free(shop.peer, object);
  }
  return measure_end(stretch);
}

/* Inlined with constant sizes, as in a program that knows its types. */
__attribute__((always_inline)) static inline struct measure_stretch
time_leaf(struct peer peer, uint64_t count, size_t bytes)
{
  struct measure_stretch stretch = measure_begin();
  for (uint64_t i = 0; i < count; i++) {
    uint64_t *object = peer_new_leaf(peer, bytes);
    *object = i;
    measure_keep(object);
    peer_free(peer, object);
  }
  return measure_end(stretch);
}

int main(int argc, char **argv)
{
  enum { WHAT, COUNT, LIVE, OPTIONS };
  enum { RING, DROP, LEAF16, LEAF1K };
  static const char *const what[] = {"ring", "drop", "leaf16", "leaf1k", NULL};
  struct option_row options[OPTIONS + 1] = {
      [WHAT] = {"what", "What to allocate", RING, RING, what},
      [COUNT] = {"count", "Objects to allocate", 50000000, 2000000, NULL},
      [LIVE] = {"live", "Objects in the ring", 1000000, 100000, NULL}};
  static const struct option_program program = {
      "alloc", PEER_NAME, "Allocates objects of one size"};
  option_parse(&program, options, argc, argv);
  uint64_t count = options[COUNT].value;
  if (!count || !options[LIVE].value)
    measure_fail("count and live are at least 1");

  struct shop shop = {.peer = peer_open()};
  shop.object = peer_kind_define(shop.peer, "object", sizeof(struct object), 3);
  shop.array = peer_kind_define(shop.peer, "array", 0, 1);
  shop_stock(&shop);
  struct measure_stretch stretch = {0, 0};
  switch (options[WHAT].value) {
  case RING:
    stretch = time_ring(shop, count, options[LIVE].value);
    break;
  case DROP:
    stretch = time_drop(shop, count);
    break;
  case LEAF16:
    stretch = time_leaf(shop.peer, count, 16);
    break;
  case LEAF1K:
    stretch = time_leaf(shop.peer, count, 1024);
    break;
  }
  measure_figure_each(stretch, count);
  measure_figure_peak();
  peer_close(shop.peer);
  return EXIT_SUCCESS;
}
