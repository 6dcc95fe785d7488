/* SPDX-License-Identifier: MIT */
/* map.c -- a hash table that grows while it is filled
 *
 * Open addressing with linear probing over a table of pointers to nodes; the
 * table doubles when it is three quarters full.  A table of many MiB is one
 * object, all pointers, which a collector should read without holding anybody
 * up.  Every insert is timed, from the end of the one before.  Figures: the
 * time of all, their times, the longest copy into a larger table (which the
 * worst insert cannot beat), peak. */
#include "option.h"
#include "peer.h"

#include <stdlib.h>

enum { SLOTS_MIN = 16, SLOTS_PER_SAFEPOINT = 4096 };

/* Nodes are linked in the order of insertion, as maps with ordered walks do. */
struct node {
  struct node *before;
  uint64_t key;
  uint64_t hash;
  uint64_t value;
};

struct map {
  struct peer peer;
  struct peer_kind table_kind;
  struct peer_kind node_kind;
  struct node **table;
  struct node *last;
  uint64_t slots; /* a power of two */
  uint64_t count;
  uint64_t worst_copy_ns;
};

static uint64_t key_hash(uint64_t key)
{
  uint64_t hash = (key ^ (key >> 31)) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ (hash >> 32);
}

/* The slot of `key`, or the free one where it belongs. */
static struct node **map_slot(const struct map *map, uint64_t key,
                              uint64_t hash)
{
  uint64_t at = hash & (map->slots - 1);
  for (;;) {
    const struct node *node = peer_load(&map->table[at]);
    if (!node || (node->hash == hash && node->key == key))
      return &map->table[at];
    at = (at + 1) & (map->slots - 1);
  }
}

/* Takes time in proportion to the table and allocates nothing, so it must offer
 * safepoints itself; hence barriered stores. */
static void table_copy(struct peer peer, struct node **to, uint64_t slots,
                       struct node *const *from, uint64_t from_slots)
{
  for (uint64_t i = 0; i < from_slots; i++) {
    struct node *node = peer_load(&from[i]);
    if (i % SLOTS_PER_SAFEPOINT == 0)
      peer_safepoint(peer);
    if (!node)
      continue;
    uint64_t at = node->hash & (slots - 1);
    while (peer_load(&to[at]))
      at = (at + 1) & (slots - 1);
    peer_store(peer, &to[at], node);
  }
}

static void map_grow(struct map *map)
{
  uint64_t begun = measure_wall_ns();
  uint64_t slots = map->slots * 2;
  struct node **table = peer_new_array(map->peer, map->table_kind, slots);
  table_copy(map->peer, table, slots, map->table, map->slots);
  peer_free(map->peer, map->table);
  map->table = table;
  map->slots = slots;
  uint64_t took = measure_wall_ns() - begun;
  if (took > map->worst_copy_ns)
    map->worst_copy_ns = took;
}

static void map_insert(struct map *map, uint64_t key, uint64_t value)
{
  if (map->count >= map->slots / 4 * 3)
    map_grow(map);
  uint64_t hash = key_hash(key);
  struct node **slot = map_slot(map, key, hash);
  struct node *node = peer_load(slot);
  if (!node) {
    node = peer_new(map->peer, map->node_kind, sizeof *node);
    peer_init(map->peer, &node->before, map->last);
    node->key = key;
    node->hash = hash;
    peer_store(map->peer, slot, node);
    map->last = node;
    map->count++;
  }
  node->value = value;
}

static struct map map_create(void)
{
  struct map map = {.peer = peer_open(), .slots = SLOTS_MIN};
  map.table_kind = peer_kind_define(map.peer, "table", 0, 1);
  map.node_kind = peer_kind_define(map.peer, "node", sizeof(struct node), 1);
  map.table = peer_new_array(map.peer, map.table_kind, map.slots);
  return map;
}

/* Walks the nodes from the last to the first, looks each up, and frees it by
 * hand once the table is no longer needed. */
static void map_finish(struct map *map)
{
  uint64_t found = 0;
  for (struct node *node = map->last; node; node = peer_load(&node->before))
    found += peer_load(map_slot(map, node->key, node->hash)) == node;
  if (found != map->count)
    measure_fail("the map has lost a node");
  for (struct node *node = map->last; !PEER_COLLECTS && node;) {
    struct node *before = node->before;
    peer_free(map->peer, node);
    node = before;
  }
  peer_free(map->peer, map->table);
  peer_close(map->peer);
}

int main(int argc, char **argv)
{
  enum { COUNT, SEED, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [COUNT] = {"count", "Keys to insert", 10000000, 500000, NULL},
      [SEED] = {"seed", "Of the keys", 1, 1, NULL}};
  static const struct option_program program = {
      "map", PEER_NAME, "Inserts into a hash table, timing each"};
  option_parse(&program, options, argc, argv);
  uint64_t count = options[COUNT].value;
  if (!count)
    measure_fail("count is at least 1");

  struct measure_random random = measure_random_seed(options[SEED].value);
  struct measure_histogram *histogram = measure_histogram_create();
  struct map map = map_create();
  struct measure_stretch stretch = measure_begin();
  uint64_t last = measure_wall_ns();
  for (uint64_t i = 0; i < count; i++) {
    map_insert(&map, measure_random_next(&random), i);
    uint64_t now = measure_wall_ns();
    measure_histogram_add(histogram, now - last);
    last = now;
  }
  stretch = measure_end(stretch);
  measure_figure("wall", (double)stretch.wall_ns / 1e9, "s");
  measure_figure("cpu", (double)stretch.cpu_ns / 1e9, "s");
  measure_figure_latency(histogram);
  measure_figure("copy", (double)map.worst_copy_ns / 1000, "us");
  measure_figure_peak();
  map_finish(&map);
  measure_histogram_destroy(histogram);
  return EXIT_SUCCESS;
}
