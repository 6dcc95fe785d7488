/* SPDX-License-Identifier: MIT */
/* checking.c -- tests of mutator/checking.c: what is announced for a slot, and
 * until when an object may be filled with plain stores */
#include "unit.h"

#include "fixture.h"

#include "heap/shadow.h"
#include "mutator/checking.h"

#include "dusk/store.h"

enum { WORDS = 8 };

static struct dusk_heap *heap;
static struct dusk_thread *thread;

static void setup(void)
{
  heap = fixture_open();
  struct arena *arena = &heap->collector.arena;
  shadow_open(arena);
  ck_assert_ptr_nonnull(arena->shadow);
  arena->careful = true;
  heap->collector.registry.barrier = BARRIER_CHECK;
  thread = fixture_attach(heap);
}

static void teardown(void)
{
  fixture_detach(thread);
  shadow_close(&heap->collector.arena);
  fixture_close(heap);
}

static void **make(dusk_kind kind)
{
  return fixture_alloc(thread, kind, WORDS * sizeof(void *));
}

/* The last word that was announced for the slot. */
static void *announced(void **slot)
{
  uintptr_t value;
  ck_assert(shadow_read(&heap->collector.arena, (uintptr_t)slot, &value));
  return (void *)value;
}

START_TEST(test_what_a_fresh_object_holds_counts_when_another_is_made)
{
  void **first = make(DUSK_CONSERVATIVE);
  first[1] = first;
  ck_assert_ptr_null(announced(&first[1]));
  void **second = make(DUSK_CONSERVATIVE);
  ck_assert_ptr_eq(announced(&first[1]), first);
  ck_assert_uint_eq(thread->fresh, (uintptr_t)second);
  first[2] = first; /* too late */
  checking_settle(thread);
  ck_assert_ptr_null(announced(&first[2]));
}
END_TEST

START_TEST(test_a_store_into_the_fresh_object_leaves_it_fresh)
{
  void **object = make(DUSK_CONSERVATIVE);
  dusk_store(thread, &object[WORDS - 1], object);
  ck_assert_uint_eq(thread->fresh, (uintptr_t)object);
  object[0] = object;
  checking_settle(thread);
  ck_assert_ptr_eq(announced(&object[0]), object);
  ck_assert_ptr_eq(announced(&object[WORDS - 1]), object);
}
END_TEST

START_TEST(test_a_store_elsewhere_ends_it)
{
  void **holder = make(DUSK_CONSERVATIVE);
  void **object = make(DUSK_CONSERVATIVE);
  object[3] = holder;
  dusk_store(thread, &holder[0], object);
  ck_assert_uint_eq(thread->fresh, 0);
  ck_assert_ptr_eq(announced(&object[3]), holder);
  ck_assert_ptr_eq(announced(&holder[0]), object);
}
END_TEST

START_TEST(test_so_does_a_safepoint)
{
  void **object = make(DUSK_CONSERVATIVE);
  object[3] = object;
  fixture_handshake(heap, HANDSHAKE_1);
  ck_assert_uint_eq(thread->fresh, 0);
  ck_assert_ptr_eq(announced(&object[3]), object);
  fixture_handshake(heap, HANDSHAKE_4);
}
END_TEST

START_TEST(test_each_way_to_store_is_announced)
{
  void **object = make(DUSK_CONSERVATIVE);
  checking_settle(thread);
  dusk_store(thread, &object[0], object);
  ck_assert(dusk_cas(thread, &object[1], NULL, object));
  ck_assert(!dusk_cas(thread, &object[2], object, object));
  ck_assert_ptr_null(dusk_exchange(thread, &object[3], object));
  dusk_copy(thread, &object[4], &object[0], 2);
  for (int i = 0; i < 6; i++)
    ck_assert_ptr_eq(announced(&object[i]), object[i]);
  ck_assert_ptr_eq(object[5], object);
  dusk_clear(thread, &object[0], 6);
  for (int i = 0; i < 6; i++)
    ck_assert_ptr_null(announced(&object[i]));
}
END_TEST

START_TEST(test_leaves_are_written_to_as_anybody_likes)
{
  void **leaf = make(DUSK_LEAF);
  leaf[0] = leaf;
  checking_settle(thread);
  ck_assert_ptr_null(announced(&leaf[0]));
}
END_TEST

/* A slot that is used again begins at zero. */
START_TEST(test_a_new_object_has_nothing_of_what_was_there)
{
  void **object = make(DUSK_CONSERVATIVE);
  checking_settle(thread);
  dusk_store(thread, &object[2], object);
  checking_begin(thread, (uintptr_t)object);
  ck_assert_ptr_null(announced(&object[2]));
  object[2] = NULL;
  checking_settle(thread);
  ck_assert_ptr_null(announced(&object[2]));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("checking");
  TCase *tests = tcase_create("checking");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests,
                 test_what_a_fresh_object_holds_counts_when_another_is_made);
  tcase_add_test(tests, test_a_store_into_the_fresh_object_leaves_it_fresh);
  tcase_add_test(tests, test_a_store_elsewhere_ends_it);
  tcase_add_test(tests, test_so_does_a_safepoint);
  tcase_add_test(tests, test_each_way_to_store_is_announced);
  tcase_add_test(tests, test_leaves_are_written_to_as_anybody_likes);
  tcase_add_test(tests, test_a_new_object_has_nothing_of_what_was_there);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
