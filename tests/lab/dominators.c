/* SPDX-License-Identifier: MIT */
/* Test of lab/heap/dominators.c and kinds.c: against a slow reference on random
 * graphs, and cases by hand.
 *
 * The reference takes each node out and looks what cannot be reached any more:
 * that is what the node dominates, and what it retains. */
#include "../unit/unit.h"

#include "lab/heap/kinds.h"

#include <stdio.h>
#include <string.h>

enum { NODES_MAX = 40, EDGES_MAX = 120, GRAPHS = 400, LIST = 300000 };
enum { SHORTCUT = 5, WEAK = 6, OBJECT = 3, SYNTHETIC = 9, NATIVE = 8 };

static uint64_t seed;
static char *names[] = {"", "a", "b", "c", "(not reached)"};

static uint64_t random_below(uint64_t bound)
{
  seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
  return (seed >> 33) % bound;
}

static void make_room(struct objects *objects, size_t nodes, size_t edges)
{
  *objects = (struct objects){
      .nodes = calloc(nodes, sizeof *objects->nodes),
      .edges = calloc(edges + 1, sizeof *objects->edges),
      .strings = names,
      .node_count = nodes,
      .string_count = sizeof names / sizeof *names,
      .synthetic = SYNTHETIC,
      .native = NATIVE,
      .shortcut = SHORTCUT,
      .weak = WEAK,
  };
  ck_assert(objects->nodes && objects->edges);
  for (size_t i = 0; i < nodes; i++)
    objects->nodes[i] = (struct object){
        .id = i + 1, .bytes = i ? 16 : 0, .name = 1, .type = OBJECT};
  objects->nodes[0].type = SYNTHETIC;
  objects->nodes[0].name = 0;
}

static void free_room(struct objects *objects)
{
  free(objects->nodes);
  free(objects->edges);
}

/* Edges are added in the order of the nodes that they leave. */
static void add_edge(struct objects *objects, uint32_t from, uint32_t to,
                     uint32_t type)
{
  struct object *node = &objects->nodes[from];
  if (!node->edge_count)
    node->first = (uint32_t)objects->edge_count;
  ck_assert_uint_eq(node->first + node->edge_count, objects->edge_count);
  node->edge_count++;
  objects->edges[objects->edge_count++] = (struct edge){to, type};
}

static void make_random(struct objects *objects)
{
  size_t nodes = 1 + random_below(NODES_MAX);
  size_t edges = random_below(EDGES_MAX);
  make_room(objects, nodes, EDGES_MAX + NODES_MAX);
  for (size_t i = 1; i < nodes; i++) {
    objects->nodes[i].bytes = 1 + random_below(1000);
    objects->nodes[i].name = 1 + (uint32_t)random_below(3);
  }
  for (uint32_t from = 0; from < nodes; from++)
    for (uint64_t i = random_below(1 + 2 * edges / nodes); i > 0; i--) {
      uint64_t dice = random_below(20);
      if (objects->edge_count < EDGES_MAX)
        add_edge(objects, from, (uint32_t)random_below(nodes),
                 dice == 0   ? WEAK
                 : dice == 1 ? SHORTCUT
                             : 1);
    }
}

/* What can be reached without one node; NODES_MAX: all are there. */
static void reach(const struct objects *objects, uint32_t node,
                  uint32_t without, bool *reached)
{
  if (node == without || reached[node])
    return;
  reached[node] = true;
  for (uint32_t i = 0; i < objects->nodes[node].edge_count; i++) {
    const struct edge *edge = &objects->edges[objects->nodes[node].first + i];
    bool counts = edge->type != WEAK && (edge->type != SHORTCUT || node == 0);
    if (counts)
      reach(objects, edge->to, without, reached);
  }
}

static void check_against_reference(const struct objects *objects,
                                    const struct dominators *d)
{
  bool all[NODES_MAX] = {false};
  bool dominates[NODES_MAX][NODES_MAX] = {{false}};
  size_t nodes = objects->node_count;
  size_t reached = 0;
  reach(objects, 0, NODES_MAX, all);
  for (uint32_t i = 0; i < nodes; i++) {
    bool rest[NODES_MAX] = {false};
    uint64_t bytes = 0;
    reach(objects, 0, i, rest);
    for (uint32_t j = 0; j < nodes; j++) {
      dominates[i][j] = all[j] && !rest[j];
      bytes += dominates[i][j] ? objects->nodes[j].bytes : 0;
    }
    reached += all[i];
    ck_assert_uint_eq(d->retained[i], bytes);
  }
  ck_assert_uint_eq(d->reached, reached);
  /* The immediate one is dominated by all others. */
  for (uint32_t j = 0; j < nodes; j++) {
    uint32_t of = d->of[j];
    if (j == 0 || !all[j]) {
      ck_assert_uint_eq(of, DOMINATED_BY_NONE);
      continue;
    }
    ck_assert_uint_lt(of, nodes);
    ck_assert(of != j && dominates[of][j]);
    for (uint32_t i = 0; i < nodes; i++)
      ck_assert(i == j || !dominates[i][j] || dominates[i][of]);
  }
}

/* By kind: all objects of the kind that no other of it dominates. */
static void check_kinds(const struct objects *objects,
                        const struct dominators *d)
{
  struct kind_sums sums;
  uint64_t retained[4] = {0}, bytes[4] = {0};
  ck_assert(kinds_sum(objects, d, &sums));
  for (size_t i = 1; i < d->reached; i++) {
    uint32_t node = d->order[i];
    uint32_t name = objects->nodes[node].name;
    bool inside = false;
    for (uint32_t up = d->of[node]; up; up = d->of[up])
      inside |= objects->nodes[up].name == name;
    bytes[name] += objects->nodes[node].bytes;
    retained[name] += inside ? 0 : d->retained[node];
  }
  for (size_t i = 0; i < sums.count; i++) {
    size_t name = 1;
    while (strcmp(names[name], sums.sums[i].name))
      name++;
    ck_assert_uint_eq(sums.sums[i].bytes, bytes[name]);
    ck_assert_uint_eq(sums.sums[i].retained, retained[name]);
    ck_assert(i == 0 || sums.sums[i].retained <= sums.sums[i - 1].retained);
    bytes[name] = 0;
  }
  ck_assert_uint_eq(bytes[1] + bytes[2] + bytes[3], 0);
  kinds_free(&sums);
}

START_TEST(random_graphs_agree_with_the_reference)
{
  for (seed = 1; seed <= GRAPHS; seed++) {
    uint64_t graph = seed;
    struct objects objects;
    struct dominators dominators;
    make_random(&objects);
    ck_assert(dominators_find(&objects, &dominators));
    check_against_reference(&objects, &dominators);
    check_kinds(&objects, &dominators);
    dominators_free(&dominators);
    free_room(&objects);
    seed = graph;
  }
}
END_TEST

/* No stack is as deep as a list, and time does not grow with its square: each
 * link is named by the one before, and by the one before that. */
START_TEST(a_long_list_is_no_trouble)
{
  struct objects objects;
  struct dominators dominators;
  make_room(&objects, LIST, 2 * LIST);
  for (uint32_t i = 0; i < LIST; i++) {
    if (i + 1 < LIST)
      add_edge(&objects, i, i + 1, 1);
    if (i + 2 < LIST && i > 0 && i % 2)
      add_edge(&objects, i, i + 2, 1);
  }
  ck_assert(dominators_find(&objects, &dominators));
  ck_assert_uint_eq(dominators.reached, LIST);
  ck_assert_uint_eq(dominators.retained[1], 16 * (LIST - 1));
  ck_assert_uint_eq(dominators.of[3], 1);
  ck_assert_uint_eq(dominators.of[2], 1);
  ck_assert_uint_eq(dominators.retained[2], 16);
  ck_assert_uint_eq(dominators.retained[LIST - 3], 16 * 3);
  dominators_free(&dominators);
  free_room(&objects);
}
END_TEST

START_TEST(strays_are_in_no_sum)
{
  struct objects objects;
  struct dominators dominators;
  struct kind_sums sums;
  make_room(&objects, 5, 8);
  objects.nodes[1] = (struct object){.id = 1, .name = 4, .type = SYNTHETIC};
  add_edge(&objects, 0, 1, 1);
  add_edge(&objects, 0, 2, 1);
  add_edge(&objects, 1, 3, 1);
  add_edge(&objects, 1, 4, 1);
  add_edge(&objects, 2, 4, 1); /* reached after all */
  /* Edges leave nodes in order: they did. */
  ck_assert(dominators_find(&objects, &dominators));
  ck_assert(kinds_sum(&objects, &dominators, &sums));
  ck_assert_uint_eq(sums.all.objects, 2);
  ck_assert_uint_eq(sums.strays.objects, 1);
  ck_assert_uint_eq(sums.count, 1);
  ck_assert_uint_eq(sums.sums[0].objects, 2);
  kinds_free(&sums);
  dominators_free(&dominators);
  free_room(&objects);
}
END_TEST

/* ---- two snapshots ---- */

static void make_star(struct objects *objects, size_t nodes)
{
  make_room(objects, nodes, nodes);
  for (uint32_t i = 1; i < nodes; i++)
    add_edge(objects, 0, i, 1);
}

START_TEST(what_has_come_and_gone_is_told_by_kind)
{
  struct objects snapshots[2];
  struct dominators dominators[2];
  struct kind_changes changes;
  make_star(&snapshots[0], 6);        /* ids 2 to 6, all "a" */
  make_star(&snapshots[1], 8);        /* ids 2 to 8 */
  snapshots[1].nodes[1].id = 77;      /* 2 is gone, another has come */
  snapshots[1].nodes[2].name = 2;     /* 3 is a "b" now */
  snapshots[1].nodes[3].bytes = 1000; /* 4 has grown */
  for (int i = 0; i < 2; i++)
    ck_assert(dominators_find(&snapshots[i], &dominators[i]));
  ck_assert(kinds_compare(snapshots, dominators, &changes));
  ck_assert_uint_eq(changes.count, 2);
  const struct kind_change *a = &changes.changes[0], *b = a + 1;
  ck_assert_str_eq(a->name, "a");
  ck_assert_uint_eq(a->objects[0], 5);
  ck_assert_uint_eq(a->objects[1], 6);
  ck_assert_uint_eq(a->made, 3); /* 77, 7, 8 */
  ck_assert_uint_eq(a->gone, 2); /* 2, 3 */
  ck_assert_uint_eq(a->bytes[1] - a->bytes[0], 1000);
  ck_assert_str_eq(b->name, "b");
  ck_assert_uint_eq(b->objects[0], 0);
  ck_assert_uint_eq(b->made, 1);
  ck_assert_uint_eq(changes.all.objects[1], 7);
  kinds_free_changes(&changes);
  for (int i = 0; i < 2; i++) {
    dominators_free(&dominators[i]);
    free_room(&snapshots[i]);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("dominators");
  TCase *tests = tcase_create("dominators");
  tcase_set_timeout(tests, 600);
  tcase_add_test(tests, random_graphs_agree_with_the_reference);
  tcase_add_test(tests, a_long_list_is_no_trouble);
  tcase_add_test(tests, strays_are_in_no_sum);
  tcase_add_test(tests, what_has_come_and_gone_is_told_by_kind);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
