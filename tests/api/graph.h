/* SPDX-License-Identifier: MIT */
/* graph.h -- a .heapsnapshot as a test reads it: every number in it is looked
 * at, and what does not fit fails the test
 *
 * It knows that Dusk writes a node, an edge and a string a line.  An
 * independent reader is tests/lab/heap.sh. */
#ifndef DUSK_TESTS_GRAPH_H
#define DUSK_TESTS_GRAPH_H

#include "api.h"

#include <fcntl.h>

enum { GRAPH_FIELDS = 7, GRAPH_ELEMENT = 1, GRAPH_PROPERTY = 2 };
enum { GRAPH_SYNTHETIC = 9 };

struct graph_node {
  unsigned type;
  size_t name;
  size_t id;
  size_t bytes;
  size_t edges; /* how many */
  size_t first; /* of them */
  const char *text;
};

struct graph_edge {
  unsigned type;
  size_t name;
  size_t to; /* a node's number */
};

struct graph {
  char *file;
  size_t nodes;
  size_t edges;
  size_t strings;
  struct graph_node *node;
  struct graph_edge *edge;
  char **string;
};

static inline char *graph_file(int fd)
{
  off_t bytes = lseek(fd, 0, SEEK_END);
  ck_assert_int_gt(bytes, 0);
  char *text = malloc((size_t)bytes + 1);
  ck_assert_ptr_nonnull(text);
  for (off_t at = 0; at < bytes;) {
    ssize_t got = pread(fd, text + at, (size_t)(bytes - at), at);
    ck_assert_int_gt(got, 0);
    at += got;
  }
  text[bytes] = '\0';
  return text;
}

static inline char *graph_after(char *text, const char *mark)
{
  char *found = strstr(text, mark);
  ck_assert_msg(found != NULL, "there is no %s", mark);
  return found + strlen(mark);
}

static inline size_t graph_number(char **at)
{
  size_t number = 0;
  *at += **at == '\n';
  ck_assert_msg(**at >= '0' && **at <= '9', "no number at: %.40s", *at);
  for (; **at >= '0' && **at <= '9'; ++*at)
    number = 10 * number + (size_t)(**at - '0');
  ++*at;
  return number;
}

static inline void graph_read_nodes(struct graph *graph, char *at)
{
  size_t edges = 0;
  for (size_t i = 0; i < graph->nodes; i++) {
    struct graph_node *node = &graph->node[i];
    node->type = (unsigned)graph_number(&at);
    node->name = graph_number(&at);
    node->id = graph_number(&at);
    node->bytes = graph_number(&at);
    node->edges = graph_number(&at);
    node->first = edges;
    edges += node->edges;
    ck_assert_uint_eq(graph_number(&at), 0);
    ck_assert_uint_eq(graph_number(&at), 0);
    ck_assert_uint_lt(node->name, graph->strings);
    node->text = graph->string[node->name];
    ck_assert_int_eq(at[-1], i + 1 < graph->nodes ? ',' : ']');
  }
  ck_assert_uint_eq(edges, graph->edges);
}

static inline void graph_read_edges(struct graph *graph, char *at)
{
  for (size_t i = 0; i < graph->edges; i++) {
    struct graph_edge *edge = &graph->edge[i];
    edge->type = (unsigned)graph_number(&at);
    edge->name = graph_number(&at);
    size_t to = graph_number(&at);
    ck_assert_uint_eq(to % GRAPH_FIELDS, 0);
    edge->to = to / GRAPH_FIELDS;
    ck_assert_uint_lt(edge->to, graph->nodes);
    if (edge->type == GRAPH_PROPERTY)
      ck_assert_uint_lt(edge->name, graph->strings);
    ck_assert_int_eq(at[-1], i + 1 < graph->edges ? ',' : ']');
  }
}

/* Without their quotes, escapes as they are. */
static inline void graph_read_strings(struct graph *graph, char *at)
{
  size_t room = 0;
  for (bool last = false; !last;) {
    char *end = strchr(at, '\n');
    ck_assert_ptr_nonnull(end);
    last = end[-1] == '}';
    char *quote = last ? end - 3 : end - 2;
    ck_assert_int_eq(*at, '"');
    ck_assert_int_eq(*quote, '"');
    *quote = '\0';
    if (graph->strings == room) {
      room = room ? 2 * room : 1024;
      graph->string = realloc(graph->string, room * sizeof *graph->string);
      ck_assert_ptr_nonnull(graph->string);
    }
    graph->string[graph->strings++] = at + 1;
    at = end + 1;
  }
  ck_assert_int_eq(*at, '\0');
}

static inline void graph_read(struct graph *graph, int fd)
{
  *graph = (struct graph){.file = graph_file(fd)};
  ck_assert_int_eq(
      strncmp(graph->file, "{\"snapshot\":{\"meta\":{\"node_fields\"", 34), 0);
  char *at = graph_after(graph->file, "\"node_count\":");
  graph->nodes = graph_number(&at);
  at = graph_after(graph->file, "\"edge_count\":");
  graph->edges = graph_number(&at);
  char *nodes = graph_after(at, "\n\"nodes\":[");
  char *edges = graph_after(nodes, "\n\"edges\":[");
  graph_read_strings(graph, graph_after(edges, "\n\"strings\":["));
  graph->node = calloc(graph->nodes, sizeof *graph->node);
  graph->edge = calloc(graph->edges, sizeof *graph->edge);
  ck_assert(graph->node && graph->edge);
  graph_read_nodes(graph, nodes);
  graph_read_edges(graph, edges);
}

static inline void graph_free(struct graph *graph)
{
  free(graph->file);
  free(graph->string);
  free(graph->node);
  free(graph->edge);
}

/* Takes one and reads it. */
static inline void graph_take(struct graph *graph, dusk_heap *heap)
{
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(dusk_write_snapshot(heap, fileno(file)), 0);
  graph_read(graph, fileno(file));
  fclose(file);
}

/* Nodes of that name; *last is the last of them. */
static inline unsigned graph_named(const struct graph *graph, const char *name,
                                   size_t *last)
{
  unsigned count = 0;
  for (size_t i = 0; i < graph->nodes; i++)
    if (strcmp(graph->node[i].text, name) == 0) {
      count++;
      *last = i;
    }
  return count;
}

/* The only node of that name. */
static inline size_t graph_find(const struct graph *graph, const char *name)
{
  size_t found = 0;
  ck_assert_msg(graph_named(graph, name, &found) == 1, "not one node '%s'",
                name);
  return found;
}

/* Edges between two nodes. */
static inline unsigned graph_edges(const struct graph *graph, size_t from,
                                   size_t to)
{
  unsigned count = 0;
  const struct graph_node *node = &graph->node[from];
  for (size_t i = node->first; i < node->first + node->edges; i++)
    count += graph->edge[i].to == to;
  return count;
}

static inline bool graph_has_field(const struct graph *graph, size_t from,
                                   const char *name, size_t to)
{
  const struct graph_node *node = &graph->node[from];
  for (size_t i = node->first; i < node->first + node->edges; i++)
    if (graph->edge[i].to == to && graph->edge[i].type == GRAPH_PROPERTY &&
        strcmp(graph->string[graph->edge[i].name], name) == 0)
      return true;
  return false;
}

static inline bool graph_has_element(const struct graph *graph, size_t from,
                                     size_t index, size_t to)
{
  const struct graph_node *node = &graph->node[from];
  for (size_t i = node->first; i < node->first + node->edges; i++)
    if (graph->edge[i].to == to && graph->edge[i].type == GRAPH_ELEMENT &&
        graph->edge[i].name == index)
      return true;
  return false;
}

/* Marks all that can be reached from the root; not through `without`. */
static inline void graph_reach(const struct graph *graph, size_t from,
                               size_t without, bool *reached)
{
  size_t *work = malloc(graph->nodes * sizeof *work);
  size_t count = 0;
  ck_assert_ptr_nonnull(work);
  reached[from] = true;
  work[count++] = from;
  while (count) {
    const struct graph_node *node = &graph->node[work[--count]];
    for (size_t i = node->first; i < node->first + node->edges; i++) {
      size_t to = graph->edge[i].to;
      if (reached[to] || to == without)
        continue;
      reached[to] = true;
      work[count++] = to;
    }
  }
  free(work);
}

#endif
