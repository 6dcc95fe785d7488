/* SPDX-License-Identifier: MIT */
/* why.c -- a way from a root to an object
 *
 * A shortest one.  Roots are tried before stacks, and the stack of the thread
 * that asks comes last: the pointer that it asks about stands there in any
 * case.
 *
 * Tested by tests/api/snapshot.c. */
#include "inspect/why.h"

#include "os/maps.h"
#include "os/symbol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { STEPS_SHOWN = 12, WORD = sizeof(uintptr_t) };

struct way {
  struct graph graph;
  const struct holders *holders;
  struct why *why;
  struct thing target; /* of the step that is looked at */
  uintptr_t slot;      /* of its parent that names it; 0: not found yet */
  size_t used;         /* of the text */
};

/* ---- the child ---- */

static bool is_asker(const struct snapshot_request *request,
                     const struct holder *holder)
{
  return holder->kind == HOLDER_FRAME && holder->thread == request->asker;
}

static void reach_all(struct way *way, const struct snapshot_request *request)
{
  const struct holders *holders = way->holders;
  for (size_t i = holders->count; i-- > 0;)
    if (!is_asker(request, &holders->table[i]))
      graph_reach(&way->graph, holders, i);
  graph_drain(&way->graph);
  for (size_t i = 0; i < holders->count; i++)
    if (is_asker(request, &holders->table[i]))
      graph_reach(&way->graph, holders, i);
  graph_drain(&way->graph);
}

static void compare(struct way *way, uintptr_t slot, uintptr_t word)
{
  struct thing thing;
  if (!way->slot && graph_find(&way->graph, word, &thing) &&
      thing.start == way->target.start)
    way->slot = slot;
}

static void compare_held(void *context, uintptr_t address, uintptr_t word)
{
  compare(context, address, word);
}

static void compare_slot(void *context, const struct thing *holder,
                         uintptr_t slot, bool precise)
{
  (void)holder;
  (void)precise;
  compare(context, slot, thing_word(slot));
}

static size_t parent_of(const struct way *way, const struct thing *thing)
{
  return way->graph.parents[graph_number(&way->graph, thing)];
}

static void put_thing(struct way *way, const struct thing *thing,
                      uintptr_t slot)
{
  char text[256], where[32] = "";
  size_t room = WHY_TEXT_BYTES - way->used;
  thing_print(thing, text, sizeof text);
  if (slot)
    snprintf(where, sizeof where, ", slot +%zu", (size_t)(slot - thing->start));
  int wrote = snprintf(way->why->text + way->used, room, "  -> object %s%s\n",
                       text, where);
  if (wrote > 0 && (size_t)wrote < room)
    way->used += (size_t)wrote;
}

static void put_gap(struct way *way, size_t left_out)
{
  size_t room = WHY_TEXT_BYTES - way->used;
  int wrote = snprintf(way->why->text + way->used, room,
                       "  -> %zu more objects\n", left_out);
  if (wrote > 0 && (size_t)wrote < room)
    way->used += (size_t)wrote;
}

/* The object `up` steps before this one on its way. */
static struct thing ancestor(const struct way *way, struct thing thing,
                             size_t up)
{
  while (up-- > 0)
    graph_thing(&way->graph, parent_of(way, &thing), &thing);
  return thing;
}

static size_t depth_of(const struct way *way, struct thing thing)
{
  size_t depth = 0;
  size_t parent;
  while (!((parent = parent_of(way, &thing)) & PARENT_HOLDER)) {
    graph_thing(&way->graph, parent, &thing);
    depth++;
  }
  return depth;
}

static void put_root(struct way *way, const struct thing *first)
{
  size_t index = parent_of(way, first) & ~PARENT_HOLDER;
  const struct holder *holder = &way->holders->table[index];
  way->target = *first;
  way->slot = 0;
  holder_words(way->holders, holder, compare_held, way);
  way->why->holder = *holder;
  way->why->address = way->slot;
}

/* Of a long way both ends are shown.  Each step is found anew from the end,
 * which is a short way, or is done a few times. */
static void put_way(struct way *way, const struct thing *object)
{
  size_t depth = depth_of(way, *object);
  struct thing thing = ancestor(way, *object, depth);
  put_root(way, &thing);
  for (size_t up = depth; up > 0; up--) {
    if (up == depth - STEPS_SHOWN && up > STEPS_SHOWN) {
      put_gap(way, up - STEPS_SHOWN);
      up = STEPS_SHOWN;
    }
    thing = ancestor(way, *object, up);
    way->target = ancestor(way, *object, up - 1);
    way->slot = 0;
    thing_slots(&thing, compare_slot, way);
    put_thing(way, &thing, way->slot);
  }
  put_thing(way, object, 0);
}

int why_find(const struct dusk_heap *heap, const struct holders *holders,
             struct snapshot_request *request)
{
  struct way way = {.holders = holders, .why = &request->answer->why};
  struct thing thing;
  if (!graph_open(&way.graph, heap, true))
    return ENOMEM;
  if (!arena_holds(way.graph.arena, request->pointer)) {
    way.why->found = WHY_OUTSIDE;
  } else if (!graph_find(&way.graph, request->pointer, &thing)) {
    way.why->found = WHY_DEAD;
  } else {
    reach_all(&way, request);
    bool reached = graph_is_reached(&way.graph, &thing);
    way.why->found = reached ? WHY_REACHED : WHY_STRAY;
    if (reached)
      put_way(&way, &thing);
    else
      put_thing(&way, &thing, 0);
  }
  return 0;
}

/* ---- who asked ---- */

static void print_frame(const struct why *why, char *text, size_t size)
{
  char name[512];
  unsigned long long thread = (unsigned long long)why->holder.thread;
  if (why->holder.pc == PC_REGISTERS) {
    snprintf(text, size, "a register of thread %llu", thread);
    return;
  }
  snprintf(name, sizeof name, "a frame that is not known");
  if (why->holder.pc != PC_UNKNOWN)
    symbol_print(why->holder.pc, name, sizeof name);
  snprintf(text, size, "the stack of thread %llu, word at 0x%zx, in %s", thread,
           (size_t)why->address, name);
}

static void print_range(const struct why *why, char *text, size_t size)
{
  char name[256] = "";
  const struct holder *holder = &why->holder;
  bool named = maps_variable(why->address, name, sizeof name);
  snprintf(text, size, "%s 0x%zx+%zu%s%s%s",
           holder->kind == HOLDER_ROOT ? "the root" : "the data segment",
           (size_t)holder->start, (size_t)(why->address - holder->start),
           named ? " (" : "", name, named ? ")" : "");
}

int why_print(struct snapshot_request *request)
{
  const struct why *why = &request->answer->why;
  struct output *out = &request->answer->output;
  char text[1024], line[1200];
  output_open(out, request->fd);
  snprintf(line, sizeof line, "0x%zx is ", (size_t)request->pointer);
  output_text(out, line);
  switch (why->found) {
  case WHY_OUTSIDE:
    output_text(out, "no address in the heap\n");
    break;
  case WHY_DEAD:
    output_text(out, "in no object that is alive\n");
    break;
  case WHY_STRAY:
    output_text(out, "alive, and not reached: it was allocated or let go while "
                     "the cycle ran\n");
    break;
  case WHY_REACHED:
    if (why->holder.kind == HOLDER_FRAME)
      print_frame(why, text, sizeof text);
    else
      print_range(why, text, sizeof text);
    snprintf(line, sizeof line, "alive, reached from %s\n", text);
    output_text(out, line);
    break;
  }
  output_text(out, why->text);
  return output_close(out) ? 0 : EIO;
}
