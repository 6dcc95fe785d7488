/* SPDX-License-Identifier: MIT */
/* graph.c -- all objects of a heap and what names them, for who reads a copy of
 * it
 *
 * WHAT IS AN OBJECT.  Threads allocate black, so each slot of a run is marked,
 * also what nobody has been given yet; those are taken out first, in the marks
 * themselves: they are the child's own copy.  So is a large object that its
 * thread had marked and not yet published.  A thread that was about to take a
 * run at that moment leaves its slots in, as zeroed objects that nobody names.
 *
 * STRAYS.  What is marked and is not reached was allocated or let go while the
 * cycle ran; or a thread has loaded it since it noted what it holds, and had it
 * removed from where it was.
 *
 * Tested by tests/unit/graph.c and tests/api/snapshot.c. */
#include "inspect/graph.h"

#include "base/bits.h"
#include "base/check.h"
#include "mutator/cache.h"
#include "os/child.h"
#include "os/vm.h"

/* A trace function that waits for a lock whose owner is not here would keep the
 * caller waiting as well. */
enum { PATIENCE_S = 60, OBJECTS_LOG2 = 16 };

static void *room(size_t bytes)
{
  return vm_map(align_up(bytes + 1, vm_page_size()));
}

static bool bit(const uint64_t *bits, size_t granule)
{
  return bits[granule / 64] >> granule % 64 & 1;
}

static void set_bit(uint64_t *bits, size_t granule)
{
  bits[granule / 64] |= UINT64_C(1) << granule % 64;
}

/* ---- what there is ---- */

static void drop_run(const struct graph *graph, const struct dusk_run *run,
                     unsigned size_class)
{
  size_t bytes = dusk_class_size(size_class);
  if (run->cursor < run->limit)
    marks_drop(graph->roles.marks, arena_granule(graph->arena, run->cursor),
               bytes >> GRANULE_LOG2, (run->limit - run->cursor) / bytes);
}

static void drop_runs(const struct graph *graph)
{
  const struct kinds *kinds = &graph->arena->kinds;
  const struct registry *registry = &graph->heap->collector.registry;
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    for (uint32_t k = 0; k < kinds_count(kinds); k++)
      for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++)
        if (kind_has_class(kind_find(kinds, k), c))
          drop_run(graph, cache_run(t, k, c), c);
}

static size_t count_objects(const struct graph *graph)
{
  size_t count = 0;
  for (uint32_t page = 0; page < graph->pages; page++) {
    graph->ranks[page] = count;
    if (!LOAD_ACQUIRE(&graph->arena->info[page])) /* with span_publish() */
      bits_clear(graph->roles.marks, page, 1);
    count += bits_count(graph->roles.marks, page, 1);
  }
  return count;
}

bool graph_open(struct graph *graph, const struct dusk_heap *heap, bool paths)
{
  const struct arena *arena = &heap->collector.arena;
  size_t granules = (size_t)arena->end * PAGE_GRANULES;
  *graph = (struct graph){
      .heap = heap,
      .arena = arena,
      .roles = arena_roles(arena, heap->collector.epoch),
      .pages = arena->end,
      .ranks = room(arena->end * sizeof *graph->ranks),
      .reached = room(granules / 8),
      .strays = room(granules / 8),
  };
  if (!graph->ranks || !graph->reached || !graph->strays)
    return false;
  drop_runs(graph);
  graph->count = count_objects(graph);
  graph->queue = room(graph->count * sizeof *graph->queue);
  if (paths)
    graph->parents = room(graph->count * sizeof *graph->parents);
  return graph->queue && (graph->parents || !paths);
}

bool graph_find(const struct graph *graph, uintptr_t word, struct thing *thing)
{
  return thing_find(graph->arena, word, thing) &&
         bit(graph->roles.marks, thing->granule);
}

size_t graph_number(const struct graph *graph, const struct thing *thing)
{
  size_t page = thing->granule / PAGE_GRANULES;
  const uint64_t *word = &graph->roles.marks[page * PAGE_MARK_WORDS];
  const uint64_t *last = &graph->roles.marks[thing->granule / 64];
  size_t number = graph->ranks[page];
  while (word < last)
    number += (size_t)__builtin_popcountll(*word++);
  uint64_t below = (UINT64_C(1) << thing->granule % 64) - 1;
  return number + (size_t)__builtin_popcountll(*word & below);
}

void graph_thing(const struct graph *graph, size_t granule, struct thing *thing)
{
  uintptr_t start = graph->arena->base + (granule << GRANULE_LOG2);
  if (!thing_find(graph->arena, start, thing))
    PANIC("there is no object at 0x%zx", (size_t)start);
}

bool graph_is_reached(const struct graph *graph, const struct thing *thing)
{
  return bit(graph->reached, thing->granule);
}

bool graph_is_stray(const struct graph *graph, const struct thing *thing)
{
  return bit(graph->strays, thing->granule);
}

void graph_each(const struct graph *graph,
                void (*visit)(void *context, const struct thing *thing),
                void *context)
{
  const uint64_t *marks = graph->roles.marks;
  size_t end = (size_t)graph->pages * PAGE_GRANULES;
  size_t visited = 0;
  for (size_t at = 0; (at = bits_find(marks, at, end)) < end; at++) {
    struct thing thing;
    if (visited++ % (1 << OBJECTS_LOG2) == 0)
      child_expect(PATIENCE_S);
    graph_thing(graph, at, &thing);
    visit(context, &thing);
  }
}

/* ---- what can be reached ---- */

static void reach(struct graph *graph, const struct thing *thing)
{
  if (graph_is_reached(graph, thing))
    return;
  set_bit(graph->reached, thing->granule);
  if (graph->parents)
    graph->parents[graph_number(graph, thing)] = graph->parent;
  graph->queue[graph->tail++] = thing->granule;
}

static void visit_slot(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  struct graph *graph = context;
  struct thing thing;
  (void)holder;
  (void)precise;
  if (graph_find(graph, thing_word(slot), &thing))
    reach(graph, &thing);
}

void graph_drain(struct graph *graph)
{
  struct thing thing;
  while (graph->head < graph->tail) {
    if (graph->head % (1 << OBJECTS_LOG2) == 0)
      child_expect(PATIENCE_S);
    graph->parent = graph->queue[graph->head++];
    graph_thing(graph, graph->parent, &thing);
    thing_slots(&thing, visit_slot, graph);
  }
}

static void visit_held(void *context, uintptr_t address, uintptr_t word)
{
  struct graph *graph = context;
  struct thing thing;
  (void)address;
  if (graph_find(graph, word, &thing))
    reach(graph, &thing);
}

void graph_reach(struct graph *graph, const struct holders *holders,
                 size_t index)
{
  graph->parent = PARENT_HOLDER | index;
  holder_words(holders, &holders->table[index], visit_held, graph);
}

/* ---- strays ---- */

/* In `strays`, for the time being: somebody else names it. */
static void note_named(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  struct graph *graph = context;
  struct thing thing;
  (void)precise;
  if (graph_find(graph, thing_word(slot), &thing) &&
      thing.granule != holder->granule && !graph_is_reached(graph, &thing))
    set_bit(graph->strays, thing.granule);
}

static void note_names(void *context, const struct thing *thing)
{
  struct graph *graph = context;
  if (!graph_is_reached(graph, thing))
    thing_slots(thing, note_named, graph);
}

static void flip(struct graph *graph, const struct thing *thing)
{
  graph->strays[thing->granule / 64] ^= UINT64_C(1) << thing->granule % 64;
}

static void take(struct graph *graph, const struct thing *thing)
{
  flip(graph, thing);
  graph->stray_count++;
  graph->parent = PARENT_NONE;
  reach(graph, thing);
}

/* Who is named is none, and who is not is one; of the reached none was noted.
 */
static void take_unnamed(void *context, const struct thing *thing)
{
  struct graph *graph = context;
  if (graph_is_stray(graph, thing)) {
    flip(graph, thing);
  } else if (!graph_is_reached(graph, thing)) {
    take(graph, thing);
  }
}

static void take_rest(void *context, const struct thing *thing)
{
  struct graph *graph = context;
  if (graph_is_reached(graph, thing))
    return;
  take(graph, thing);
  graph_drain(graph);
}

void graph_reach_strays(struct graph *graph)
{
  graph_each(graph, note_names, graph);
  graph_each(graph, take_unnamed, graph);
  graph_drain(graph);
  graph_each(graph, take_rest, graph);
}
