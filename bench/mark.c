/* SPDX-License-Identifier: MIT */
/* mark.c -- the price of a full collection, by the shape of what is alive
 *
 *   graph     64 bytes and 3 pointers: one leads to the next object of a random
 *             order, two anywhere
 *   list      16 bytes and 1 pointer, linked in the order of allocation
 *   shuffled  the same, linked in a random order: one chain, so that each
 *             object waits for the one before
 *   tree      64 bytes and 8 pointers, allocated depth first
 *
 * Collection is held back while the shape is built; then come one full
 * collection that is not counted and several that are.  Figures are of the
 * median one, for each object: real time, and processor time of all threads.
 * In the end every object is visited, to see that none was lost. */
#include "option.h"
#include "peer.h"

#include <stdlib.h>

struct link {
  struct link *next;
  uint64_t index;
};

struct vertex {
  struct vertex *next;
  struct vertex *others[2];
  uint64_t index;
  uint64_t payload[4];
};

enum { BRANCHES = 8 };

struct branch {
  struct branch *below[BRANCHES];
};

enum shape { GRAPH, LIST, SHUFFLED, TREE };

/* Addresses of all objects.  It is in libc's memory, where no collector looks,
 * and good only while collection is held. */
static void **order_create(uint64_t count)
{
  void **order = malloc(count * sizeof *order);
  if (!order)
    measure_fail("no memory for the order of objects");
  return order;
}

static void order_shuffle(void **order, uint64_t count,
                          struct measure_random *random)
{
  for (uint64_t i = count; i-- > 1;) {
    uint64_t j = measure_random_below(random, i + 1);
    void *swapped = order[i];
    order[i] = order[j];
    order[j] = swapped;
  }
}

/* peer_store() and not peer_init(): other objects are allocated in between. */
static void *graph_build(struct peer peer, uint64_t count,
                         struct measure_random *random)
{
  struct peer_kind kind =
      peer_kind_define(peer, "vertex", sizeof(struct vertex), 7);
  void **order = order_create(count);
  for (uint64_t i = 0; i < count; i++)
    order[i] = peer_new(peer, kind, sizeof(struct vertex));
  order_shuffle(order, count, random);
  for (uint64_t i = 0; i < count; i++) {
    struct vertex *vertex = order[i];
    peer_store(peer, &vertex->next, i + 1 < count ? order[i + 1] : NULL);
    for (unsigned k = 0; k < 2; k++)
      peer_store(peer, &vertex->others[k],
                 order[measure_random_below(random, count)]);
    vertex->index = i;
  }
  void *first = order[0];
  free(order);
  return first;
}

static void *list_build(struct peer peer, uint64_t count, bool shuffle,
                        struct measure_random *random)
{
  struct peer_kind kind =
      peer_kind_define(peer, "link", sizeof(struct link), 1);
  void **order = order_create(count);
  for (uint64_t i = 0; i < count; i++)
    order[i] = peer_new(peer, kind, sizeof(struct link));
  if (shuffle)
    order_shuffle(order, count, random);
  for (uint64_t i = 0; i < count; i++) {
    struct link *link = order[i];
    peer_store(peer, &link->next, i + 1 < count ? order[i + 1] : NULL);
    link->index = i;
  }
  void *first = order[0];
  free(order);
  return first;
}

static struct branch *tree_build(struct peer peer, struct peer_kind kind,
                                 unsigned levels)
{
  struct branch *branch = peer_new(peer, kind, sizeof *branch);
  for (unsigned i = 0; i < BRANCHES; i++)
    peer_store(peer, &branch->below[i],
               levels > 1 ? tree_build(peer, kind, levels - 1) : NULL);
  return branch;
}

static void *shape_build(struct peer peer, enum shape shape, uint64_t count,
                         unsigned levels, struct measure_random *random)
{
  switch (shape) {
  case GRAPH:
    return graph_build(peer, count, random);
  case LIST:
  case SHUFFLED:
    return list_build(peer, count, shape == SHUFFLED, random);
  case TREE:
    break;
  }
  return tree_build(
      peer, peer_kind_define(peer, "branch", sizeof(struct branch), 255),
      levels);
}

static uint64_t tree_count(const struct branch *branch)
{
  uint64_t count = 1;
  for (unsigned i = 0; i < BRANCHES; i++) {
    const struct branch *below = peer_load(&branch->below[i]);
    if (below)
      count += tree_count(below);
  }
  return count;
}

/* The objects that can still be reached; their numbers must be in order. */
static uint64_t shape_count(const void *first, enum shape shape)
{
  uint64_t count = 0;
  switch (shape) {
  case GRAPH:
    for (const struct vertex *at = first; at; at = peer_load(&at->next))
      count += at->index == count;
    return count;
  case LIST:
  case SHUFFLED:
    for (const struct link *at = first; at; at = peer_load(&at->next))
      count += at->index == count;
    return count;
  case TREE:
    break;
  }
  return tree_count(first);
}

static uint64_t tree_size(unsigned levels)
{
  return levels ? 1 + BRANCHES * tree_size(levels - 1) : 0;
}

static int compare_times(const void *a, const void *b)
{
  uint64_t left = *(const uint64_t *)a;
  uint64_t right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static uint64_t times_median(uint64_t *times, uint64_t count)
{
  qsort(times, count, sizeof *times, compare_times);
  return times[count / 2];
}

static struct measure_stretch collect_repeatedly(struct peer peer,
                                                 uint64_t times)
{
  enum { TIMES_MAX = 100 };
  uint64_t wall[TIMES_MAX];
  uint64_t cpu[TIMES_MAX];
  if (!times || times > TIMES_MAX)
    measure_fail("collections are 1 to 100");
  peer_collect(peer);
  for (uint64_t i = 0; i < times; i++) {
    struct measure_stretch stretch = measure_begin();
    peer_collect(peer);
    stretch = measure_end(stretch);
    wall[i] = stretch.wall_ns;
    cpu[i] = stretch.cpu_ns;
  }
  struct measure_stretch median = {times_median(wall, times),
                                   times_median(cpu, times)};
  return median;
}

int main(int argc, char **argv)
{
  enum { SHAPE, OBJECTS, LEVELS, COLLECTIONS, SEED, OPTIONS };
  static const char *const shapes[] = {"graph", "list", "shuffled", "tree",
                                       NULL};
  struct option_row options[OPTIONS + 1] = {
      [SHAPE] = {"shape", "What is alive", GRAPH, GRAPH, shapes},
      [OBJECTS] = {"objects", "Objects of a graph or list", 8388608, 500000,
                   NULL},
      [LEVELS] = {"levels", "Levels of a tree: 9 make 19.2 M objects", 9, 7,
                  NULL},
      [COLLECTIONS] = {"collections", "Collections to time", 5, 3, NULL},
      [SEED] = {"seed", "Of random orders", 1, 1, NULL}};
  static const struct option_program program = {
      "mark", PEER_NAME, "Times full collections of a large live structure"};
  option_parse(&program, options, argc, argv);
  enum shape shape = (enum shape)options[SHAPE].value;
  unsigned levels = (unsigned)options[LEVELS].value;
  if (!options[OBJECTS].value || options[OBJECTS].value >> 32 || !levels ||
      levels > 10)
    measure_fail("objects are 1 to 2^32 - 1, levels 1 to 10");
  uint64_t count = shape == TREE ? tree_size(levels) : options[OBJECTS].value;

  struct measure_random random = measure_random_seed(options[SEED].value);
  struct peer peer = peer_open();
  peer_hold(peer, true);
  void *first = shape_build(peer, shape, count, levels, &random);
  peer_hold(peer, false);
  struct measure_stretch median =
      collect_repeatedly(peer, options[COLLECTIONS].value);
  if (shape_count(first, shape) != count)
    measure_fail("objects were lost");
  measure_figure_each(median, count);
  measure_figure_peak();
  peer_close(peer);
  return EXIT_SUCCESS;
}
