/* SPDX-License-Identifier: MIT */
/* percent.c -- the GC percent changes while threads allocate and collect
 *
 * Each actor keeps lists in a table, a registered root, and replaces one after
 * the other; a list is verified from end to end before it goes.  Actor 0 sets
 * the GC percent every few milliseconds: from 1 to 800, or off for a while.
 * All of them force cycles now and then, several at the same time. */
#include "stress.h"

#include <stdlib.h>

enum {
  LISTS = 200,
  LONGEST = 60,
  /* While collection is off, or the percent is high, nobody else bounds the
   * heap: whoever finds it this large turns collection on. */
  TOO_LARGE = 512 << 20,
};

struct keeper {
  struct actor *actor;
  void *lists[LISTS]; /* registered root */
  struct seal seals[LISTS];
};

/* Each node points to the next one and to a leaf. */
static void *make_list(struct actor *actor)
{
  void *list = NULL;
  for (uint64_t i = 1 + random_below(&actor->random, LONGEST); i > 0; i--) {
    void *leaf =
        stress_make(actor, LEAF, stress_pick_words(actor) % 100 + 2, 0);
    void *node = stress_make(actor, PAIRS, 6, 0);
    pairs_init(actor, node, 0, leaf);
    if (list)
      pairs_init(actor, node, 1, list);
    list = node;
  }
  return list;
}

static void check_list(struct actor *actor, void *list, struct seal seal)
{
  stress_verify_as(actor, list, seal);
  for (void *node = list; node; node = pairs_load(actor, node, 1))
    if (!pairs_load(actor, node, 0))
      stress_fail("node %p has lost its leaf", node);
}

static void replace_list(struct keeper *keeper)
{
  struct actor *actor = keeper->actor;
  size_t i = random_below(&actor->random, LISTS);
  void *list = dusk_load(&keeper->lists[i]);
  if (list)
    check_list(actor, list, keeper->seals[i]);
  list = make_list(actor);
  keeper->seals[i] = stress_verify(actor, list);
  dusk_store(actor->thread, &keeper->lists[i], list);
}

static int pick_percent(struct random *random)
{
  static const int usual[] = {-1, 1, 2, 10, 100, 800};
  return random_below(random, 2) ? usual[random_below(random, 6)]
                                 : 1 + (int)random_below(random, 800);
}

static void govern(struct actor *actor)
{
  int percent = pick_percent(&actor->random);
  int old = dusk_set_gc_percent(stress.heap, percent);
  if (old < -1 || old > 800)
    stress_fail("the old percent was %d", old);
  stress_nap(actor, (unsigned)random_below(&actor->random, 4000));
}

static void bound_heap(void)
{
  dusk_memstats stats;
  dusk_read_memstats(stress.heap, &stats);
  if (stats.heap_inuse > TOO_LARGE)
    dusk_set_gc_percent(stress.heap, 50);
}

static void keep_lists(struct actor *actor)
{
  struct keeper *keeper = calloc(1, sizeof(*keeper));
  if (!keeper)
    stress_fail("no memory for an actor");
  keeper->actor = actor;
  stress_expect(
      dusk_root_add(stress.heap, keeper->lists, sizeof(keeper->lists)),
      "dusk_root_add");
  while (!stress_is_over()) {
    for (int i = 0; i < 20; i++)
      replace_list(keeper);
    bound_heap();
    if (actor->index == 0)
      govern(actor);
    if (random_below(&actor->random, 50) == 0)
      dusk_collect(actor->thread);
  }
  for (size_t i = 0; i < LISTS; i++)
    if (keeper->lists[i])
      check_list(actor, keeper->lists[i], keeper->seals[i]);
  stress_expect(dusk_root_remove(stress.heap, keeper->lists),
                "dusk_root_remove");
  free(keeper);
}

int main(int argc, char **argv)
{
  return stress_run(argc, argv, "percent", keep_lists);
}
