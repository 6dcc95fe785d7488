/* SPDX-License-Identifier: MIT */
/* Test of heap/depot.c: each stack once, by number. */
#include "unit.h"

#include "fixture.h"
#include "heap/depot.h"

static struct depot depot;

static void set_up(void)
{
  ck_assert(depot_open(&depot));
}

static void tear_down(void)
{
  depot_close(&depot);
}

static uint32_t number_of(uintptr_t pc, unsigned count)
{
  uintptr_t pcs[64];
  for (unsigned i = 0; i < count; i++)
    pcs[i] = pc + i;
  return depot_number(&depot, pcs, count);
}

static void check(uint32_t number, uintptr_t pc, unsigned count)
{
  unsigned found;
  const uintptr_t *pcs = depot_stack(&depot, number, &found);
  ck_assert_uint_eq(found, count);
  for (unsigned i = 0; i < count; i++)
    ck_assert_uint_eq(pcs[i], pc + i);
}

START_TEST(a_stack_has_one_number)
{
  uint32_t number = number_of(1000, 5);
  ck_assert_uint_ne(number, 0);
  ck_assert_uint_eq(number_of(1000, 5), number);
  ck_assert_uint_ne(number_of(1000, 4), number);
  ck_assert_uint_ne(number_of(1001, 5), number);
  check(number, 1000, 5);
}
END_TEST

START_TEST(many_stacks_are_kept)
{
  static uint32_t numbers[100000];
  for (unsigned i = 0; i < 100000; i++)
    numbers[i] = number_of(i, 1 + i % 10);
  for (unsigned i = 0; i < 100000; i++) {
    ck_assert_uint_eq(number_of(i, 1 + i % 10), numbers[i]);
    check(numbers[i], i, 1 + i % 10);
  }
}
END_TEST

START_TEST(a_full_depot_says_so)
{
  uintptr_t pc = 1;
  uint64_t bytes = depot_bytes(&depot);
  while (number_of(pc, 64))
    pc += 64;
  ck_assert_uint_gt(pc / 64, 100000);
  ck_assert_uint_gt(depot_bytes(&depot), bytes + (60 << 20));
  ck_assert_uint_eq(number_of(pc, 64), 0);
  ck_assert_uint_ne(number_of(1, 64), 0);
}
END_TEST

static void note(unsigned index)
{
  for (unsigned i = 0; i < 20000; i++)
    check(number_of(i / (1 + index % 2), 8), i / (1 + index % 2), 8);
}

START_TEST(threads_keep_stacks_at_once)
{
  fixture_threads(4, note);
}
END_TEST

START_TEST(without_memory_there_is_none)
{
  struct depot poor;
  fixture_vm_begin();
  fixture_vm_refuse((unsigned long)_i, 1);
  ck_assert(!depot_open(&poor));
  ck_assert_uint_eq(fixture_vm.mapped, 0);
  fixture_vm_end();
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("depot");
  TCase *cases = tcase_create("depot");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, a_stack_has_one_number);
  tcase_add_test(cases, many_stacks_are_kept);
  tcase_add_test(cases, a_full_depot_says_so);
  tcase_add_test(cases, threads_keep_stacks_at_once);
  tcase_add_loop_test(cases, without_memory_there_is_none, 1, 3);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
