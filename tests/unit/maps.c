/* SPDX-License-Identifier: MIT */
/* maps.c -- tests of os/maps.c: memory, threads and variables are found */
#include "unit.h"

#include "fixture.h"

#include "os/clock.h"
#include "os/maps.h"
#include "os/vm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long in_data = 5;
static long in_bss[16];

static uintptr_t wanted;
static unsigned found;

static void look(void *context, const struct map *map)
{
  (void)context;
  found += wanted >= map->start && wanted < map->end;
}

static bool is_in_a_map(const void *address)
{
  wanted = (uintptr_t)address;
  found = 0;
  maps_each(look, NULL);
  ck_assert_uint_le(found, 1);
  return found == 1;
}

START_TEST(test_memory_that_is_written_to_is_in_a_map)
{
  int on_stack;
  void *allocated = malloc(100);
  ck_assert(is_in_a_map(&in_data) && is_in_a_map(&in_bss[3]));
  ck_assert(is_in_a_map(&on_stack) && is_in_a_map(allocated));
  ck_assert(!is_in_a_map((void *)(uintptr_t)look));
  free(allocated);
}
END_TEST

START_TEST(test_a_copy_ends_where_memory_does)
{
  size_t page = vm_page_size();
  char *memory = vm_map(2 * page), *copy = malloc(2 * page);
  memset(memory, 7, 2 * page);
  ck_assert_uint_eq(maps_copy(copy, (uintptr_t)memory, 2 * page), 2 * page);
  ck_assert_mem_eq(copy, memory, 2 * page);
  ck_assert_int_eq(mprotect(memory + page, page, PROT_NONE), 0);
  ck_assert_uint_eq(maps_copy(copy, (uintptr_t)memory, 2 * page), page);
  vm_unmap(memory, 2 * page);
  ck_assert_uint_eq(maps_copy(copy, (uintptr_t)memory, page), 0);
  free(copy);
}
END_TEST

START_TEST(test_pages_that_were_touched_are_found)
{
  size_t page = vm_page_size(), bytes = 2000 * page;
  char *memory = vm_map(bytes);
  uintptr_t start = (uintptr_t)memory, end = start + bytes;
  memory[1500 * page + 5] = 1;
  ck_assert_uint_eq(maps_touched(start, start + page), start + page);
  uintptr_t at = maps_touched(start, end);
  ck_assert(at > start && at <= start + 1500 * page); /* huge pages */
  ck_assert_uint_eq(maps_touched(start + 1500 * page, end),
                    start + 1500 * page);
  vm_unmap(memory, bytes);
}
END_TEST

START_TEST(test_variables_are_named)
{
  char text[256];
  ck_assert(maps_variable((uintptr_t)&in_bss[2], text, sizeof text));
  ck_assert_msg(strncmp(text, "in_bss+16 (", 11) == 0, "%s", text);
  ck_assert(maps_variable((uintptr_t)&in_data, text, sizeof text));
  ck_assert_msg(strncmp(text, "in_data+0 (", 11) == 0, "%s", text);
  ck_assert(!maps_variable((uintptr_t)&text, text, sizeof text));
}
END_TEST

static int ends[2];
static pid_t waiter;

static void *wait_in_read(void *unused)
{
  char byte;
  __atomic_store_n(&waiter, gettid(), __ATOMIC_RELAXED);
  ck_assert_int_eq(read(ends[0], &byte, 1), 1);
  return unused;
}

START_TEST(test_the_stack_of_a_thread_that_waits_is_known)
{
  pthread_t thread;
  uintptr_t low, high, sp = 0;
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(pthread_create(&thread, NULL, wait_in_read, NULL), 0);
  ck_assert(maps_stack(thread, &low, &high) && low < high);
  int task = 0;
  for (int i = 0; i < 5000 && !(task = maps_thread(low, high, &sp)); i++)
    clock_sleep(1000 * 1000);
  if (task) { /* not every system tells */
    ck_assert_int_eq(task, __atomic_load_n(&waiter, __ATOMIC_RELAXED));
    ck_assert(sp >= low && sp < high);
    sp = 1; /* nobody is here */
    ck_assert_int_eq(maps_thread((uintptr_t)ends, (uintptr_t)(ends + 2), &sp),
                     0);
    ck_assert_uint_eq(sp, 1);
  }
  ck_assert_int_eq(write(ends[1], "", 1), 1);
  pthread_join(thread, NULL);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("maps");
  TCase *tests = tcase_create("maps");
  tcase_add_test(tests, test_memory_that_is_written_to_is_in_a_map);
  tcase_add_test(tests, test_a_copy_ends_where_memory_does);
  tcase_add_test(tests, test_pages_that_were_touched_are_found);
  tcase_add_test(tests, test_variables_are_named);
  tcase_add_test(tests, test_the_stack_of_a_thread_that_waits_is_known);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
