/* SPDX-License-Identifier: MIT */
/* Test of collect/terminate.c: marking is over when nothing is grey anywhere,
 * and not before.
 *
 * terminate.c is compiled into this program once more, with the calls that make
 * up a round told to the test.  So one thread plays them all, and what the
 * others do falls into the gap where it does the most harm, each time. */
#include "unit.h"

#include "fixture.h"
#include "collect/mark.h"
#include "mutator/poll.h"

#include "dusk/store.h"

/* ---- rounds, told step by step ---- */

enum moment {
  ROUND_BEGINS, /* what was marked is drained; grey_begin_round() comes next */
  DOOR_SHUT,
  DOOR_NOT_SHUT,
  ROUND_POSTED, /* nobody has served it */
};

static void (*script)(enum moment moment); /* NULL: nobody does anything */

static void tell(enum moment moment)
{
  if (script)
    script(moment);
}

static void told_begin_round(struct grey *grey)
{
  tell(ROUND_BEGINS);
  grey_begin_round(grey);
}

static bool told_shut(struct grey *grey)
{
  bool shut = grey_shut(grey);
  tell(shut ? DOOR_SHUT : DOOR_NOT_SHUT);
  return shut;
}

static void told_handshake(struct collector *collector, enum handshake which,
                           uint32_t epoch)
{
  handshake_post(collector, which, epoch);
  tell(ROUND_POSTED);
  for (struct dusk_thread *t = collector->registry.first; t; t = t->next)
    poll_serve(t);
  handshake_wait(collector);
}

#define grey_begin_round told_begin_round
#define grey_shut told_shut
#define handshake_run told_handshake
#include "collect/terminate.c"
#undef grey_begin_round
#undef grey_shut
#undef handshake_run

/* ---- a mutator, and a chain of white objects ---- */

struct node {
  struct node *next;
  uintptr_t value;
};

enum { CHAIN = 3 };

static struct dusk_heap *heap;
static struct dusk_thread *mutator;
static struct node *chain[CHAIN]; /* each the next of the one before */
static struct node *black;        /* born in the cycle */

static void set_up(void)
{
  heap = fixture_open();
  mutator = fixture_attach(heap);
  dusk_kind kind = fixture_layout(heap, sizeof(struct node), 1, 1);
  for (int i = 0; i < CHAIN; i++)
    chain[i] = fixture_alloc(mutator, kind, sizeof(struct node));
  for (int i = 0; i + 1 < CHAIN; i++)
    dusk_store(mutator, &chain[i]->next, chain[i + 1]);
  fixture_begin_marking(heap);
  black = fixture_alloc(mutator, kind, sizeof(struct node));
  script = NULL;
}

static void tear_down(void)
{
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(mutator);
  fixture_close(heap);
}

static unsigned terminate(void)
{
  struct turn turn;
  turn_begin(&turn, &heap->collector, 0);
  return terminate_marking(&heap->collector, &turn, heap->collector.epoch);
}

static unsigned marked_in_chain(void)
{
  unsigned marked = 0;
  for (int i = 0; i < CHAIN; i++)
    marked += fixture_is_marked(heap, chain[i]);
  return marked;
}

static void hand_over(const void *word)
{
  fixture_hand_over(heap, &word, 1);
}

/* The mutator hides the second node behind a black object: from here on it is
 * known to the mutator's log alone. */
static void hide_second(void)
{
  struct node *second = dusk_load(&chain[0]->next);
  ck_assert_ptr_eq(second, chain[1]);
  dusk_store(mutator, &black->next, second);
  dusk_store(mutator, &chain[0]->next, NULL);
  ck_assert_uint_eq(mutator->log->count, 1);
}

/* Some mutator pays for an allocation. */
static void assist(void)
{
  uint64_t ns = 0;
  mark_assist(&heap->collector, UINT64_MAX, &ns);
  ck_assert(grey_is_empty(&heap->collector.grey));
}

/* ---- rounds ---- */

START_TEST(nothing_grey_takes_one_round_and_leaves_the_door_shut)
{
  ck_assert_uint_eq(terminate(), 1);
  ck_assert_uint_eq(marked_in_chain(), 0);
  ck_assert(!grey_enter(&heap->collector.grey));
}
END_TEST

START_TEST(what_is_grey_at_the_beginning_is_marked)
{
  hand_over(chain[0]);
  ck_assert_uint_eq(terminate(), 1);
  ck_assert_uint_eq(marked_in_chain(), CHAIN);
}
END_TEST

START_TEST(what_a_log_holds_takes_another_round)
{
  hide_second();
  ck_assert_uint_eq(terminate(), 2);
  ck_assert_uint_eq(marked_in_chain(), CHAIN - 1);
  ck_assert(!fixture_is_marked(heap, chain[0]));
}
END_TEST

START_TEST(objects_that_found_no_packet_are_found_again)
{
  struct collector *collector = &heap->collector;
  struct roles roles = arena_roles(&collector->arena, collector->epoch);
  ck_assert(marks_win(roles.marks,
                      arena_granule(&collector->arena, (uintptr_t)chain[0])));
  collector->grey.overflowed = 1;
  ck_assert_uint_eq(terminate(), 1);
  ck_assert_uint_eq(marked_in_chain(), CHAIN);
}
END_TEST

static void overflow_in_first_round(enum moment moment)
{
  if (moment == ROUND_POSTED) {
    script = NULL;
    heap->collector.grey.overflowed = 1;
  }
}

START_TEST(a_round_in_which_packets_ran_out_is_not_the_last)
{
  script = overflow_in_first_round;
  ck_assert_uint_eq(terminate(), 2);
  ck_assert_uint_eq(heap->collector.grey.overflowed, 0);
}
END_TEST

/* ---- others, at bad moments ---- */

static struct dusk_tracer marker;

static void marker_comes_and_stays(enum moment moment)
{
  if (moment == ROUND_POSTED && !marker.collector) {
    hand_over(chain[0]);
    ck_assert(mark_enter(&marker, &heap->collector));
    mark_drain(&marker, 1);
    ck_assert_uint_eq(marked_in_chain(), 1); /* the first is grey */
  } else if (moment == DOOR_NOT_SHUT) {
    script = NULL;
    mark_leave(&marker);
  }
}

START_TEST(a_marker_that_is_inside_after_the_round_is_waited_for)
{
  script = marker_comes_and_stays;
  ck_assert_uint_ge(terminate(), 2);
  ck_assert_ptr_null(script);
  ck_assert_uint_eq(marked_in_chain(), CHAIN);
}
END_TEST

/* The round's handshake: the mutator serves it with an empty log and only then
 * hides the second node, before the packet that leads there is read. */
static void serve_then_hide(void)
{
  poll_serve(mutator);
  hide_second();
}

static void hand_over_behind_the_shut_door(enum moment moment)
{
  if (moment == DOOR_SHUT)
    hand_over(chain[0]);
  if (moment == ROUND_POSTED) {
    script = NULL;
    serve_then_hide();
    assist();
  }
}

/* The packet came and went between two looks: only `dirty` tells of it, and has
 * to be clear before the first of them. */
START_TEST(a_hand_over_once_the_door_was_shut_is_not_overlooked)
{
  script = hand_over_behind_the_shut_door;
  terminate();
  ck_assert_ptr_null(script);
  ck_assert(fixture_is_marked(heap, chain[0]));
  ck_assert_msg(fixture_is_marked(heap, chain[1]), "an object is lost");
}
END_TEST

static bool under_way;

static void go_on(void)
{
  if (under_way)
    fixture_hand_over_end();
  under_way = false;
}

static void hand_over_across_the_beginning(enum moment moment)
{
  if (moment == ROUND_BEGINS && !under_way) {
    under_way = true;
    fixture_hand_over_begin(heap, chain[0]);
  } else if (moment == DOOR_NOT_SHUT) {
    script = NULL;
    go_on();
  } else if (moment == ROUND_POSTED) {
    script = NULL;
    serve_then_hide();
    go_on();
    assist();
  }
}

/* It has set `dirty` before the round cleared it, and pushes after the lists
 * were seen empty: only the door tells of it. */
START_TEST(a_hand_over_across_the_beginning_of_a_round_is_not_overlooked)
{
  script = hand_over_across_the_beginning;
  terminate();
  ck_assert_ptr_null(script);
  ck_assert(fixture_is_marked(heap, chain[0]));
  ck_assert_msg(fixture_is_marked(heap, chain[1]), "an object is lost");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("terminate");
  TCase *cases = tcase_create("terminate");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, nothing_grey_takes_one_round_and_leaves_the_door_shut);
  tcase_add_test(cases, what_is_grey_at_the_beginning_is_marked);
  tcase_add_test(cases, what_a_log_holds_takes_another_round);
  tcase_add_test(cases, objects_that_found_no_packet_are_found_again);
  tcase_add_test(cases, a_round_in_which_packets_ran_out_is_not_the_last);
  tcase_add_test(cases, a_marker_that_is_inside_after_the_round_is_waited_for);
  tcase_add_test(cases, a_hand_over_once_the_door_was_shut_is_not_overlooked);
  tcase_add_test(cases,
                 a_hand_over_across_the_beginning_of_a_round_is_not_overlooked);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
