/* SPDX-License-Identifier: MIT */
/* objects.h -- a .heapsnapshot as read from a file: V8's, or one of ours
 *
 * Tested by tests/lab/objects.c. */
#ifndef DUSK_LAB_OBJECTS_H
#define DUSK_LAB_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object {
  uint64_t id;
  uint64_t bytes;
  uint32_t name; /* a string */
  uint32_t type;
  uint32_t edge_count;
  uint32_t first; /* of its edges */
};

struct edge {
  uint32_t to;
  uint32_t type;
};

struct objects {
  struct object *nodes; /* the first is the root */
  struct edge *edges;
  char **strings; /* UTF-8 */
  size_t node_count;
  size_t edge_count;
  size_t string_count;
  /* Types, as the file numbers them; UINT32_MAX: it has none such. */
  uint32_t synthetic; /* of nodes */
  uint32_t native;
  uint32_t shortcut; /* of edges */
  uint32_t weak;
};

/* false: `message` says what is wrong with the file. */
bool objects_read(const char *path, struct objects *objects, char *message,
                  size_t size);
void objects_free(struct objects *objects);

static inline const char *objects_name(const struct objects *objects,
                                       uint32_t node)
{
  return objects->strings[objects->nodes[node].name];
}

/* Does it keep what it names? */
static inline bool objects_holds(const struct objects *objects, uint32_t from,
                                 const struct edge *edge)
{
  return edge->type != objects->weak &&
         (edge->type != objects->shortcut || from == 0);
}

#endif
