/* SPDX-License-Identifier: MIT */
/* fork.c -- the child of a fork has a working heap, whatever the others did
 *
 * Threads of the parent allocate, store into a shared table, come and go, and
 * collect; cycles follow each other without end.  Meanwhile one thread forks
 * over and over, and each child verifies all that it can reach, uses the heap
 * in every way, and exits. */
#include "child.h"

START_TEST(a_thread_in_the_heap_forks)
{
  struct others others;
  uint64_t random = 1;
  open_heap();
  dusk_thread *thread = api_attach(heap);
  start_others(&others);
  for (uint64_t i = 0; i < FORKS; i++) {
    struct node *mine = make_list(thread, &random);
    for (uint64_t k = 0; k < 16 * (i % 8); k++)
      write_table(thread, &random, 0, SLOTS);
    pid_t pid = fork();
    if (pid == 0) {
      verify_list(mine);
      dusk_collect(thread);
      verify_list(mine);
      live(thread, i);
    }
    dusk_blocking_begin(thread);
    await_child(pid);
    dusk_blocking_end(thread);
    verify_list(mine);
  }
  dusk_blocking_begin(thread);
  stop_others(&others);
  dusk_blocking_end(thread);
  verify_table();
  api_close(heap, thread);
}
END_TEST

START_TEST(a_thread_in_a_blocking_region_forks)
{
  struct others others;
  uint64_t random = 2;
  open_heap();
  dusk_thread *thread = api_attach(heap);
  start_others(&others);
  for (uint64_t i = 0; i < FORKS; i++) {
    struct node *mine = make_list(thread, &random);
    dusk_blocking_begin(thread);
    wait_a_little(&random);
    pid_t pid = fork();
    if (pid == 0) {
      dusk_blocking_end(thread);
      verify_list(mine);
      live(thread, i);
    }
    await_child(pid);
    dusk_blocking_end(thread);
    verify_list(mine);
  }
  dusk_blocking_begin(thread);
  stop_others(&others);
  dusk_blocking_end(thread);
  api_close(heap, thread);
}
END_TEST

START_TEST(a_thread_that_is_not_attached_forks)
{
  struct others others;
  uint64_t random = 3;
  open_heap();
  start_others(&others);
  for (uint64_t i = 0; i < FORKS; i++) {
    wait_a_little(&random);
    pid_t pid = fork();
    if (pid == 0)
      live(NULL, i);
    await_child(pid);
  }
  stop_others(&others);
  verify_table();
  dusk_heap_close(heap);
}
END_TEST

START_TEST(a_child_that_calls_exec_is_not_in_the_way)
{
  struct others others;
  uint64_t random = 4;
  open_heap();
  start_others(&others);
  for (uint64_t i = 0; i < FORKS; i++) {
    wait_a_little(&random);
    pid_t pid = fork();
    if (pid == 0) {
      execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
      _exit(1);
    }
    await_child(pid);
  }
  stop_others(&others);
  dusk_heap_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("fork");
  TCase *tests = api_case(suite, "fork");
  if (THREADS_MAY_NOT_FOLLOW_A_FORK)
    return 77;
  tcase_add_test(tests, a_thread_in_the_heap_forks);
  tcase_add_test(tests, a_thread_in_a_blocking_region_forks);
  tcase_add_test(tests, a_thread_that_is_not_attached_forks);
  tcase_add_test(tests, a_child_that_calls_exec_is_not_in_the_way);
  return api_run(suite);
}
