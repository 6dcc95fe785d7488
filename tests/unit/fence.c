/* SPDX-License-Identifier: MIT */
/* fence.c -- tests of os/fence.c: stores that nobody expected are remembered,
 * and all stores are done */
#include "unit.h"

#include "fixture.h"

#include "os/fence.h"
#include "os/vm.h"

#include <signal.h>
#include <string.h>

enum { PAGES = 4 };

static uintptr_t *words;
static size_t bytes;
static enum fence_guard answer;

static enum fence_guard guards(void *context, uintptr_t address)
{
  (void)context;
  (void)address;
  return answer;
}

static bool is_here; /* fences can be had */

static void setup(void)
{
  bytes = PAGES * vm_page_size();
  words = vm_map(bytes);
  ck_assert_ptr_nonnull(words);
  answer = FENCE_WANTED;
  is_here = fence_open((uintptr_t)words, bytes, guards, NULL);
  fence_expect(0, 0);
  fence_raise((uintptr_t)words, bytes);
}

static void teardown(void)
{
  fence_close((uintptr_t)words);
  vm_unmap(words, bytes);
}

static NOINLINE void store(volatile uintptr_t *at, uintptr_t value)
{
  *at = value;
}

static bool is_remembered(const uintptr_t *at)
{
  struct fence_store found;
  return fence_find((uintptr_t)at, *at, &found);
}

START_TEST(test_an_unexpected_pointer_store_is_remembered)
{
  store(&words[5], (uintptr_t)words);
  ck_assert_uint_eq(words[5], (uintptr_t)words);
  ck_assert_int_eq(is_remembered(&words[5]), is_here);
  ck_assert(!is_remembered(&words[6]));
  store(&words[5], 0); /* loses a pointer */
  ck_assert_int_eq(is_remembered(&words[5]), is_here);
}
END_TEST

START_TEST(test_data_is_not_remembered)
{
  store(&words[5], 12345);
  ck_assert_uint_eq(words[5], 12345);
  ck_assert(!is_remembered(&words[5]));
}
END_TEST

START_TEST(test_expected_stores_are_not_remembered)
{
  fence_expect((uintptr_t)&words[5], sizeof *words);
  store(&words[5], (uintptr_t)words);
  fence_fill((uintptr_t)&words[8], 2 * sizeof *words);
  store(&words[9], (uintptr_t)words);
  ck_assert(!is_remembered(&words[5]) && !is_remembered(&words[9]));
  store(&words[10], (uintptr_t)words); /* its neighbour is */
  ck_assert_int_eq(is_remembered(&words[10]), is_here);
  fence_fill(0, 0);
}
END_TEST

START_TEST(test_a_thread_may_be_let_write)
{
  fence_let(true);
  store(&words[5], (uintptr_t)words);
  fence_let(false);
  ck_assert(!is_remembered(&words[5]));
}
END_TEST

START_TEST(test_pages_of_no_interest_are_opened)
{
  answer = FENCE_UNWANTED;
  store(&words[5], (uintptr_t)words);
  ck_assert(!is_remembered(&words[5]));
}
END_TEST

START_TEST(test_a_copy_over_a_page_boundary_is_whole)
{
  uintptr_t from[64];
  uintptr_t *to = words + vm_page_size() / sizeof *words - 32;
  for (size_t i = 0; i < 64; i++)
    from[i] = (uintptr_t)&words[i];
  memcpy(to, from, sizeof from);
  ck_assert_mem_eq(to, from, sizeof from);
  ck_assert_int_eq(is_remembered(to), is_here);
  ck_assert_int_eq(is_remembered(to + 63), is_here);
}
END_TEST

/* Each slot is one thread's; the pages are everybody's. */
static void write_often(unsigned index)
{
  fence_expect(0, 0);
  for (uintptr_t i = 0; i < 2000; i++) {
    store(&words[index], i);
    ck_assert_uint_eq(words[index], i);
  }
}

START_TEST(test_threads_write_to_one_page)
{
  fixture_threads(4, write_often);
}
END_TEST

START_TEST(test_other_faults_are_the_programs)
{
  answer = FENCE_FAULT;
  store(&words[5], 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("fence");
  TCase *tests = tcase_create("fence");
  tcase_set_timeout(tests, 300);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_an_unexpected_pointer_store_is_remembered);
  tcase_add_test(tests, test_data_is_not_remembered);
  tcase_add_test(tests, test_expected_stores_are_not_remembered);
  tcase_add_test(tests, test_a_thread_may_be_let_write);
  tcase_add_test(tests, test_pages_of_no_interest_are_opened);
  tcase_add_test(tests, test_a_copy_over_a_page_boundary_is_whole);
  tcase_add_test(tests, test_threads_write_to_one_page);
  suite_add_tcase(suite, tests);
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) &&                   \
    !defined(__SANITIZE_THREAD__)
  TCase *faults = tcase_create("faults");
  tcase_add_checked_fixture(faults, setup, teardown);
  tcase_add_test_raise_signal(faults, test_other_faults_are_the_programs,
                              SIGSEGV);
  suite_add_tcase(suite, faults);
#endif
  return unit_run(suite);
}
