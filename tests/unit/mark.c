/* SPDX-License-Identifier: MIT */
/* Test of collect/mark.c: what can be reached is marked and nothing else, by
 * one marker or many, in small portions and in pieces.  What happens when
 * packets run out: overflow.c. */
#include "marker.h"

#include "dusk/store.h"

#include <string.h>

/* ---- graphs ---- */

enum { NODES = 4000, SLOTS = 4 };

static void **nodes[NODES];
static bool reachable[NODES];
static dusk_kind kinds[3];

static void trace_slots(void *object, size_t bytes, dusk_tracer *with,
                        void *context)
{
  (void)context;
  for (size_t i = 0; i < bytes / sizeof(void *); i++)
    dusk_trace(with, (void **)object + i);
}

static void define_kinds(void)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = trace_slots;
  ck_assert_int_eq(arena_define_kind(&collector->arena, &spec, &kinds[0]), 0);
  kinds[1] = fixture_layout(heap, SLOTS * sizeof(void *), 15, 0);
  kinds[2] = fixture_layout(heap, 0, 1, 1);
}

/* Node i's neighbours are random, but that none of the first half leads to the
 * second. */
static void make_graph(void)
{
  define_kinds();
  for (unsigned i = 0; i < NODES; i++) {
    dusk_kind kind = i % 4 < 3 ? kinds[i % 4] : DUSK_CONSERVATIVE;
    nodes[i] = fixture_alloc(mutator, kind, SLOTS * sizeof(void *));
  }
  for (unsigned i = 0; i < NODES; i++)
    for (unsigned slot = 0; slot < SLOTS; slot++) {
      unsigned to = fixture_random(i < NODES / 2 ? NODES / 2 : NODES);
      if (fixture_random(4) > 0)
        dusk_store(mutator, &nodes[i][slot], nodes[to]);
    }
}

static void reach(unsigned first)
{
  static unsigned stack[NODES * SLOTS + 1];
  unsigned depth = 0;
  stack[depth++] = first;
  while (depth) {
    unsigned at = stack[--depth];
    if (reachable[at])
      continue;
    reachable[at] = true;
    for (unsigned slot = 0; slot < SLOTS; slot++)
      for (unsigned i = 0; nodes[at][slot] && i < NODES; i++)
        if (nodes[i] == nodes[at][slot]) {
          stack[depth++] = i;
          break;
        }
  }
}

static void check_graph(void)
{
  unsigned marked = 0;
  for (unsigned i = 0; i < NODES; i++) {
    ck_assert_msg(fixture_is_marked(heap, nodes[i]) == reachable[i],
                  "node %u, kind %u", i, i % 4);
    marked += reachable[i];
  }
  ck_assert_uint_gt(marked, NODES / 4);
  ck_assert(grey_is_empty(&collector->grey));
  ck_assert_uint_eq(collector->grey.busy, 0);
}

static void begin_graph(void)
{
  make_graph();
  reach(0);
  fixture_begin_marking(heap);
}

START_TEST(exactly_what_can_be_reached_is_marked)
{
  begin_graph();
  enter();
  push(nodes[0]);
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  mark_leave(&tracer);
  check_graph();
}
END_TEST

START_TEST(in_the_smallest_portions)
{
  begin_graph();
  enter();
  push(nodes[0]);
  while (mark_drain(&tracer, 1)) {
    if (fixture_random(8) == 0)
      mark_share(&tracer);
    if (fixture_random(8) == 0) {
      mark_leave(&tracer);
      enter();
    }
  }
  mark_leave(&tracer);
  check_graph();
}
END_TEST

static void mark_a_share(unsigned index)
{
  struct dusk_tracer mine;
  (void)index;
  for (int i = 0; i < 2000; i++) {
    if (!mark_enter(&mine, collector))
      continue;
    for (int portion = 0; portion < 3; portion++)
      if (mark_drain(&mine, 500))
        mark_share(&mine);
    mark_leave(&mine);
  }
}

START_TEST(by_many_at_once)
{
  begin_graph();
  fixture_hand_over(heap, (const void *const[]){nodes[0]}, 1);
  fixture_threads(4, mark_a_share);
  fixture_mark(heap);
  check_graph();
}
END_TEST

/* ---- who comes in, and what is left behind ---- */

START_TEST(nobody_marks_while_the_door_is_shut)
{
  ck_assert(!mark_enter(&tracer, collector));
  fixture_begin_marking(heap);
  ck_assert(grey_shut(&collector->grey));
  ck_assert(!mark_enter(&tracer, collector));
  ck_assert_uint_eq(collector->grey.busy, 0);
}
END_TEST

START_TEST(an_object_is_buffered_once)
{
  void *object = fixture_alloc(mutator, DUSK_CONSERVATIVE, 32);
  fixture_begin_marking(heap);
  enter();
  for (int i = 0; i < 3; i++)
    push(object);
  push(NULL);
  push(&tracer);
  ck_assert_uint_eq(tracer.packet->count, 1);
  mark_leave(&tracer);
  fixture_mark(heap);
}
END_TEST

START_TEST(who_leaves_hands_over_what_it_holds)
{
  void **list[FIFO_SLOTS + 20];
  unsigned count = sizeof list / sizeof *list;
  for (unsigned i = 0; i < count; i++)
    list[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 32);
  fixture_begin_marking(heap);
  enter();
  for (unsigned i = 0; i < count; i++)
    push(list[i]);
  ck_assert(mark_drain(&tracer, 32));
  ck_assert_uint_gt(tracer.fifo_count, 0);
  ck_assert_uint_gt(tracer.packet->count, 0);
  grey_begin_round(&collector->grey);
  mark_leave(&tracer);
  ck_assert_uint_eq(collector->grey.dirty, 1);
  struct packet *packet = grey_pop(&collector->grey, &collector->grey.objects);
  ck_assert_ptr_nonnull(packet);
  ck_assert_uint_eq(packet->count, count - 1);
  grey_recycle(&collector->grey, packet);
}
END_TEST

START_TEST(who_shares_hands_over_what_it_holds_and_goes_on)
{
  void *object = fixture_alloc(mutator, DUSK_CONSERVATIVE, 32);
  fixture_begin_marking(heap);
  enter();
  collector->grey.hungry = 1;
  mark_share(&tracer); /* nothing */
  ck_assert(grey_is_empty(&collector->grey));
  ck_assert_uint_eq(collector->grey.hungry, 0);
  push(object);
  mark_share(&tracer);
  ck_assert(!grey_is_empty(&collector->grey));
  ck_assert_uint_eq(tracer.packet->count, 0);
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  mark_leave(&tracer);
}
END_TEST

START_TEST(what_waits_to_be_read_is_shared_too)
{
  void *list[4];
  for (int i = 0; i < 4; i++)
    list[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 32);
  fixture_begin_marking(heap);
  enter();
  for (int i = 0; i < 4; i++)
    push(list[i]);
  ck_assert(mark_drain(&tracer, 1));
  ck_assert_uint_eq(tracer.fifo_count, 3);
  mark_share(&tracer);
  ck_assert_uint_eq(tracer.fifo_count, 0);
  ck_assert(!grey_is_empty(&collector->grey));
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  ck_assert_uint_eq(tracer.work, 4 * 32);
  mark_leave(&tracer);
}
END_TEST

START_TEST(work_is_counted_for_the_pacer)
{
  void **object = fixture_alloc(mutator, DUSK_CONSERVATIVE, 64);
  object[1] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 96);
  object[2] = fixture_alloc(mutator, DUSK_LEAF, 4096); /* is not read */
  fixture_begin_marking(heap);
  enter();
  push(object);
  mark_drain(&tracer, UINT64_MAX);
  ck_assert_uint_eq(tracer.work, 64 + 96);
  mark_leave(&tracer);
  ck_assert_uint_eq(collector->pacing.heap_work, 64 + 96);
}
END_TEST

START_TEST(assists_do_what_there_is_to_do)
{
  void *object = fixture_alloc(mutator, DUSK_CONSERVATIVE, 64);
  uint64_t ns = 5;
  fixture_begin_marking(heap);
  ck_assert_uint_eq(mark_assist(collector, 1000, &ns), 0);
  ck_assert_uint_eq(ns, 5);
  ck_assert_uint_eq(collector->grey.hungry, 1);
  fixture_hand_over(heap, (const void *const[]){object}, 1);
  ck_assert_uint_eq(mark_assist(collector, 1000, &ns), sizeof(void *) + 64);
  ck_assert_uint_eq(ns - 5, collector->pacing.assist_ns);
  ck_assert(fixture_is_marked(heap, object));
  ck_assert(grey_shut(&collector->grey));
  fixture_hand_over(heap, (const void *const[]){object}, 1);
  ck_assert_uint_eq(mark_assist(collector, 1000, &ns), 0);
}
END_TEST

/* ---- pieces ---- */

enum { BIG_WORDS = 100000 };

static void check_pieces(dusk_kind kind)
{
  void **big = fixture_alloc(mutator, kind, BIG_WORDS * sizeof(void *));
  void **small[BIG_WORDS / 1000];
  unsigned count = sizeof small / sizeof *small;
  for (unsigned i = 0; i < count; i++) {
    small[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 32);
    big[i * 1000 + 999] = small[i];
  }
  big[1] = big;
  small[0][0] = big;
  fixture_begin_marking(heap);
  enter();
  push(big);
  ck_assert(mark_drain(&tracer, 1));
  ck_assert_uint_lt(tracer.work, BIG_WORDS * sizeof(void *) / 2);
  while (mark_drain(&tracer, 1))
    ;
  ck_assert_uint_eq(tracer.work, 98 * PAGE_BYTES + count * 32);
  mark_leave(&tracer);
  for (unsigned i = 0; i < count; i++)
    ck_assert_msg(fixture_is_marked(heap, small[i]), "word %u", i * 1000 + 999);
}

/* Objects that are found in a piece come to lie above the next one. */
START_TEST(a_large_object_is_read_in_pieces)
{
  check_pieces(DUSK_CONSERVATIVE);
}
END_TEST

START_TEST(a_large_object_with_a_layout_is_read_in_pieces)
{
  check_pieces(fixture_layout(heap, 0, 7, 3));
}
END_TEST

START_TEST(another_marker_goes_on_with_the_pieces)
{
  void **big = fixture_alloc(mutator, DUSK_CONSERVATIVE, 800000);
  void *last = fixture_alloc(mutator, DUSK_LEAF, 16);
  big[99999] = last;
  fixture_begin_marking(heap);
  enter();
  push(big);
  ck_assert(mark_drain(&tracer, 1));
  mark_leave(&tracer);
  ck_assert(!fixture_is_marked(heap, last));
  fixture_mark(heap);
  ck_assert(fixture_is_marked(heap, last));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("mark");
  TCase *cases = tcase_create("mark");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, exactly_what_can_be_reached_is_marked);
  tcase_add_test(cases, in_the_smallest_portions);
  tcase_add_test(cases, by_many_at_once);
  tcase_add_test(cases, nobody_marks_while_the_door_is_shut);
  tcase_add_test(cases, an_object_is_buffered_once);
  tcase_add_test(cases, who_leaves_hands_over_what_it_holds);
  tcase_add_test(cases, who_shares_hands_over_what_it_holds_and_goes_on);
  tcase_add_test(cases, what_waits_to_be_read_is_shared_too);
  tcase_add_test(cases, work_is_counted_for_the_pacer);
  tcase_add_test(cases, assists_do_what_there_is_to_do);
  tcase_add_test(cases, a_large_object_is_read_in_pieces);
  tcase_add_test(cases, a_large_object_with_a_layout_is_read_in_pieces);
  tcase_add_test(cases, another_marker_goes_on_with_the_pieces);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
