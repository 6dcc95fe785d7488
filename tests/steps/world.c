/* SPDX-License-Identifier: MIT */
/* world.c -- a small heap, a few mutators, and a list of what they may reach */
#include "world.h"

#include "base/chaos.h"
#include "collect/heap.h"
#include "play.h"

#include <string.h>

struct world world;

enum { NODE_WORDS = sizeof(struct node) / sizeof(void *) };

/* ---- kinds ---- */

static const struct {
  const char *name;
  size_t bytes;
  size_t slots;
  dusk_scan scan;
} kinds[WORLD_KINDS] = {
    {"pair", 32, 2, DUSK_SCAN_LAYOUT},
    {"row", 512, 62, DUSK_SCAN_LAYOUT},
    {"guess", 1024, 126, DUSK_SCAN_CONSERVATIVE},
    {"told", 96, 10, DUSK_SCAN_TRACE},
    {"leaf", 2048, 0, DUSK_SCAN_LEAF},
    {"large", 40000, 64, DUSK_SCAN_CONSERVATIVE},
};

static void trace_node(void *object, size_t bytes, dusk_tracer *tracer,
                       void *context)
{
  struct node *node = object;
  size_t slots = bytes / sizeof(void *) - NODE_WORDS;
  (void)context;
  for (size_t i = 0; i < slots; i++)
    dusk_trace(tracer, &node->slots[i]);
}

static void define_kind(unsigned kind)
{
  static const uint64_t all_but_two = ~UINT64_C(3);
  uint64_t pair = 12;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = kinds[kind].name;
  spec.size = kinds[kind].bytes;
  spec.scan = kinds[kind].scan;
  if (spec.scan == DUSK_SCAN_LAYOUT)
    spec.pointers = kinds[kind].slots == 2 ? &pair : &all_but_two;
  if (spec.scan == DUSK_SCAN_TRACE)
    spec.trace = trace_node;
  if (dusk_kind_define(world.heap, &spec, &world.kinds[kind]))
    play_fail("no kind %s", spec.name);
}

/* ---- objects ---- */

struct node *world_make(struct mutator *mutator, unsigned kind)
{
  if (world.made == WORLD_OBJECTS)
    return NULL;
  struct node *node = dusk_new(mutator->thread, world.kinds[kind]);
  if (!node)
    return NULL;
  for (size_t i = 0; i < kinds[kind].bytes / sizeof(void *); i++)
    if (((uintptr_t *)node)[i])
      play_fail("word %zu of a new object %p is %#lx", i, (void *)node,
                (unsigned long)((uintptr_t *)node)[i]);
  node->tag = (uintptr_t)world.made << 1 | 1;
  node->seal = ~(uintptr_t)node;
  world.objects[world.made++] =
      (struct object_record){~(uintptr_t)node, (uint8_t)kind};
  return node;
}

size_t world_slots(const struct node *node)
{
  return kinds[world.objects[node->tag >> 1].kind].slots;
}

/* ---- looking through the world ---- */

static bool is_sealed(const struct node *node)
{
  return node->tag & 1 && node->tag >> 1 < world.made &&
         node->seal == ~(uintptr_t)node &&
         world.objects[node->tag >> 1].hidden == ~(uintptr_t)node;
}

static bool is_marked(const struct node *node)
{
  struct collector *collector = &world.heap->collector;
  struct roles roles = arena_roles(&collector->arena, collector->epoch);
  return bit_test(roles.marks,
                  arena_granule(&collector->arena, (uintptr_t)node));
}

static uint32_t reach(const void *pointer, uint32_t queued, const char *from,
                      bool marked)
{
  const struct node *node = pointer;
  if (!node)
    return queued;
  if (!dusk_size_of(world.heap, node))
    play_fail("%s holds %p, which is free", from, pointer);
  if (!is_sealed(node))
    play_fail("%s holds %p, which is something else by now", from, pointer);
  uint32_t number = (uint32_t)(node->tag >> 1);
  if (world.reached[number])
    return queued;
  if (marked && !is_marked(node))
    play_fail("%s holds %p (number %u), which is not marked", from, pointer,
              number);
  world.reached[number] = true;
  world.queue[queued] = number;
  return queued + 1;
}

static uint32_t reach_all(void *volatile *words, size_t count, uint32_t queued,
                          const char *from, bool marked)
{
  for (size_t i = 0; i < count; i++)
    queued = reach(words[i], queued, from, marked);
  return queued;
}

void world_check(bool marked)
{
  memset(world.reached, 0, sizeof world.reached);
  uint32_t count = reach_all(world.roots, WORLD_ROOTS, 0, "a root", marked);
  for (unsigned i = 0; i < world.count; i++) {
    struct mutator *mutator = &world.mutators[i];
    if (mutator->thread && mutator->hold)
      count = reach_all(mutator->hold, WORLD_HOLDS, count, "a thread", marked);
    if (mutator->block_is_root)
      count =
          reach_all(mutator->block, WORLD_BLOCK, count, "a root block", marked);
  }
  for (uint32_t next = 0; next < count; next++) {
    struct node *node = (struct node *)~world.objects[world.queue[next]].hidden;
    count =
        reach_all(node->slots, world_slots(node), count, "an object", marked);
  }
}

static void check_at(const char *point)
{
  if (strcmp(point, "marking-over") == 0 || strcmp(point, "after-h4") == 0)
    world_check(point[0] == 'm');
}

/* Is there a later object at the same place? */
static bool is_outlived(uint32_t number)
{
  for (uint32_t i = number + 1; i < world.made; i++)
    if (world.objects[i].hidden == world.objects[number].hidden)
      return true;
  return false;
}

/* .freed */
static void check_freed(void)
{
  for (uint32_t i = 0; i < world.made; i++) {
    const void *address = (const void *)~world.objects[i].hidden;
    if (!world.reached[i] && dusk_size_of(world.heap, address) &&
        !is_outlived(i))
      play_fail("number %u at %p cannot be reached, and is still there", i,
                address);
  }
}

/* ---- beginning and ending ---- */

void world_open(unsigned flags)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  memset(&world, 0, sizeof world);
  options.flags = DUSK_NO_ENV | flags;
  options.reserve_bytes = (size_t)16 << 20;
  options.gc_percent = 20;
  if (dusk_heap_open(&options, &world.heap))
    play_fail("no heap");
  play_name(play_started(), "driver");
  play_name(play_started() - 1, "scavenger");
  for (unsigned i = 0; i < WORLD_KINDS; i++)
    define_kind(i);
  if (dusk_root_add(world.heap, world.roots, sizeof world.roots))
    play_fail("no root");
  chaos_visitor = check_at;
}

static void live(void *argument)
{
  struct mutator *mutator = argument;
  void *volatile hold[WORLD_HOLDS] = {0};
  mutator->hold = hold;
  world_act_all(mutator);
  mutator->hold = NULL;
  world.over++;
}

void world_start(const uint8_t *acts, size_t bytes)
{
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "child"};
  unsigned number = world.count++;
  struct mutator *mutator = &world.mutators[number];
  mutator->acts = acts;
  mutator->bytes = bytes;
  mutator->fiber = play_start(names[number < 6 ? number : 6], live, mutator);
}

static void collect_on(void *argument)
{
  dusk_thread *thread;
  (void)argument;
  if (dusk_attach(world.heap, &thread))
    play_fail("cannot attach");
  while (world.over < world.count)
    dusk_collect(thread);
  dusk_detach(thread);
}

void world_collect(void)
{
  world.collecting = play_start("collect", collect_on, NULL);
}

void world_close(void)
{
  dusk_thread *thread;
  if (world.collecting)
    play_join(world.collecting);
  for (unsigned i = 0; i < world.count; i++)
    play_join(world.mutators[i].fiber);
  if (dusk_attach(world.heap, &thread))
    play_fail("cannot attach");
  dusk_collect(thread);
  dusk_collect(thread);
  dusk_detach(thread);
  world_check(false);
  check_freed();
  chaos_visitor = NULL;
  dusk_heap_close(world.heap);
}
