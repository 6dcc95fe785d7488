/* SPDX-License-Identifier: MIT */
/* dominators.c -- which object must go for another to go
 *
 * Lengauer and Tarjan, "A fast algorithm for finding dominators in a
 * flowgraph", TOPLAS 1(1), 1979, in its simple version: O(m log n).  That of
 * Cooper, Harvey and Kennedy is shorter, and walks up the tree for each edge: a
 * list of a million links with edges across makes it quadratic.
 *
 * Nodes are renamed by when a depth-first search reaches them: all arrays below
 * are by that number, the root's is 0.  Nothing is recursive: a list is as deep
 * as it is long. */
#include "lab/heap/dominators.h"

#include <stdlib.h>

#define NONE UINT32_MAX

struct finding {
  const struct objects *objects;
  size_t count;     /* reached */
  uint32_t *number; /* of each node; NONE: not reached */
  uint32_t *node;   /* of each number */
  uint32_t *parent; /* in the search */
  uint32_t *semi;   /* semidominator */
  uint32_t *dom;    /* and immediate dominator */
  uint32_t *label;  /* of least semi on the way up the forest */
  uint32_t *above;  /* in the forest; NONE: a root of it */
  uint32_t *bucket; /* first and next of those with this semidominator */
  uint32_t *next;
  uint32_t *first; /* predecessors: of number n from[first[n]] on */
  uint32_t *from;
  uint32_t *work;
};

static uint32_t *array(size_t count)
{
  uint32_t *made = malloc((count + 1) * sizeof *made);
  for (size_t i = 0; made && i <= count; i++)
    made[i] = NONE;
  return made;
}

static bool open(struct finding *f, const struct objects *objects)
{
  size_t nodes = objects->node_count;
  f->objects = objects;
  f->number = array(nodes);
  f->node = array(nodes);
  f->parent = array(nodes);
  f->semi = array(nodes);
  f->dom = array(nodes);
  f->label = array(nodes);
  f->above = array(nodes);
  f->bucket = array(nodes);
  f->next = array(nodes);
  f->first = array(nodes + 1);
  f->from = array(objects->edge_count);
  f->work = array(nodes);
  return f->number && f->node && f->parent && f->semi && f->dom && f->label &&
         f->above && f->bucket && f->next && f->first && f->from && f->work;
}

static void close(struct finding *f)
{
  uint32_t *arrays[] = {f->number, f->node,  f->parent, f->semi,
                        f->dom,    f->label, f->above,  f->bucket,
                        f->next,   f->first, f->from,   f->work};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    free(arrays[i]);
}

static const struct edge *edge_of(const struct finding *f, uint32_t node,
                                  uint32_t i)
{
  const struct objects *objects = f->objects;
  const struct edge *edge = &objects->edges[objects->nodes[node].first + i];
  return objects_holds(objects, node, edge) ? edge : NULL;
}

static void reach(struct finding *f, uint32_t node, uint32_t parent)
{
  uint32_t number = (uint32_t)f->count++;
  f->number[node] = number;
  f->node[number] = node;
  f->parent[number] = parent;
  f->semi[number] = f->label[number] = number;
}

/* `work` has, of each number on the way down, the edge that is next. */
static void search(struct finding *f)
{
  uint32_t at = 0;
  reach(f, 0, NONE);
  f->work[0] = 0;
  while (at != NONE) {
    uint32_t node = f->node[at];
    if (f->work[at] == f->objects->nodes[node].edge_count) {
      at = f->parent[at];
      continue;
    }
    const struct edge *edge = edge_of(f, node, f->work[at]++);
    if (!edge || f->number[edge->to] != NONE)
      continue;
    reach(f, edge->to, at);
    at = f->number[edge->to];
    f->work[at] = 0;
  }
}

/* Counted, summed up, and put in from behind. */
static void find_predecessors(struct finding *f)
{
  for (size_t n = 0; n <= f->count; n++)
    f->first[n] = 0;
  for (int fill = 0; fill < 2; fill++) {
    for (uint32_t n = 0; n < f->count; n++) {
      uint32_t node = f->node[n];
      for (uint32_t i = 0; i < f->objects->nodes[node].edge_count; i++) {
        const struct edge *edge = edge_of(f, node, i);
        if (!edge)
          continue;
        uint32_t *first = &f->first[f->number[edge->to]];
        if (fill)
          f->from[--*first] = n;
        else
          ++*first;
      }
    }
    if (!fill)
      for (size_t n = 1; n <= f->count; n++)
        f->first[n] += f->first[n - 1];
  }
}

/* Shortens the way up from v, from the top down; the topmost two stay. */
static void compress(struct finding *f, uint32_t v)
{
  size_t depth = 0;
  while (f->above[f->above[v]] != NONE) {
    f->work[depth++] = v;
    v = f->above[v];
  }
  while (depth) {
    uint32_t below = f->work[--depth];
    uint32_t above = f->above[below];
    if (f->semi[f->label[above]] < f->semi[f->label[below]])
      f->label[below] = f->label[above];
    f->above[below] = f->above[above];
  }
}

static uint32_t eval(struct finding *f, uint32_t v)
{
  if (f->above[v] != NONE)
    compress(f, v);
  return f->label[v];
}

static void settle_bucket(struct finding *f, uint32_t parent)
{
  uint32_t v = f->bucket[parent];
  f->bucket[parent] = NONE;
  while (v != NONE) {
    uint32_t next = f->next[v];
    uint32_t u = eval(f, v);
    f->dom[v] = f->semi[u] < f->semi[v] ? u : parent;
    v = next;
  }
}

static void dominate(struct finding *f)
{
  for (uint32_t w = (uint32_t)f->count; w-- > 1;) {
    for (uint32_t i = f->first[w]; i < f->first[w + 1]; i++) {
      uint32_t u = eval(f, f->from[i]);
      if (f->semi[u] < f->semi[w])
        f->semi[w] = f->semi[u];
    }
    f->next[w] = f->bucket[f->semi[w]];
    f->bucket[f->semi[w]] = w;
    f->above[w] = f->parent[w];
    settle_bucket(f, f->parent[w]);
  }
  for (uint32_t w = 1; w < f->count; w++)
    if (f->dom[w] != f->semi[w])
      f->dom[w] = f->dom[f->dom[w]];
}

static void take_results(const struct finding *f, struct dominators *d)
{
  const struct object *nodes = f->objects->nodes;
  d->reached = f->count;
  for (uint32_t n = 0; n < f->count; n++) {
    uint32_t node = f->node[n];
    d->order[n] = node;
    d->retained[node] = nodes[node].bytes;
    if (n)
      d->of[node] = f->node[f->dom[n]];
  }
  for (size_t n = f->count; n-- > 1;)
    d->retained[d->of[d->order[n]]] += d->retained[d->order[n]];
}

bool dominators_find(const struct objects *objects,
                     struct dominators *dominators)
{
  struct finding f = {0};
  *dominators = (struct dominators){
      .of = array(objects->node_count),
      .order = array(objects->node_count),
      .retained = calloc(objects->node_count, sizeof(uint64_t)),
  };
  bool good = open(&f, objects) && dominators->of && dominators->order &&
              dominators->retained;
  if (good) {
    search(&f);
    find_predecessors(&f);
    dominate(&f);
    take_results(&f, dominators);
  } else {
    dominators_free(dominators);
  }
  close(&f);
  return good;
}

void dominators_free(struct dominators *dominators)
{
  free(dominators->of);
  free(dominators->order);
  free(dominators->retained);
  *dominators = (struct dominators){0};
}
