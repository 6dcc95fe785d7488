/* SPDX-License-Identifier: MIT */
/* trees.c -- binary trees: many small objects that die young, around a large
 * structure that lives
 *
 * The program of the Computer Language Benchmarks Game: a tree one deeper than
 * the deepest is built and dropped, one of full depth is kept, and meanwhile
 * trees of every second depth are built, counted and dropped, twice as many for
 * each level less.  A node is two pointers.  Figures: processor time, peak. */
#include "option.h"
#include "peer.h"

#include <stdlib.h>

struct node {
  struct node *left;
  struct node *right;
};

enum { DEPTH_MIN = 4 };

static struct node *tree_build(struct peer peer, struct peer_kind kind,
                               unsigned depth)
{
  struct node *left = NULL;
  struct node *right = NULL;
  if (depth) {
    left = tree_build(peer, kind, depth - 1);
    right = tree_build(peer, kind, depth - 1);
  }
  struct node *node = peer_new(peer, kind, sizeof *node);
  peer_init(peer, &node->left, left);
  peer_init(peer, &node->right, right);
  return node;
}

static uint64_t tree_count(const struct node *node)
{
  const struct node *left = peer_load(&node->left);
  if (!left)
    return 1;
  return 1 + tree_count(left) + tree_count(peer_load(&node->right));
}

static void tree_free(struct peer peer, struct node *node)
{
  if (node->left) {
    tree_free(peer, node->left);
    tree_free(peer, node->right);
  }
  peer_free(peer, node);
}

static void tree_check(const struct node *tree, unsigned depth)
{
  if (tree_count(tree) != (UINT64_C(2) << depth) - 1)
    measure_fail("a tree has lost nodes");
}

static void tree_pass(struct peer peer, struct peer_kind kind, unsigned depth)
{
  struct node *tree = tree_build(peer, kind, depth);
  tree_check(tree, depth);
  if (!PEER_COLLECTS)
    tree_free(peer, tree);
}

int main(int argc, char **argv)
{
  enum { DEPTH, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [DEPTH] = {"depth", "Depth of the largest tree", 20, 14, NULL}};
  static const struct option_program program = {
      "trees", PEER_NAME, "Builds and drops binary trees"};
  option_parse(&program, options, argc, argv);
  unsigned depth = (unsigned)options[DEPTH].value;
  if (depth < DEPTH_MIN || depth > 30)
    measure_fail("depth is 4 to 30");

  struct peer peer = peer_open();
  struct peer_kind kind =
      peer_kind_define(peer, "node", sizeof(struct node), 3);
  struct measure_stretch stretch = measure_begin();
  tree_pass(peer, kind, depth + 1);
  struct node *lasting = tree_build(peer, kind, depth);
  for (unsigned small = DEPTH_MIN; small <= depth; small += 2) {
    uint64_t passes = UINT64_C(1) << (depth - small + DEPTH_MIN);
    for (uint64_t pass = 0; pass < passes; pass++)
      tree_pass(peer, kind, small);
  }
  tree_check(lasting, depth);
  if (!PEER_COLLECTS)
    tree_free(peer, lasting);
  stretch = measure_end(stretch);

  measure_figure("cpu", (double)stretch.cpu_ns / 1e9, "s");
  measure_figure("wall", (double)stretch.wall_ns / 1e9, "s");
  measure_figure_peak();
  peer_close(peer);
  return EXIT_SUCCESS;
}
