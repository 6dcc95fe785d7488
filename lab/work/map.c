/* SPDX-License-Identifier: MIT */
/* map.c -- a hash table that grows while it is filled
 *
 * Open addressing over a table of pointers to nodes; the table doubles when it
 * is three quarters full.  Almost all of what is allocated lives: the heap
 * grows under the controller's hands, and the tables are single objects of many
 * MiB. */
#include "work.h"

#include <errno.h>
#include <stdlib.h>

enum { COUNT, SEED };
enum { SLOTS_MIN = 16, SLOTS_PER_SAFEPOINT = 4096 };

struct node {
  struct node *before; /* the one inserted before it */
  uint64_t key;
  uint64_t hash;
  uint64_t value;
};

struct map {
  dusk_thread *thread;
  dusk_kind table_kind;
  dusk_kind node_kind;
  struct node **table;
  struct node *last;
  uint64_t slots; /* a power of two */
  uint64_t count;
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
  for (uint64_t at = hash & (map->slots - 1);;
       at = (at + 1) & (map->slots - 1)) {
    const struct node *node = dusk_load(&map->table[at]);
    if (!node || (node->hash == hash && node->key == key))
      return &map->table[at];
  }
}

static void map_grow(struct map *map)
{
  uint64_t slots = map->slots * 2;
  struct node **table =
      work_alloc(map->thread, map->table_kind, slots * sizeof *table);
  for (uint64_t i = 0; i < map->slots; i++) {
    struct node *node = dusk_load(&map->table[i]);
    if (i % SLOTS_PER_SAFEPOINT == 0)
      dusk_safepoint(map->thread);
    if (!node)
      continue;
    uint64_t at = node->hash & (slots - 1);
    while (dusk_load(&table[at]))
      at = (at + 1) & (slots - 1);
    dusk_store(map->thread, &table[at], node);
  }
  map->table = table;
  map->slots = slots;
}

static void map_insert(struct map *map, uint64_t key, uint64_t value)
{
  if (map->count >= map->slots / 4 * 3)
    map_grow(map);
  uint64_t hash = key_hash(key);
  struct node **slot = map_slot(map, key, hash);
  struct node *node = dusk_load(slot);
  if (!node) {
    node = work_new(map->thread, map->node_kind);
    dusk_init(map->thread, &node->before, map->last);
    node->key = key;
    node->hash = hash;
    dusk_store(map->thread, slot, node);
    map->last = node;
    map->count++;
  }
  node->value = value;
}

static void map_verify(const struct map *map)
{
  uint64_t found = 0;
  for (struct node *node = map->last; node; node = dusk_load(&node->before)) {
    found += dusk_load(map_slot(map, node->key, node->hash)) == node;
    dusk_safepoint(map->thread);
  }
  if (found != map->count)
    work_fail("map: nodes are lost", 0);
}

static void map_fill(struct map *map, const uint64_t *values)
{
  struct measure_random random = measure_random_seed(values[SEED]);
  struct worker worker = {.times = measure_histogram_create()};
  struct measure_stretch stretch = measure_begin();
  worker.last_ns = measure_wall_ns();
  for (uint64_t i = 0; i < values[COUNT]; i++) {
    map_insert(map, measure_random_next(&random), i);
    worker_note(&worker);
  }
  stretch = measure_end(stretch);
  measure_figure("ops", (double)values[COUNT] * 1e9 / (double)stretch.wall_ns,
                 "ops/s");
  measure_figure_latency(worker.times);
  measure_figure("wall", (double)stretch.wall_ns / 1e9, "s");
  measure_figure("cpu", (double)stretch.cpu_ns / 1e9, "s");
  measure_histogram_destroy(worker.times);
}

static void map_run(const uint64_t *values)
{
  dusk_heap *heap = work_open();
  struct map map = {.slots = SLOTS_MIN};
  int error = dusk_attach(heap, &map.thread);
  if (error)
    work_fail("cannot attach", error);
  map.table_kind = work_kind(heap, "table", 0, 0);
  map.node_kind = work_kind(heap, "node", sizeof(struct node), 1);
  map.table =
      work_alloc(map.thread, map.table_kind, map.slots * sizeof *map.table);
  map_fill(&map, values);
  map_verify(&map);
  dusk_detach(map.thread);
  dusk_heap_close(heap);
}

static const struct work_option map_options[] = {
    [COUNT] = {"count", "keys to insert", 2000000, 200000, 1, UINT64_C(1) << 34,
               false},
    [SEED] = {"seed", "of the random numbers", 1, 1, 0, UINT32_MAX, false},
    {.name = NULL}};

const struct work work_map = {
    "map", "a hash table that grows: almost everything lives", map_options,
    map_run};
