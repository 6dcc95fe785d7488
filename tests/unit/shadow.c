/* SPDX-License-Identifier: MIT */
/* shadow.c -- tests of heap/shadow.c: what is known of a slot's stores */
#include "unit.h"

#include "fixture.h"

#include "heap/shadow.h"

static struct arena arena;
static uintptr_t slot;

static void setup(void)
{
  ck_assert_int_eq(arena_open(&arena, (size_t)64 << 20), 0);
  lock_acquire(&arena.pages.lock);
  ck_assert(arena_commit(&arena, 64));
  lock_release(&arena.pages.lock);
  shadow_open(&arena);
  ck_assert_ptr_nonnull(arena.shadow);
  slot = arena.base + 3 * PAGE_BYTES + 8;
}

static void teardown(void)
{
  arena_close(&arena);
}

static uintptr_t known(uintptr_t at)
{
  uintptr_t value = 0;
  ck_assert(shadow_read(&arena, at, &value));
  return value;
}

START_TEST(test_the_last_value_of_one_writer_is_known)
{
  ck_assert_uint_eq(known(slot), 0);
  shadow_note(&arena, 1, slot, 11);
  shadow_note(&arena, 1, slot, 12);
  ck_assert_uint_eq(known(slot), 12);
  ck_assert_uint_eq(known(slot + 8), 0);
}
END_TEST

START_TEST(test_of_two_writers_nothing_is_known_until_it_is_settled)
{
  uintptr_t value;
  shadow_note(&arena, 1, slot, 11);
  shadow_note(&arena, 2, slot, 12);
  ck_assert(!shadow_read(&arena, slot, &value));
  shadow_note(&arena, 1, slot, 13);
  ck_assert(!shadow_read(&arena, slot, &value));
  shadow_settle(&arena, slot, 12);
  ck_assert_uint_eq(known(slot), 12);
  shadow_note(&arena, 2, slot, 14);
  ck_assert_uint_eq(known(slot), 14);
}
END_TEST

START_TEST(test_a_new_object_begins_with_zeros)
{
  shadow_note(&arena, 1, slot, 11);
  shadow_note(&arena, 2, slot, 12);
  shadow_begin(&arena, slot - 8, 32);
  ck_assert_uint_eq(known(slot), 0);
}
END_TEST

START_TEST(test_other_addresses_are_not_known)
{
  uintptr_t value;
  uintptr_t others[] = {arena.base - 8, arena.base + arena.bytes, slot + 1,
                        arena.base + arena.bytes - 8, (uintptr_t)&value};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    shadow_note(&arena, 1, others[i], 11);
    shadow_settle(&arena, others[i], 11);
    ck_assert(!shadow_read(&arena, others[i], &value));
  }
}
END_TEST

START_TEST(test_it_grows_with_the_arena)
{
  uintptr_t value;
  uintptr_t far = arena.base + (uintptr_t)arena.end * PAGE_BYTES;
  ck_assert(!shadow_read(&arena, far, &value));
  lock_acquire(&arena.pages.lock);
  ck_assert(arena_commit(&arena, arena.end + 512));
  lock_release(&arena.pages.lock);
  shadow_note(&arena, 1, far, 11);
  ck_assert_uint_eq(known(far), 11);
}
END_TEST

/* Objects had been made there before it could be told of them. */
START_TEST(test_what_was_refused_is_not_known_until_it_is_settled)
{
  uintptr_t value;
  uintptr_t at = arena.base + (uintptr_t)arena.end * PAGE_BYTES;
  fixture_vm_begin();
  lock_acquire(&arena.pages.lock);
  fixture_vm_refuse(9 + (unsigned)_i, 1); /* 1 to 8 are the arena's own */
  ck_assert(arena_commit(&arena, arena.end + 512));
  uintptr_t next = arena.base + (uintptr_t)arena.end * PAGE_BYTES;
  shadow_note(&arena, 1, at, 11);
  ck_assert(!shadow_read(&arena, at, &value));
  ck_assert(arena_commit(&arena, arena.end + 512));
  lock_release(&arena.pages.lock);
  fixture_vm_end();
  ck_assert(!shadow_read(&arena, at, &value));
  shadow_note(&arena, 1, at, 12);
  ck_assert(!shadow_read(&arena, at, &value));
  shadow_settle(&arena, at, 12);
  ck_assert_uint_eq(known(at), 12);
  ck_assert_uint_eq(known(next), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("shadow");
  TCase *tests = tcase_create("shadow");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_the_last_value_of_one_writer_is_known);
  tcase_add_test(tests,
                 test_of_two_writers_nothing_is_known_until_it_is_settled);
  tcase_add_test(tests, test_a_new_object_begins_with_zeros);
  tcase_add_test(tests, test_other_addresses_are_not_known);
  tcase_add_test(tests, test_it_grows_with_the_arena);
  tcase_add_loop_test(
      tests, test_what_was_refused_is_not_known_until_it_is_settled, 0, 2);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
