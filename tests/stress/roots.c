/* SPDX-License-Identifier: MIT */
/* roots.c -- roots come and go while cycles run
 *
 * Each actor owns areas of memory from the system.  It registers one as a
 * root, fills it with the only references to objects, moves them to other
 * areas, cuts a root into two that overlap, and in the end removes it and
 * unmaps the memory at once: a collector that still reads it dies, and one
 * that has not read it loses objects.  Objects also change hands through a
 * board that all actors share. */
#include "stress.h"

#include <errno.h>
#include <sys/mman.h>

enum { AREAS = 12, SLOTS = 64, PAGES = 16, PAGE = 4096, BOARD = 32 };

/* [map, map + bytes) is mapped.  The objects hang from SLOTS words of
 * [body, end), which is one root, or two that overlap.  The word at map is
 * there for a root that covers all while the others change. */
struct area {
  void **map; /* NULL: not mapped */
  size_t bytes;
  bool is_cut;
  struct seal seals[SLOTS];
};

struct owner {
  struct actor *actor;
  struct area areas[AREAS];
};

static void *board[BOARD]; /* a registered root */

static void **area_body(const struct area *area)
{
  return area->map + 1;
}

static void **area_end(const struct area *area)
{
  return area->map + area->bytes / sizeof(void *);
}

static void **area_slot(const struct area *area, size_t i)
{
  return area_body(area) + i * ((area->bytes / sizeof(void *) - 1) / SLOTS);
}

/* The two roots of a cut area overlap between the slots. */
static void **area_cut_start(const struct area *area)
{
  return area_slot(area, SLOTS * 3 / 8);
}

static void **area_cut_end(const struct area *area)
{
  return area_slot(area, SLOTS * 5 / 8);
}

static void add(void **start, void **end)
{
  stress_expect(
      dusk_root_add(stress.heap, start, (size_t)(end - start) * sizeof(void *)),
      "dusk_root_add");
}

static void drop(void **start)
{
  stress_expect(dusk_root_remove(stress.heap, start), "dusk_root_remove");
}

/* Areas */

static void area_open(struct owner *owner, struct area *area)
{
  area->bytes = (1 + random_below(&owner->actor->random, PAGES)) * PAGE;
  area->map = mmap(NULL, area->bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area->map == MAP_FAILED)
    stress_fail("no memory for an area");
  area->is_cut = false;
  add(area_body(area), area_end(area));
}

static void area_check(struct owner *owner, const struct area *area)
{
  for (size_t i = 0; i < SLOTS; i++) {
    void *object = dusk_load(area_slot(area, i));
    if (object)
      stress_verify_as(owner->actor, object, area->seals[i]);
  }
}

static void area_close(struct owner *owner, struct area *area)
{
  area_check(owner, area);
  if (area->is_cut)
    drop(area_cut_start(area));
  drop(area_body(area));
  munmap(area->map, area->bytes);
  area->map = NULL;
}

/* One root becomes two, or two become one; the objects must not notice. */
static void area_cut_or_join(struct owner *owner, struct area *area)
{
  add(area->map, area_end(area));
  drop(area_body(area));
  if (area->is_cut) {
    drop(area_cut_start(area));
    add(area_body(area), area_end(area));
  } else {
    add(area_cut_start(area), area_end(area));
    add(area_body(area), area_cut_end(area));
  }
  if (dusk_root_add(stress.heap, area_body(area), PAGE / 2) != EEXIST)
    stress_fail("a root was added twice");
  drop(area->map);
  if (dusk_root_remove(stress.heap, area->map) != ENOENT)
    stress_fail("a root was removed twice");
  area->is_cut = !area->is_cut;
  area_check(owner, area);
}

/* Objects */

static void put(struct owner *owner, struct area *area, size_t i, void *object)
{
  if (object)
    area->seals[i] = stress_verify(owner->actor, object);
  dusk_store(owner->actor->thread, area_slot(area, i), object);
}

static void *make_object(struct owner *owner)
{
  return stress_make(owner->actor, stress_pick_shape(owner->actor),
                     stress_pick_words(owner->actor), 0);
}

static size_t pick_slot(struct owner *owner)
{
  return random_below(&owner->actor->random, SLOTS);
}

/* The object leaves no trace where it was. */
static void move(struct owner *owner, struct area *from, struct area *to)
{
  dusk_thread *thread = owner->actor->thread;
  size_t i = pick_slot(owner);
  size_t j = pick_slot(owner);
  if (from == to && i == j)
    return;
  struct seal seal = from->seals[i];
  if (random_below(&owner->actor->random, 2)) {
    dusk_copy(thread, area_slot(to, j), area_slot(from, i), 1);
    dusk_clear(thread, area_slot(from, i), 1);
  } else {
    void *object = dusk_exchange(thread, area_slot(from, i), NULL);
    dusk_store(thread, area_slot(to, j), object);
  }
  to->seals[j] = seal;
}

static void trade(struct owner *owner, struct area *area)
{
  size_t i = pick_slot(owner);
  void **slot = &board[random_below(&owner->actor->random, BOARD)];
  void *gift = dusk_exchange(owner->actor->thread, area_slot(area, i), NULL);
  put(owner, area, i, dusk_exchange(owner->actor->thread, slot, gift));
}

static void operate(struct owner *owner)
{
  struct random *random = &owner->actor->random;
  struct area *area = &owner->areas[random_below(random, AREAS)];
  struct area *other = &owner->areas[random_below(random, AREAS)];
  if (!area->map)
    area_open(owner, area);
  uint64_t dice = random_below(random, 1000);
  if (dice < 500)
    put(owner, area, pick_slot(owner), make_object(owner));
  else if (dice < 750)
    move(owner, area, other->map ? other : area);
  else if (dice < 900)
    trade(owner, area);
  else if (dice < 940)
    area_cut_or_join(owner, area);
  else if (dice < 960)
    area_close(owner, area);
  else if (dice < 999)
    dusk_safepoint(owner->actor->thread);
  else
    dusk_collect(owner->actor->thread);
}

static void own(struct actor *actor)
{
  struct owner owner = {.actor = actor};
  int error = dusk_root_add(stress.heap, board, sizeof(board));
  stress_expect(error == EEXIST ? 0 : error, "dusk_root_add");
  while (!stress_is_over())
    operate(&owner);
  for (size_t i = 0; i < AREAS; i++)
    if (owner.areas[i].map)
      area_close(&owner, &owner.areas[i]);
}

int main(int argc, char **argv)
{
  return stress_run(argc, argv, "roots", own);
}
