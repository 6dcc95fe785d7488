/* SPDX-License-Identifier: MIT */
/* labels.c -- tests of inspect/labels.c: who is reached from where alone */
#include "unit.h"

#include "fixture.h"

#include "inspect/labels.h"

#include "dusk/store.h"

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static struct labels labels;
/* a -> c, b -> c, a -> d -> e; c is conservative, and names f. */
enum { A, B, C, D, E, F, OBJECTS };
static void *objects[OBJECTS];

static void setup(void)
{
  heap = fixture_open();
  thread = fixture_attach(heap);
  dusk_kind pair = fixture_layout(heap, 16, 3, 0);
  fixture_begin_marking(heap); /* what is made now is marked */
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = fixture_alloc(thread, i == C ? DUSK_CONSERVATIVE : pair, 16);
  dusk_init(thread, (void **)objects[A], objects[C]);
  dusk_init(thread, (void **)objects[A] + 1, objects[D]);
  dusk_init(thread, (void **)objects[B], objects[C]);
  dusk_init(thread, (void **)objects[C] + 1, objects[F]);
  dusk_init(thread, (void **)objects[D], objects[E]);
  dusk_init(thread, (void **)objects[E], objects[D]); /* a ring */
  ck_assert(
      labels_open(&labels, &heap->collector.arena,
                  arena_roles(&heap->collector.arena, heap->collector.epoch)));
}

static void teardown(void)
{
  labels_close(&labels);
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
  fixture_close(heap);
}

static uint32_t label(int i)
{
  struct thing thing;
  ck_assert(labels_find(&labels, (uintptr_t)objects[i], &thing));
  return labels_of(&labels, &thing);
}

static void spread(int i, uint32_t number)
{
  struct thing thing;
  ck_assert(labels_find(&labels, (uintptr_t)objects[i], &thing));
  labels_spread(&labels, &thing, number);
}

START_TEST(test_one_place_has_all_that_it_reaches)
{
  spread(A, 7);
  ck_assert_uint_eq(label(A), 7);
  ck_assert_uint_eq(label(C), 7);
  ck_assert_uint_eq(label(D), 7);
  ck_assert_uint_eq(label(E), 7);
  ck_assert_uint_eq(label(F), 7);
  ck_assert_uint_eq(label(B), LABEL_NONE);
}
END_TEST

START_TEST(test_what_two_places_reach_is_shared_with_all_below)
{
  spread(A, 7);
  spread(B, 8);
  ck_assert_uint_eq(label(A), 7);
  ck_assert_uint_eq(label(B), 8);
  ck_assert_uint_eq(label(C), LABEL_MANY);
  ck_assert_uint_eq(label(F), LABEL_MANY);
  ck_assert_uint_eq(label(D), 7);
  ck_assert_uint_eq(label(E), 7);
}
END_TEST

START_TEST(test_two_labels_of_a_ring_meet)
{
  spread(D, 1);
  spread(E, 2);
  ck_assert_uint_eq(label(D), LABEL_MANY);
  ck_assert_uint_eq(label(E), LABEL_MANY);
}
END_TEST

START_TEST(test_ambiguous_words_can_be_left_out)
{
  labels.precise_only = true;
  spread(A, 7);
  ck_assert_uint_eq(label(C), 7);
  ck_assert_uint_eq(label(F), LABEL_NONE);
}
END_TEST

START_TEST(test_what_others_have_can_be_left_alone)
{
  struct labels others = labels;
  ck_assert(labels_open(&labels, others.arena, others.roles));
  struct thing thing;
  ck_assert(labels_find(&others, (uintptr_t)objects[D], &thing));
  labels_spread(&others, &thing, 1);
  labels.except = &others;
  spread(A, 7);
  ck_assert_uint_eq(label(C), 7);
  ck_assert_uint_eq(label(D), LABEL_NONE);
  labels_close(&others);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("labels");
  TCase *tests = tcase_create("labels");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_one_place_has_all_that_it_reaches);
  tcase_add_test(tests, test_what_two_places_reach_is_shared_with_all_below);
  tcase_add_test(tests, test_two_labels_of_a_ring_meet);
  tcase_add_test(tests, test_ambiguous_words_can_be_left_out);
  tcase_add_test(tests, test_what_others_have_can_be_left_alone);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
