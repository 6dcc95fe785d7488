/* SPDX-License-Identifier: MIT */
/* Test of inspect/graph.c: objects have numbers, what nobody was given is none,
 * ways are shortest, and through the strays all is reached. */
#include "unit.h"

#include "fixture.h"

#include "inspect/graph.h"

#include "dusk/store.h"

enum { OBJECTS = 3000 };

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static struct graph graph;
static struct holders holders;
static dusk_kind pair;

static void setup(void)
{
  heap = fixture_open();
  thread = fixture_attach(heap);
  pair = fixture_layout(heap, 16, 3, 0);
  fixture_begin_marking(heap); /* what is made now is marked */
}

static void teardown(void)
{
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
  fixture_close(heap);
}

static void **make(void *first, void *second)
{
  void **object = fixture_alloc(thread, pair, 16);
  dusk_init(thread, &object[0], first);
  dusk_init(thread, &object[1], second);
  return object;
}

static size_t number(const void *object)
{
  struct thing thing;
  ck_assert(graph_find(&graph, (uintptr_t)object, &thing));
  return graph_number(&graph, &thing);
}

static bool is_stray(const void *object)
{
  struct thing thing;
  ck_assert(graph_find(&graph, (uintptr_t)object, &thing));
  return graph_is_stray(&graph, &thing);
}

/* A root that names it. */
static void reach(void **object)
{
  static struct holder holder = {.kind = HOLDER_ROOT};
  static void *root[1];
  root[0] = object;
  holder.start = (uintptr_t)root;
  holder.end = (uintptr_t)(root + 1);
  holders.table = &holder;
  graph_reach(&graph, &holders, 0);
  graph_drain(&graph);
}

static void count_visit(void *context, const struct thing *thing)
{
  size_t *count = context;
  ck_assert_uint_eq(graph_number(&graph, thing), *count);
  ++*count;
}

START_TEST(objects_are_numbered_and_nothing_else_is)
{
  size_t count = 0;
  fixture_alloc(thread, DUSK_LEAF, 100000);
  for (int i = 1; i < OBJECTS; i++)
    fixture_alloc(thread, i % 2 ? pair : DUSK_LEAF, i % 2 ? 16 : (size_t)i);
  ck_assert(graph_open(&graph, heap, false));
  ck_assert_uint_eq(graph.count, OBJECTS);
  graph_each(&graph, count_visit, &count);
  ck_assert_uint_eq(count, OBJECTS);
}
END_TEST

/* As the copy finds it if its thread was between the two. */
START_TEST(what_is_not_published_is_no_object)
{
  struct arena *arena = &heap->collector.arena;
  void **small = make(NULL, NULL);
  char *large = fixture_alloc(thread, DUSK_LEAF, 100000);
  uint32_t page = arena_page_of(arena, (uintptr_t)large);
  uint64_t info = arena->info[page];
  arena->info[page] = 0;
  ck_assert(graph_open(&graph, heap, false));
  ck_assert_uint_eq(graph.count, 1);
  ck_assert_uint_eq(number(small), 0);
  arena->info[page] = info;
}
END_TEST

START_TEST(what_no_other_names_is_a_stray_and_of_a_ring_one)
{
  void **leaf = make(NULL, NULL);
  void **first = make(leaf, NULL);
  void **alone = make(NULL, NULL);
  dusk_init(thread, &alone[0], alone);
  void **ring = make(NULL, NULL);
  void **other = make(ring, NULL);
  dusk_init(thread, &ring[1], other);
  void **held = make(NULL, NULL);
  void **below = make(NULL, NULL);
  dusk_init(thread, &held[0], below);
  void **above = make(below, NULL); /* a stray that names what is reached */
  ck_assert(graph_open(&graph, heap, false));
  reach(held);
  graph_reach_strays(&graph);
  ck_assert(is_stray(first) && !is_stray(leaf));
  ck_assert(is_stray(alone));
  ck_assert_int_eq(is_stray(ring) + is_stray(other), 1);
  ck_assert(!is_stray(held) && !is_stray(below));
  ck_assert(is_stray(above));
  ck_assert_uint_eq(graph.stray_count, 4);
  ck_assert_uint_eq(graph.tail, graph.count); /* all is reached */
}
END_TEST

START_TEST(a_way_is_a_shortest_one)
{
  void **end = make(NULL, NULL);
  void **shorter = make(end, NULL);
  void **list = end;
  for (int i = 0; i < 10; i++)
    list = make(list, NULL);
  void **top = make(list, shorter);
  ck_assert(graph_open(&graph, heap, true));
  reach(top);
  struct thing thing;
  graph_thing(&graph, graph.parents[number(end)], &thing);
  ck_assert_ptr_eq((void *)thing.start, shorter);
  graph_thing(&graph, graph.parents[number(shorter)], &thing);
  ck_assert_ptr_eq((void *)thing.start, top);
  ck_assert_uint_eq(graph.parents[number(top)], PARENT_HOLDER);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("graph");
  TCase *tests = tcase_create("graph");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, objects_are_numbered_and_nothing_else_is);
  tcase_add_test(tests, what_is_not_published_is_no_object);
  tcase_add_test(tests, what_no_other_names_is_a_stray_and_of_a_ring_one);
  tcase_add_test(tests, a_way_is_a_shortest_one);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
