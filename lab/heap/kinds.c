/* SPDX-License-Identifier: MIT */
/* kinds.c -- what there is of each kind, in one snapshot and in two
 *
 * What a kind retains is the sum of what its objects retain that no object of
 * the same kind dominates: else a list would count its tail once for each link.
 *
 * Tested by tests/lab/dominators.c and tests/lab/heap.sh. */
#include "lab/heap/kinds.h"

#include <stdlib.h>
#include <string.h>

bool kinds_is_object(const struct objects *objects, uint32_t node)
{
  uint32_t type = objects->nodes[node].type;
  return type != objects->synthetic &&
         (type != objects->native || objects->nodes[node].bytes > 0);
}

bool *kinds_find_strays(const struct objects *objects,
                        const struct dominators *dominators)
{
  bool *strays = calloc(objects->node_count, sizeof *strays);
  for (size_t i = 1; strays && i < dominators->reached; i++) {
    uint32_t node = dominators->order[i];
    strays[node] = strays[dominators->of[node]] ||
                   (objects->nodes[node].type == objects->synthetic &&
                    !strcmp(objects_name(objects, node), "(not reached)"));
  }
  return strays;
}

/* ---- one ---- */

static int compare_retained(const void *a, const void *b)
{
  const struct kind_sum *x = a, *y = b;
  if (x->retained != y->retained)
    return x->retained < y->retained ? 1 : -1;
  return strcmp(x->name, y->name);
}

/* The nearest dominator of each node that is of some kind is not needed, only
 * whether there is one of its own: so kinds are entered and left on the way
 * through the tree.  Its nodes in preorder: `first` child and `next` sibling of
 * each. */
struct tree {
  uint32_t *first;
  uint32_t *next;
  uint32_t *inside; /* of each string: dominators of that name on the way */
};

static bool tree_make(const struct objects *objects,
                      const struct dominators *dominators, struct tree *tree)
{
  size_t nodes = objects->node_count;
  tree->first = malloc(nodes * sizeof *tree->first);
  tree->next = malloc(nodes * sizeof *tree->next);
  tree->inside = calloc(objects->string_count + 1, sizeof *tree->inside);
  if (!tree->first || !tree->next || !tree->inside)
    return false;
  for (size_t i = 0; i < nodes; i++)
    tree->first[i] = tree->next[i] = UINT32_MAX;
  for (size_t i = dominators->reached; i-- > 1;) {
    uint32_t node = dominators->order[i];
    tree->next[node] = tree->first[dominators->of[node]];
    tree->first[dominators->of[node]] = node;
  }
  return true;
}

static void tree_free(struct tree *tree)
{
  free(tree->first);
  free(tree->next);
  free(tree->inside);
}

static void enter(const struct objects *objects,
                  const struct dominators *dominators, struct tree *tree,
                  struct kind_sum *sums, uint32_t node)
{
  const struct object *object = &objects->nodes[node];
  if (!kinds_is_object(objects, node))
    return;
  struct kind_sum *sum = &sums[object->name];
  sum->objects++;
  sum->bytes += object->bytes;
  if (!tree->inside[object->name]++)
    sum->retained += dominators->retained[node];
}

static void leave(const struct objects *objects, struct tree *tree,
                  uint32_t node)
{
  if (kinds_is_object(objects, node))
    tree->inside[objects->nodes[node].name]--;
}

static void walk(const struct objects *objects,
                 const struct dominators *dominators, struct tree *tree,
                 const bool *strays, struct kind_sum *sums)
{
  uint32_t node = 0;
  enter(objects, dominators, tree, sums, node);
  for (;;) {
    uint32_t child = tree->first[node];
    while (child != UINT32_MAX && strays[child])
      child = tree->next[child];
    if (child != UINT32_MAX) {
      tree->first[node] = tree->next[child];
      enter(objects, dominators, tree, sums, child);
      node = child;
      continue;
    }
    leave(objects, tree, node);
    if (node == 0)
      return;
    node = dominators->of[node];
  }
}

static void sum_strays(const struct objects *objects,
                       const struct dominators *dominators, const bool *strays,
                       struct kind_sums *sums)
{
  for (size_t i = 0; i < dominators->reached; i++) {
    uint32_t node = dominators->order[i];
    if (!kinds_is_object(objects, node))
      continue;
    struct kind_sum *sum = strays[node] ? &sums->strays : &sums->all;
    sum->objects++;
    sum->bytes += objects->nodes[node].bytes;
  }
}

bool kinds_sum(const struct objects *objects,
               const struct dominators *dominators, struct kind_sums *sums)
{
  struct tree tree = {0};
  bool *strays = kinds_find_strays(objects, dominators);
  *sums = (struct kind_sums){
      .sums = calloc(objects->string_count + 1, sizeof *sums->sums)};
  bool good = strays && sums->sums && tree_make(objects, dominators, &tree);
  if (good) {
    walk(objects, dominators, &tree, strays, sums->sums);
    sum_strays(objects, dominators, strays, sums);
    for (size_t i = 0; i < objects->string_count; i++)
      if (sums->sums[i].objects) {
        sums->sums[sums->count] = sums->sums[i];
        sums->sums[sums->count++].name = objects->strings[i];
      }
    qsort(sums->sums, sums->count, sizeof *sums->sums, compare_retained);
  }
  tree_free(&tree);
  free(strays);
  return good;
}

void kinds_free(struct kind_sums *sums)
{
  free(sums->sums);
  sums->sums = NULL;
}

/* ---- two ---- */

/* An object of one of the two: by name, then by id. */
struct entry {
  const char *name;
  uint64_t id;
  uint64_t bytes;
  unsigned which;
};

static int compare_entries(const void *a, const void *b)
{
  const struct entry *x = a, *y = b;
  int order = x->name == y->name ? 0 : strcmp(x->name, y->name);
  if (order)
    return order;
  if (x->id != y->id)
    return x->id < y->id ? -1 : 1;
  return (int)x->which - (int)y->which;
}

static size_t list_entries(const struct objects *objects,
                           const struct dominators *dominators, unsigned which,
                           struct entry *entries)
{
  size_t count = 0;
  bool *strays = kinds_find_strays(objects, dominators);
  for (size_t i = 0; strays && i < dominators->reached; i++) {
    uint32_t node = dominators->order[i];
    if (kinds_is_object(objects, node) && !strays[node])
      entries[count++] = (struct entry){.name = objects_name(objects, node),
                                        .id = objects->nodes[node].id,
                                        .bytes = objects->nodes[node].bytes,
                                        .which = which};
  }
  free(strays);
  return strays ? count : SIZE_MAX;
}

static void add_entry(struct kind_change *change, const struct entry *entry,
                      bool in_both)
{
  change->objects[entry->which]++;
  change->bytes[entry->which] += entry->bytes;
  change->made += !in_both && entry->which == 1;
  change->gone += !in_both && entry->which == 0;
}

static int compare_growth(const void *a, const void *b)
{
  const struct kind_change *x = a, *y = b;
  int64_t grown[2] = {(int64_t)(x->bytes[1] - x->bytes[0]),
                      (int64_t)(y->bytes[1] - y->bytes[0])};
  if (grown[0] != grown[1])
    return grown[0] < grown[1] ? 1 : -1;
  return strcmp(x->name, y->name);
}

static void sum_entries(const struct entry *entries, size_t count,
                        struct kind_changes *changes)
{
  for (size_t i = 0; i < count; i++) {
    const struct entry *entry = &entries[i];
    bool begins = i == 0 || strcmp(entry->name, entries[i - 1].name) != 0;
    bool in_both = (i > 0 && !begins && entries[i - 1].id == entry->id) ||
                   (i + 1 < count && entries[i + 1].id == entry->id &&
                    strcmp(entry->name, entries[i + 1].name) == 0);
    if (begins)
      changes->changes[changes->count++].name = entry->name;
    add_entry(&changes->changes[changes->count - 1], entry, in_both);
    add_entry(&changes->all, entry, in_both);
  }
  qsort(changes->changes, changes->count, sizeof *changes->changes,
        compare_growth);
}

bool kinds_compare(const struct objects snapshots[2],
                   const struct dominators dominators[2],
                   struct kind_changes *changes)
{
  size_t room = dominators[0].reached + dominators[1].reached;
  struct entry *entries = malloc((room + 1) * sizeof *entries);
  size_t count = 0;
  *changes = (struct kind_changes){0};
  for (unsigned i = 0; entries && i < 2 && count != SIZE_MAX; i++) {
    size_t more =
        list_entries(&snapshots[i], &dominators[i], i, entries + count);
    count = more == SIZE_MAX ? SIZE_MAX : count + more;
  }
  bool good = entries && count != SIZE_MAX;
  if (good) {
    size_t names = snapshots[0].string_count + snapshots[1].string_count;
    changes->changes = calloc(names + 1, sizeof *changes->changes);
    good = changes->changes != NULL;
  }
  if (good) {
    qsort(entries, count, sizeof *entries, compare_entries);
    sum_entries(entries, count, changes);
  }
  free(entries);
  return good;
}

void kinds_free_changes(struct kind_changes *changes)
{
  free(changes->changes);
  changes->changes = NULL;
}
