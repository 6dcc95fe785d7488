/* SPDX-License-Identifier: MIT */
/* objects.c -- a .heapsnapshot as read from a file
 *
 * The head says which numbers make a node, and which an edge; so V8's files of
 * other years can be read too.  What is known is checked before it is used, so
 * that a damaged file is an answer and no crash. */
#include "lab/heap/objects.h"

#include "lab/heap/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 16 };

/* Where a record has what; FIELDS_MAX: nowhere. */
struct fields {
  size_t count;
  char names[FIELDS_MAX][32];
};

struct reading {
  struct json json;
  struct objects *objects;
  struct fields node;
  struct fields edge;
  bool has_head;
  uint64_t nodes; /* as the head says */
  uint64_t edges;
  size_t string_room;
};

static size_t field(const struct fields *fields, const char *name)
{
  size_t i = 0;
  while (i < fields->count && strcmp(fields->names[i], name))
    i++;
  return i < fields->count ? i : FIELDS_MAX;
}

/* ---- the head ---- */

static bool read_fields(struct json *json, struct fields *fields)
{
  fields->count = 0;
  json_enter(json, '[');
  while (json_element(json)) {
    if (!json_string(json))
      return false;
    if (fields->count == FIELDS_MAX)
      return json_fail(json, "fewer fields");
    snprintf(fields->names[fields->count++], sizeof fields->names[0], "%.31s",
             json->text);
  }
  return !json->wrong;
}

/* The first entry lists the names of the field "type"; others are skipped. */
static bool read_types(struct json *json, const char *const *names,
                       uint32_t **numbers)
{
  bool listed = false;
  json_enter(json, '[');
  while (json_element(json)) {
    if (listed || json_is_string(json)) {
      json_skip(json);
      continue;
    }
    listed = true;
    json_enter(json, '[');
    for (uint32_t number = 0; json_element(json) && json_string(json); number++)
      for (size_t i = 0; names[i]; i++)
        if (!strcmp(names[i], json->text))
          *numbers[i] = number;
  }
  return !json->wrong;
}

static bool read_meta(struct reading *reading)
{
  static const char *const node_types[] = {"synthetic", "native", NULL};
  static const char *const edge_types[] = {"shortcut", "weak", NULL};
  struct objects *objects = reading->objects;
  struct json *json = &reading->json;
  uint32_t *nodes[] = {&objects->synthetic, &objects->native};
  uint32_t *edges[] = {&objects->shortcut, &objects->weak};
  json_enter(json, '{');
  while (json_member(json)) {
    if (!strcmp(json->text, "node_fields"))
      read_fields(json, &reading->node);
    else if (!strcmp(json->text, "edge_fields"))
      read_fields(json, &reading->edge);
    else if (!strcmp(json->text, "node_types"))
      read_types(json, node_types, nodes);
    else if (!strcmp(json->text, "edge_types"))
      read_types(json, edge_types, edges);
    else
      json_skip(json);
  }
  return !json->wrong;
}

static bool make_room(struct reading *reading)
{
  struct objects *objects = reading->objects;
  static const char *const node[] = {"type", "name", "id", "self_size",
                                     "edge_count"};
  static const char *const edge[] = {"type", "to_node"};
  for (size_t i = 0; i < sizeof node / sizeof *node; i++)
    if (field(&reading->node, node[i]) == FIELDS_MAX)
      return json_fail(&reading->json, "all fields of a node");
  for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
    if (field(&reading->edge, edge[i]) == FIELDS_MAX)
      return json_fail(&reading->json, "all fields of an edge");
  if (!reading->nodes || reading->nodes >= UINT32_MAX ||
      reading->edges >= UINT32_MAX)
    return json_fail(&reading->json, "a sensible count of nodes");
  objects->nodes = calloc(reading->nodes, sizeof *objects->nodes);
  objects->edges = calloc(reading->edges + 1, sizeof *objects->edges);
  return (objects->nodes && objects->edges) ||
         json_fail(&reading->json, "more memory");
}

static bool read_head(struct reading *reading)
{
  struct json *json = &reading->json;
  if (reading->has_head)
    return json_fail(json, "one head");
  json_enter(json, '{');
  while (json_member(json)) {
    if (!strcmp(json->text, "meta"))
      read_meta(reading);
    else if (!strcmp(json->text, "node_count"))
      json_number(json, &reading->nodes);
    else if (!strcmp(json->text, "edge_count"))
      json_number(json, &reading->edges);
    else
      json_skip(json);
  }
  reading->has_head = true;
  return !json->wrong && make_room(reading);
}

/* ---- the arrays ---- */

/* One record; false: there is none, or an error. */
static bool read_record(struct json *json, const struct fields *fields,
                        uint64_t *record)
{
  for (size_t i = 0; i < fields->count; i++) {
    if (!json_element(json))
      return i > 0 && json_fail(json, "a whole record");
    if (!json_number(json, &record[i]))
      return false;
  }
  return true;
}

static bool read_nodes(struct reading *reading)
{
  struct json *json = &reading->json;
  struct objects *objects = reading->objects;
  const struct fields *f = &reading->node;
  uint64_t record[FIELDS_MAX];
  size_t type = field(f, "type"), name = field(f, "name"), id = field(f, "id"),
         bytes = field(f, "self_size"), edges = field(f, "edge_count");
  uint64_t first = 0;
  if (objects->node_count)
    return json_fail(json, "nodes once");
  json_enter(json, '[');
  while (read_record(json, f, record)) {
    if (objects->node_count == reading->nodes)
      return json_fail(json, "no more nodes than the head says");
    if (record[edges] > reading->edges - first)
      return json_fail(json, "no more edges than the head says");
    objects->nodes[objects->node_count++] =
        (struct object){.id = record[id],
                        .bytes = record[bytes],
                        .name = (uint32_t)record[name],
                        .type = (uint32_t)record[type],
                        .edge_count = (uint32_t)record[edges],
                        .first = (uint32_t)first};
    first += record[edges];
  }
  return !json->wrong && (first == reading->edges ||
                          json_fail(json, "as many edges as the head says"));
}

static bool read_edges(struct reading *reading)
{
  struct json *json = &reading->json;
  struct objects *objects = reading->objects;
  const struct fields *f = &reading->edge;
  uint64_t record[FIELDS_MAX];
  size_t type = field(f, "type"), to = field(f, "to_node");
  if (objects->edge_count)
    return json_fail(json, "edges once");
  json_enter(json, '[');
  while (read_record(json, f, record)) {
    uint64_t node = record[to] / reading->node.count;
    if (objects->edge_count == reading->edges)
      return json_fail(json, "no more edges than the head says");
    if (record[to] % reading->node.count || node >= reading->nodes)
      return json_fail(json, "an edge to a node");
    objects->edges[objects->edge_count++] =
        (struct edge){.to = (uint32_t)node, .type = (uint32_t)record[type]};
  }
  return !json->wrong;
}

static bool read_strings(struct reading *reading)
{
  struct json *json = &reading->json;
  struct objects *objects = reading->objects;
  json_enter(json, '[');
  while (json_element(json) && json_string(json)) {
    if (objects->string_count == reading->string_room) {
      size_t room = reading->string_room ? 2 * reading->string_room : 1024;
      char **more = realloc(objects->strings, room * sizeof *more);
      if (!more)
        return json_fail(json, "more memory");
      objects->strings = more;
      reading->string_room = room;
    }
    char *copy = strdup(json->text);
    if (!copy)
      return json_fail(json, "more memory");
    objects->strings[objects->string_count++] = copy;
  }
  return !json->wrong;
}

/* ---- all of it ---- */

static bool is_complete(struct reading *reading)
{
  const struct objects *objects = reading->objects;
  if (!reading->has_head || objects->node_count != reading->nodes ||
      objects->edge_count != reading->edges)
    return json_fail(&reading->json, "all nodes and edges");
  for (size_t i = 0; i < objects->node_count; i++)
    if (objects->nodes[i].name >= objects->string_count)
      return json_fail(&reading->json, "a string for each node");
  return true;
}

static bool read_all(struct reading *reading)
{
  struct json *json = &reading->json;
  json_enter(json, '{');
  while (json_member(json)) {
    bool is_array =
        !strcmp(json->text, "nodes") || !strcmp(json->text, "edges");
    if (!strcmp(json->text, "snapshot"))
      read_head(reading);
    else if (is_array && !reading->has_head)
      json_fail(json, "the head first");
    else if (!strcmp(json->text, "nodes"))
      read_nodes(reading);
    else if (!strcmp(json->text, "edges"))
      read_edges(reading);
    else if (!strcmp(json->text, "strings"))
      read_strings(reading);
    else
      json_skip(json);
  }
  return json_end(json) && is_complete(reading);
}

bool objects_read(const char *path, struct objects *objects, char *message,
                  size_t size)
{
  FILE *file = fopen(path, "r");
  struct reading *reading = calloc(1, sizeof *reading);
  *objects = (struct objects){.synthetic = UINT32_MAX,
                              .native = UINT32_MAX,
                              .shortcut = UINT32_MAX,
                              .weak = UINT32_MAX};
  bool good = file && reading;
  if (!good) {
    snprintf(message, size, "%s: %s", path, strerror(file ? ENOMEM : errno));
  } else {
    reading->objects = objects;
    json_open(&reading->json, file);
    good = read_all(reading);
    if (!good)
      snprintf(message, size, "%s: at byte %llu: expected %s", path,
               (unsigned long long)reading->json.at, reading->json.wrong);
  }
  if (file)
    fclose(file);
  free(reading);
  if (!good)
    objects_free(objects);
  return good;
}

void objects_free(struct objects *objects)
{
  for (size_t i = 0; i < objects->string_count; i++)
    free(objects->strings[i]);
  free(objects->strings);
  free(objects->nodes);
  free(objects->edges);
  *objects = (struct objects){0};
}
