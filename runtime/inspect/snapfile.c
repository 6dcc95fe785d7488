/* SPDX-License-Identifier: MIT */
/* snapfile.c -- a heap as a .heapsnapshot, which Chrome's developer tools open
 *
 * The format is V8's: one object of JSON; in it the nodes as one array of
 * numbers, the edges as another, in the order of the nodes that they leave, and
 * the strings that both name.  Edges name nodes by their place in the array.
 *
 *   root - (GC roots) - (threads) ------- thread 1 - frame - object ...
 *      \              - (roots) --------- root ----------- object ...
 *       \             - (data segments) - data ----------- object ...
 *        \            - (not reached) -------------------- object ...
 *         `- thread 1, root, data: the tools measure distances from what hangs
 *            from the root itself
 *
 * The heap is walked three times: to see what is reached and count edges, to
 * write nodes with the count of each one's edges, and to write edges.  It
 * stands still, so they agree.
 *
 * NAMES of functions and variables would take the dynamic linker's lock, which
 * somebody may hold for ever here.  The strings are the last array: the child
 * ends in the middle of it, and who asked adds those (snapfile_end()).
 *
 * IDS are granule numbers, so that an object has the same in all snapshots of a
 * heap.  No object is on page 0: the roots have the small ones.  The tools keep
 * 32 bits of an id: enough for 64 GiB, which they could not open.
 *
 * Tested by tests/api/snapshot.c and tests/lab/heap.sh. */
#include "inspect/snapfile.h"

#include "base/check.h"
#include "inspect/thing.h"
#include "os/maps.h"
#include "os/unwind.h"

#include <errno.h>
#include <stdio.h>

enum { WORD = sizeof(uintptr_t), NODE_FIELDS = 7 };
enum { SLOT_NAMES = 512 };

/* Nodes that are always there. */
enum {
  NODE_ROOT,
  NODE_GC_ROOTS,
  NODE_THREADS,
  NODE_ROOTS,
  NODE_DATA,
  NODE_STRAYS,
  NODE_HOLDERS /* then these, and the objects */
};

/* Places in node_types and edge_types of the head. */
enum { TYPE_OBJECT = 3, TYPE_NATIVE = 8, TYPE_SYNTHETIC = 9 };
enum { EDGE_ELEMENT = 1, EDGE_PROPERTY = 2, EDGE_SHORTCUT = 5 };

/* Strings: these, then kinds, slots, threads, and those that come later. */
static const char *const fixed_names[] = {"",
                                          "(GC roots)",
                                          "(threads)",
                                          "(roots)",
                                          "(data segments)",
                                          "(not reached)",
                                          "registers",
                                          "frame",
                                          "root",
                                          "data segment"};
enum { NAME_STRAYS = 5, NAME_REGISTERS, NAME_FRAME, NAME_ROOT, NAME_DATA };
enum { FIXED_NAMES = sizeof fixed_names / sizeof *fixed_names };

struct snapfile {
  struct graph graph;
  const struct holders *holders;
  struct answer *answer;
  struct output *out;
  size_t kinds;
  size_t named_threads; /* so far */
  size_t edges;
  size_t counted;              /* edges of the node that is being counted */
  bool first;                  /* of its array */
  const struct holder *holder; /* whose edges are being written */
};

/* ---- strings ---- */

static size_t slot_name(const struct snapfile *file, size_t offset)
{
  return FIXED_NAMES + file->kinds + offset / WORD;
}

static size_t thread_name(const struct snapfile *file, size_t index)
{
  return FIXED_NAMES + file->kinds + SLOT_NAMES + index;
}

/* `otherwise`: there is no more room.  Of frames the same one comes often. */
static size_t later_name(struct snapfile *file, unsigned what,
                         uintptr_t address, size_t otherwise)
{
  struct answer *answer = file->answer;
  size_t first = thread_name(file, file->holders->of_kind[HOLDER_THREAD]);
  size_t i = what == LATER_FRAME ? 0 : answer->later_count;
  while (i < answer->later_count && (answer->later[i].what != LATER_FRAME ||
                                     answer->later[i].address != address))
    i++;
  if (i == LATER_MAX)
    return otherwise;
  if (i == answer->later_count)
    answer->later[answer->later_count++] =
        (struct later){.what = what, .address = address};
  return first + i;
}

static size_t holder_name(struct snapfile *file, const struct holder *holder)
{
  switch (holder->kind) {
  case HOLDER_THREAD:
    return thread_name(file, file->named_threads++);
  case HOLDER_FRAME:
    if (holder->pc == PC_REGISTERS)
      return NAME_REGISTERS;
    if (holder->pc == PC_UNKNOWN)
      return NAME_FRAME;
    return later_name(file, LATER_FRAME, holder->pc, NAME_FRAME);
  case HOLDER_ROOT:
    return later_name(file, LATER_ROOT, holder->start, NAME_ROOT);
  case HOLDER_DATA:
    return later_name(file, LATER_DATA, holder->start, NAME_DATA);
  }
  return 0;
}

static void write_string(struct snapfile *file, const char *text)
{
  output_text(file->out, file->first ? "" : ",\n");
  file->first = false;
  output_json(file->out, text);
}

static void write_kinds(struct snapfile *file)
{
  const struct kinds *kinds = &file->graph.arena->kinds;
  char text[32];
  for (uint32_t k = 0; k < file->kinds; k++) {
    const char *name = kind_find(kinds, k)->name;
    snprintf(text, sizeof text, "kind %u", k);
    write_string(file, name && *name ? name : text);
  }
}

static void write_strings(struct snapfile *file)
{
  char text[32];
  output_text(file->out, "],\n\"strings\":[");
  file->first = true;
  for (size_t i = 0; i < FIXED_NAMES; i++)
    write_string(file, fixed_names[i]);
  write_kinds(file);
  for (size_t i = 0; i < SLOT_NAMES; i++) {
    snprintf(text, sizeof text, "+%zu", i * WORD);
    write_string(file, text);
  }
  for (size_t i = 0; i < file->holders->count; i++) {
    const struct holder *holder = &file->holders->table[i];
    if (holder->kind != HOLDER_THREAD)
      continue;
    snprintf(text, sizeof text, "thread %llu",
             (unsigned long long)holder->thread);
    write_string(file, text);
  }
}

static void print_later(const struct later *later, char *text, size_t size)
{
  static const char *const before[] = {
      [LATER_FRAME] = "",
      [LATER_ROOT] = "root ",
      [LATER_DATA] = "data segment ",
      [LATER_VARIABLE] = "",
  };
  char name[256];
  if (later->what == LATER_FRAME)
    unwind_name(later->address, name, sizeof name);
  else if (!maps_variable(later->address, name, sizeof name))
    snprintf(name, sizeof name, "0x%zx", (size_t)later->address);
  snprintf(text, size, "%s%s", before[later->what], name);
}

int snapfile_end(struct snapshot_request *request)
{
  struct answer *answer = request->answer;
  char text[512];
  output_open(&answer->output, request->fd);
  for (size_t i = 0; i < answer->later_count; i++) {
    print_later(&answer->later[i], text, sizeof text);
    output_text(&answer->output, ",\n");
    output_json(&answer->output, text);
  }
  output_text(&answer->output, "]}\n");
  return output_close(&answer->output) ? 0 : EIO;
}

/* ---- edges ---- */

static size_t object_node(const struct snapfile *file,
                          const struct thing *thing)
{
  return NODE_HOLDERS + file->holders->count +
         graph_number(&file->graph, thing);
}

static void write_edge(struct snapfile *file, unsigned type, size_t name,
                       size_t node)
{
  output_text(file->out, file->first ? "" : ",\n");
  file->first = false;
  output_number(file->out, type);
  output_text(file->out, ",");
  output_number(file->out, name);
  output_text(file->out, ",");
  output_number(file->out, node * NODE_FIELDS);
}

/* An object of a kind with a fixed size has fields, any other has elements. */
static void write_slot(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  struct snapfile *file = context;
  struct thing thing;
  size_t offset = slot - holder->start;
  (void)precise;
  if (!graph_find(&file->graph, thing_word(slot), &thing))
    return;
  if (holder->kind->size && offset < SLOT_NAMES * WORD)
    write_edge(file, EDGE_PROPERTY, slot_name(file, offset),
               object_node(file, &thing));
  else
    write_edge(file, EDGE_ELEMENT, offset / WORD, object_node(file, &thing));
}

static void write_slots(void *context, const struct thing *thing)
{
  thing_slots(thing, write_slot, context);
}

static void write_held(void *context, uintptr_t address, uintptr_t word)
{
  struct snapfile *file = context;
  const struct holder *holder = file->holder;
  struct thing thing;
  if (!graph_find(&file->graph, word, &thing))
    return;
  size_t name = 0;
  if (holder->kind == HOLDER_DATA)
    name = later_name(file, LATER_VARIABLE, address, 0);
  if (name)
    write_edge(file, EDGE_PROPERTY, name, object_node(file, &thing));
  else
    write_edge(file, EDGE_ELEMENT,
               holder->kind == HOLDER_FRAME ? file->counted++
                                            : (address - holder->start) / WORD,
               object_node(file, &thing));
}

static void write_stray(void *context, const struct thing *thing)
{
  struct snapfile *file = context;
  if (graph_is_stray(&file->graph, thing))
    write_edge(file, EDGE_ELEMENT, file->counted++, object_node(file, thing));
}

/* To all holders of a kind, or to all that have a group. */
static void write_group(struct snapfile *file, unsigned type,
                        enum holder_kind from, enum holder_kind to)
{
  size_t number = 1;
  for (size_t i = 0; i < file->holders->count; i++) {
    enum holder_kind kind = file->holders->table[i].kind;
    if (kind >= from && kind <= to && kind != HOLDER_FRAME)
      write_edge(file, type, type == EDGE_SHORTCUT ? 0 : number++,
                 NODE_HOLDERS + i);
  }
}

static void write_holder(struct snapfile *file, const struct holder *holder)
{
  file->holder = holder;
  file->counted = 0;
  if (holder->kind == HOLDER_THREAD)
    for (size_t i = 0; i < holder->count; i++)
      write_edge(file, EDGE_ELEMENT, i, NODE_HOLDERS + holder->first + i);
  else
    holder_words(file->holders, holder, write_held, file);
}

static void write_edges(struct snapfile *file)
{
  output_text(file->out, "],\n\"edges\":[");
  file->first = true;
  write_edge(file, EDGE_ELEMENT, 1, NODE_GC_ROOTS);
  write_group(file, EDGE_SHORTCUT, HOLDER_THREAD, HOLDER_DATA);
  for (size_t node = NODE_THREADS; node <= NODE_STRAYS; node++)
    write_edge(file, EDGE_ELEMENT, node, node);
  write_group(file, EDGE_ELEMENT, HOLDER_THREAD, HOLDER_THREAD);
  write_group(file, EDGE_ELEMENT, HOLDER_ROOT, HOLDER_ROOT);
  write_group(file, EDGE_ELEMENT, HOLDER_DATA, HOLDER_DATA);
  file->counted = 0;
  graph_each(&file->graph, write_stray, file);
  for (size_t i = 0; i < file->holders->count; i++)
    write_holder(file, &file->holders->table[i]);
  graph_each(&file->graph, write_slots, file);
}

/* ---- nodes ---- */

static void write_node(struct snapfile *file, unsigned type, size_t name,
                       uint64_t id, size_t bytes, size_t edges)
{
  uint64_t fields[NODE_FIELDS] = {type, name, id, bytes, edges, 0, 0};
  for (unsigned i = 0; i < NODE_FIELDS; i++) {
    output_text(file->out, i ? "," : file->first ? "" : ",\n");
    output_number(file->out, fields[i]);
  }
  file->first = false;
}

static void count_slot(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  struct snapfile *file = context;
  struct thing thing;
  (void)holder;
  (void)precise;
  file->counted += graph_find(&file->graph, thing_word(slot), &thing);
}

static size_t count_slots(struct snapfile *file, const struct thing *thing)
{
  file->counted = 0;
  thing_slots(thing, count_slot, file);
  return file->counted;
}

static void count_held(void *context, uintptr_t address, uintptr_t word)
{
  struct snapfile *file = context;
  struct thing thing;
  (void)address;
  file->counted += graph_find(&file->graph, word, &thing);
}

static size_t count_holder(struct snapfile *file, const struct holder *holder)
{
  file->counted = 0;
  if (holder->kind == HOLDER_THREAD)
    return holder->count;
  holder_words(file->holders, holder, count_held, file);
  return file->counted;
}

static void write_object(void *context, const struct thing *thing)
{
  struct snapfile *file = context;
  write_node(file, TYPE_OBJECT, FIXED_NAMES + thing->span->kind, thing->granule,
             thing->bytes, count_slots(file, thing));
}

/* Their ids count down from the largest. */
static void write_nodes(struct snapfile *file)
{
  const struct holders *holders = file->holders;
  const size_t *of = holders->of_kind;
  size_t tops = of[HOLDER_THREAD] + of[HOLDER_ROOT] + of[HOLDER_DATA];
  const size_t edges[] = {
      [NODE_ROOT] = 1 + tops,
      [NODE_GC_ROOTS] = 4,
      [NODE_THREADS] = of[HOLDER_THREAD],
      [NODE_ROOTS] = of[HOLDER_ROOT],
      [NODE_DATA] = of[HOLDER_DATA],
      [NODE_STRAYS] = file->graph.stray_count,
  };
  output_text(file->out, "},\n\"nodes\":[");
  file->first = true;
  for (size_t i = 0; i < NODE_HOLDERS; i++)
    write_node(file, TYPE_SYNTHETIC, i, i + 1, 0, edges[i]);
  for (size_t i = 0; i < holders->count; i++) {
    const struct holder *holder = &holders->table[i];
    write_node(file, TYPE_NATIVE, holder_name(file, holder), UINT32_MAX - i, 0,
               count_holder(file, holder));
  }
  graph_each(&file->graph, write_object, file);
}

/* ---- all of it ---- */

static const char head[] =
    "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\","
    "\"self_size\",\"edge_count\",\"trace_node_id\",\"detachedness\"],\n"
    "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\","
    "\"closure\",\"regexp\",\"number\",\"native\",\"synthetic\","
    "\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\","
    "\"object shape\"],\"string\",\"number\",\"number\",\"number\","
    "\"number\",\"number\"],\n"
    "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],\n"
    "\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\","
    "\"hidden\",\"shortcut\",\"weak\"],\"string_or_number\",\"node\"],\n"
    "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\","
    "\"script_id\",\"line\",\"column\"],\n"
    "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\","
    "\"children\"],\n"
    "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],\n"
    "\"location_fields\":[\"object_index\",\"script_id\",\"line\","
    "\"column\"]},\n";

static const char sections[] =
    "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n"
    "\"locations\":[";

static void add_edges(void *context, const struct thing *thing)
{
  struct snapfile *file = context;
  file->edges += count_slots(file, thing);
}

static void count_edges(struct snapfile *file)
{
  const struct holders *holders = file->holders;
  size_t tops = holders->count - holders->of_kind[HOLDER_FRAME];
  file->edges = 1 + tops + 4 + tops + file->graph.stray_count;
  for (size_t i = 0; i < holders->count; i++)
    file->edges += count_holder(file, &holders->table[i]);
  graph_each(&file->graph, add_edges, file);
}

static void write_head(struct snapfile *file)
{
  output_text(file->out, head);
  output_text(file->out, "\"node_count\":");
  output_number(file->out,
                NODE_HOLDERS + file->holders->count + file->graph.count);
  output_text(file->out, ",\"edge_count\":");
  output_number(file->out, file->edges);
  output_text(file->out, ",\"trace_function_count\":0");
}

int snapfile_write(const struct dusk_heap *heap, const struct holders *holders,
                   struct snapshot_request *request)
{
  struct snapfile file = {
      .holders = holders,
      .answer = request->answer,
      .out = &request->answer->output,
      .kinds = kinds_count(&heap->collector.arena.kinds),
  };
  if (!graph_open(&file.graph, heap, false))
    return ENOMEM;
  for (size_t i = 0; i < holders->count; i++)
    graph_reach(&file.graph, holders, i);
  graph_drain(&file.graph);
  graph_reach_strays(&file.graph);
  count_edges(&file);
  output_open(file.out, request->fd);
  file.out->waits = true;
  write_head(&file);
  write_nodes(&file);
  write_edges(&file);
  output_text(file.out, sections);
  write_strings(&file);
  return output_close(file.out) ? 0 : EIO;
}
