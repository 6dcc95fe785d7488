/* SPDX-License-Identifier: MIT */
/* graph.h -- all objects of a heap and what names them, for who reads a copy of
 * it
 *
 * In a child of os/child.h, between marking and H4.  An object is what is
 * marked and has been handed out.  Objects have numbers in the order of their
 * addresses: a number is a count of bits, and takes no table.
 *
 * Breadth first, so that the path by which an object is reached is a shortest
 * one. */
#ifndef DUSK_INSPECT_GRAPH_H
#define DUSK_INSPECT_GRAPH_H

#include "inspect/holders.h"
#include "inspect/thing.h"

struct graph {
  const struct dusk_heap *heap;
  const struct arena *arena;
  struct roles roles;
  uint32_t pages;
  size_t *ranks; /* the number of the first object of each page */
  size_t count;  /* objects */
  uint64_t *reached;
  uint64_t *strays; /* objects through which the unreached are reached */
  size_t stray_count;
  size_t *queue; /* granules, in the order in which they were reached */
  size_t head;
  size_t tail;
  size_t *parents; /* by number: who named it first; NULL: not wanted */
  size_t parent;   /* whose words are being read */
};

/* A parent is the granule of an object, or a holder: this and its index; or a
 * stray has none. */
#define PARENT_HOLDER ((size_t)1 << 63)
#define PARENT_NONE SIZE_MAX

/* false: no memory.  Nothing has to be given back: it goes with the child. */
WARN_UNUSED bool graph_open(struct graph *graph, const struct dusk_heap *heap,
                            bool paths);

/* The object that the word names. */
bool graph_find(const struct graph *graph, uintptr_t word, struct thing *thing);
size_t graph_number(const struct graph *graph, const struct thing *thing);

/* The object at that granule. */
void graph_thing(const struct graph *graph, size_t granule,
                 struct thing *thing);

/* What the holder names; then, of all who were named, what they name. */
void graph_reach(struct graph *graph, const struct holders *holders,
                 size_t index);
void graph_drain(struct graph *graph);

/* What has not been reached until now: the objects that none of the others
 * names are strays, and of each ring one, and through them all is reached. */
void graph_reach_strays(struct graph *graph);

bool graph_is_reached(const struct graph *graph, const struct thing *thing);
bool graph_is_stray(const struct graph *graph, const struct thing *thing);

/* All objects, by number. */
void graph_each(const struct graph *graph,
                void (*visit)(void *context, const struct thing *thing),
                void *context);

#endif
