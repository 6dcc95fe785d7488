/* SPDX-License-Identifier: MIT */
/* world_acts.c -- what a mutator does with its bytes
 *
 * Between a store and what the world knows of it there is no point at which
 * another could go on: both happen at once. */
#include "world.h"

#include "play.h"

#include <string.h>

enum { LEAF = 4, BURST = 24, REGION_MAX = 8 };

/* Three bytes that say what an act is about. */
struct about {
  uint8_t a, b, c;
};

typedef void act(struct mutator *m, struct about about);

static void *volatile *hold_of(struct mutator *m, uint8_t byte)
{
  return &m->hold[byte % WORLD_HOLDS];
}

/* A slot of what is held; NULL: nothing is, or it has none. */
static void **slot_of(struct mutator *m, uint8_t which, uint8_t slot)
{
  struct node *node = *hold_of(m, which);
  size_t slots = node ? world_slots(node) : 0;
  return slots ? &node->slots[slot % (slots < 2 ? slots : 2)] : NULL;
}

static void **root_of(struct mutator *m, uint8_t byte)
{
  if (m->block_is_root && byte & 0x80)
    return &m->block[byte % WORLD_BLOCK];
  return &world.roots[byte % WORLD_ROOTS];
}

/* ---- objects ---- */

static void make(struct mutator *m, struct about about)
{
  unsigned kind = about.b < 160 ? 0 : about.b % WORLD_KINDS;
  struct node *node = world_make(m, kind);
  void **slot = node ? slot_of(m, about.c, 0) : NULL;
  if (node && world_slots(node))
    dusk_init(m->thread, &node->slots[about.c % 2], slot ? dusk_load(slot) : 0);
  *hold_of(m, about.a) = node;
}

static void burst(struct mutator *m, struct about about)
{
  for (unsigned i = 0; i < BURST && world.made < WORLD_OBJECTS - 1024; i++)
    *hold_of(m, about.a) = world_make(m, about.b & 1 ? LEAF : about.b % 4);
}

static void drop(struct mutator *m, struct about about)
{
  *hold_of(m, about.a) = NULL;
}

static void move(struct mutator *m, struct about about)
{
  void *node = *hold_of(m, about.b);
  *hold_of(m, about.b) = NULL;
  *hold_of(m, about.a) = node;
}

/* ---- slots ---- */

static void load(struct mutator *m, struct about about)
{
  void **slot = slot_of(m, about.b, about.c);
  if (slot)
    *hold_of(m, about.a) = dusk_load(slot);
}

static void store(struct mutator *m, struct about about)
{
  void **slot = slot_of(m, about.b, about.c);
  if (slot)
    dusk_store(m->thread, slot, *hold_of(m, about.a));
}

static void forget(struct mutator *m, struct about about)
{
  void **slot = slot_of(m, about.b, about.c);
  if (slot)
    dusk_store(m->thread, slot, NULL);
}

static void exchange(struct mutator *m, struct about about)
{
  void **slot = slot_of(m, about.b, about.c);
  if (slot)
    *hold_of(m, about.a) = dusk_exchange(m->thread, slot, *hold_of(m, about.a));
}

static void swap(struct mutator *m, struct about about)
{
  void **slot = slot_of(m, about.b, about.c);
  if (slot)
    dusk_cas(m->thread, slot, dusk_load(slot), *hold_of(m, about.a));
}

static void copy(struct mutator *m, struct about about)
{
  struct node *to = *hold_of(m, about.a);
  struct node *from = *hold_of(m, about.b);
  size_t most = to ? world_slots(to) : 0;
  size_t have = from ? world_slots(from) : 0;
  most = most < have ? most : have;
  size_t at = most ? about.c % most : 0;
  if (most && to != from)
    dusk_copy(m->thread, to->slots, from->slots + at, most - at);
  else if (most)
    dusk_copy(m->thread, to->slots + at, to->slots, most - at);
}

static void clear(struct mutator *m, struct about about)
{
  struct node *to = *hold_of(m, about.a);
  if (to && world_slots(to))
    dusk_clear(m->thread, to->slots, 1 + about.b % world_slots(to));
}

/* ---- roots ---- */

static void load_root(struct mutator *m, struct about about)
{
  *hold_of(m, about.a) = dusk_load(root_of(m, about.b));
}

static void store_root(struct mutator *m, struct about about)
{
  dusk_store(m->thread, root_of(m, about.b), *hold_of(m, about.a));
}

static void forget_root(struct mutator *m, struct about about)
{
  dusk_store(m->thread, root_of(m, about.b), NULL);
}

static void exchange_root(struct mutator *m, struct about about)
{
  *hold_of(m, about.a) =
      dusk_exchange(m->thread, root_of(m, about.b), *hold_of(m, about.a));
}

static void swap_root(struct mutator *m, struct about about)
{
  void **root = root_of(m, about.b);
  dusk_cas(m->thread, root, dusk_load(root), *hold_of(m, about.a));
}

static void add_block(struct mutator *m, struct about about)
{
  if (m->block_is_root)
    return;
  for (unsigned i = 0; i < WORLD_BLOCK; i++)
    m->block[i] = *hold_of(m, (uint8_t)(about.a + i));
  m->block_is_root = dusk_root_add(world.heap, m->block, sizeof m->block) == 0;
}

static void remove_block(struct mutator *m, struct about about)
{
  (void)about;
  if (!m->block_is_root)
    return;
  m->block_is_root = false; /* the program counts on it no longer */
  if (dusk_root_remove(world.heap, m->block))
    play_fail("a root cannot be removed");
}

static void take_block(struct mutator *m, struct about about)
{
  if (m->block_is_root)
    *hold_of(m, about.a) = dusk_load(&m->block[about.b % WORLD_BLOCK]);
  remove_block(m, about);
}

/* ---- threads ---- */

static void rest(struct mutator *m, struct about about)
{
  for (unsigned i = 0; i < about.a % REGION_MAX; i++) {
    dusk_safepoint(m->thread);
    play_point("rests");
  }
}

static void region(struct mutator *m, struct about about)
{
  dusk_blocking_begin(m->thread);
  for (unsigned i = 0; i < about.a % REGION_MAX; i++)
    play_point("blocks");
  dusk_blocking_end(m->thread);
}

static void collect(struct mutator *m, struct about about)
{
  (void)about;
  dusk_collect(m->thread);
}

void world_attach(struct mutator *m)
{
  if (dusk_attach(world.heap, &m->thread))
    play_fail("cannot attach");
}

void world_detach(struct mutator *m)
{
  dusk_thread *thread = m->thread;
  for (unsigned i = 0; i < WORLD_HOLDS; i++)
    m->hold[i] = NULL;
  m->thread = NULL;
  dusk_detach(thread);
}

static void leave_and_return(struct mutator *m, struct about about)
{
  world_detach(m);
  for (unsigned i = 0; i < about.a % REGION_MAX; i++)
    play_point("away");
  world_attach(m);
}

/* The child begins with what the parent gives it, and the parent's next acts;
 * the parent may let go once the child has attached. */
static void bear(struct mutator *m, struct about about)
{
  if (world.count >= WORLD_MUTATORS - WORLD_STARTED)
    return;
  struct mutator *child = &world.mutators[world.count];
  size_t bytes = m->bytes < 16 ? m->bytes : 16;
  child->given = ~(uintptr_t)*hold_of(m, about.a);
  child->has_taken = false;
  world_start(m->acts, bytes);
  while (!child->has_taken) {
    dusk_safepoint(m->thread);
    play_yield();
  }
  *hold_of(m, about.a) = NULL;
}

/* ---- the heap ---- */

static void set_percent(struct mutator *m, struct about about)
{
  (void)m;
  dusk_set_gc_percent(world.heap, about.a < 4 ? -1 : about.a);
}

static void set_limit(struct mutator *m, struct about about)
{
  (void)m;
  dusk_set_memory_limit(world.heap,
                        about.a < 128 ? INT64_MAX : (int64_t)about.b << 16);
}

static void release(struct mutator *m, struct about about)
{
  if (about.a < 32)
    dusk_release_memory(m->thread);
}

/* What tells most comes most often. */
static const struct {
  act *act;
  unsigned weight;
} acts[] = {
    {make, 6},
    {load, 7},
    {store, 7},
    {forget, 2},
    {drop, 5},
    {move, 2},
    {exchange, 2},
    {swap, 2},
    {copy, 1},
    {clear, 1},
    {load_root, 6},
    {store_root, 5},
    {forget_root, 2},
    {swap_root, 2},
    {exchange_root, 3},
    {add_block, 2},
    {remove_block, 1},
    {take_block, 1},
    {rest, 3},
    {region, 2},
    {collect, 1},
    {bear, 1},
    {leave_and_return, 1},
    {burst, 1},
    {set_percent, 1},
    {set_limit, 1},
    {release, 1},
};
enum { ACTS = sizeof acts / sizeof *acts };

static act *act_of(uint8_t byte)
{
  unsigned sum = 0;
  for (unsigned i = 0; i < ACTS; i++)
    sum += acts[i].weight;
  unsigned left = byte % sum;
  unsigned i = 0;
  while (left >= acts[i].weight)
    left -= acts[i++].weight;
  return acts[i].act;
}

void world_act_all(struct mutator *m)
{
  world_attach(m);
  if (m->given) {
    m->hold[0] = (void *)~m->given;
    m->given = 0;
  }
  m->has_taken = true;
  while (m->bytes >= 4) {
    const uint8_t *next = m->acts;
    m->acts += 4;
    m->bytes -= 4;
    act_of(next[0])(m, (struct about){next[1], next[2], next[3]});
    play_point("acted");
  }
  remove_block(m, (struct about){0, 0, 0});
  world_detach(m);
}
