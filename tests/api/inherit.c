/* SPDX-License-Identifier: MIT */
/* inherit.c -- what the child of a fork has of its parent's: the functions that
 * the program set, budgets, traces, handles, locks */
#include "child.h"

/* ---- from the program's own functions ---- */

static unsigned exhausted_forks;

/* The heap is full: the child can let go of it, and then allocate. */
static bool fork_exhausted(dusk_thread *thread, size_t bytes, void *context)
{
  (void)bytes, (void)context;
  pid_t pid = fork();
  if (pid == 0) {
    for (size_t i = 0; i < SLOTS; i++)
      dusk_store(thread, &table[i], NULL);
    dusk_collect(thread);
    dusk_collect(thread);
    require(dusk_alloc(thread, DUSK_LEAF, MIB(1)) != NULL);
    _exit(0);
  }
  await_child(pid);
  exhausted_forks++;
  return false;
}

START_TEST(a_function_for_exhausted_memory_forks)
{
  dusk_options options = api_options();
  options.reserve_bytes = MIB(16);
  heap = api_open_with(&options);
  ck_assert_int_eq(dusk_root_add(heap, table, sizeof table), 0);
  ck_assert_int_eq(dusk_on_exhausted(heap, fork_exhausted, NULL), 0);
  dusk_thread *thread = api_attach(heap);
  for (size_t i = 0; i < SLOTS; i++) {
    void *object = dusk_alloc(thread, DUSK_LEAF, MIB(1));
    if (!object)
      break;
    dusk_store(thread, &table[i], object);
  }
  ck_assert_uint_ge(exhausted_forks, 1);
  api_close(heap, thread);
}
END_TEST

static unsigned pressure_forks;
static int pressure_status;

static void *live_and_exit(void *argument)
{
  (void)argument;
  live(NULL, 1);
}

/* On the driver: in the child it is the program's only thread, and goes on to
 * be the driver when it returns. */
static void fork_pressed(dusk_heap *of, dusk_pressure level, void *context)
{
  (void)level, (void)context;
  if (pressure_forks++)
    return;
  pid_t pid = fork();
  if (pid == 0) {
    pthread_t user;
    dusk_on_pressure(of, NULL, NULL);
    require(pthread_create(&user, NULL, live_and_exit, NULL) == 0);
    return;
  }
  waitpid(pid, &pressure_status, 0);
}

START_TEST(a_function_for_pressure_forks_on_the_driver)
{
  open_heap();
  dusk_thread *thread = api_attach(heap);
  uint64_t random = 9;
  pressure_status = -1;
  ck_assert_int_eq(dusk_on_pressure(heap, fork_pressed, NULL), 0);
  dusk_set_memory_limit(heap, KIB(64));
  while (pressure_status == -1 && random) {
    write_table(thread, &random, 0, SLOTS);
    dusk_collect(thread);
  }
  ck_assert_int_eq(pressure_status, 0);
  dusk_set_memory_limit(heap, INT64_MAX);
  api_close(heap, thread);
}
END_TEST

/* ---- what belongs to a heap ---- */

START_TEST(a_budget_holds_in_the_child)
{
  dusk_budget *budget, *empty;
  heap = api_open();
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_budget_open(MIB(64), &budget), 0);
  ck_assert_int_eq(dusk_budget_open(MIB(64), &empty), 0);
  ck_assert_int_eq(dusk_budget_join(budget, heap), 0);
  pid_t pid = fork();
  if (pid == 0) {
    dusk_heap *second;
    require(dusk_heap_open(NULL, &second) == 0);
    require(dusk_budget_join(budget, second) == 0);
    require(dusk_budget_set(budget, MIB(32)) == (int64_t)MIB(64));
    require(dusk_budget_set(empty, MIB(1)) == (int64_t)MIB(64));
    dusk_collect(thread);
    require(dusk_budget_leave(heap) == 0 && dusk_budget_leave(second) == 0);
    dusk_heap_close(second);
    dusk_detach(thread);
    dusk_heap_close(heap);
    dusk_budget_close(budget);
    dusk_budget_close(empty);
    _exit(0);
  }
  await_child(pid);
  api_close(heap, thread);
  dusk_budget_close(budget);
  dusk_budget_close(empty);
}
END_TEST

static long file_bytes(const char *name)
{
  FILE *file = fopen(name, "r");
  ck_assert_ptr_nonnull(file);
  fseek(file, 0, SEEK_END);
  long bytes = ftell(file);
  fclose(file);
  return bytes;
}

START_TEST(a_trace_is_the_parents)
{
  char name[] = "/tmp/dusk-fork-XXXXXX";
  int file = mkstemp(name);
  ck_assert_int_ge(file, 0);
  close(file);
  setenv("DUSK_TRACE", name, 1);
  ck_assert_int_eq(dusk_heap_open(NULL, &heap), 0);
  unsetenv("DUSK_TRACE");
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread);
  long bytes = file_bytes(name);
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 5; i++)
      dusk_collect(thread);
    dusk_detach(thread);
    dusk_heap_close(heap);
    _exit(0);
  }
  await_child(pid);
  ck_assert_int_eq(file_bytes(name), bytes);
  dusk_collect(thread);
  api_close(heap, thread);
  ck_assert_int_gt(file_bytes(name), bytes);
  unlink(name);
}
END_TEST

/* The handle of a thread that is not there is a detached one's. */
static void *attach_and_wait(void *argument)
{
  dusk_thread *thread = api_attach(heap);
  dusk_blocking_begin(thread);
  __atomic_store_n((dusk_thread **)argument, thread, __ATOMIC_RELEASE);
  while (!is_over())
    api_sleep_us(100);
  dusk_blocking_end(thread);
  dusk_detach(thread);
  return NULL;
}

static int use_a_vanished_handle(const void *argument)
{
  dusk_collect((dusk_thread *)(uintptr_t)argument);
  return 0;
}

START_TEST(a_vanished_threads_handle_is_refused)
{
  dusk_thread *other = NULL;
  struct api_child child;
  heap = api_open();
  pthread_t pthread = api_start(attach_and_wait, &other);
  while (!__atomic_load_n(&other, __ATOMIC_ACQUIRE))
    api_sleep_us(100);
  api_fork(&child, use_a_vanished_handle, other);
  api_assert_one_line(&child, "dusk_collect: the thread is detached");
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  pthread_join(pthread, NULL);
  dusk_heap_close(heap);
}
END_TEST

/* A lock of the program that others hold while they allocate must not meet our
 * locks the wrong way round. */
static pthread_mutex_t program_lock = PTHREAD_MUTEX_INITIALIZER;

static void lock_program(void)
{
  pthread_mutex_lock(&program_lock);
}

static void unlock_program(void)
{
  pthread_mutex_unlock(&program_lock);
}

static void *write_with_the_programs_lock(void *argument)
{
  uint64_t random = 8;
  dusk_thread *thread = api_attach(heap);
  (void)argument;
  while (!is_over()) {
    dusk_mutex_lock(thread, &program_lock);
    write_table(thread, &random, 0, SLOTS);
    pthread_mutex_unlock(&program_lock);
    rest_in(thread);
  }
  dusk_detach(thread);
  return NULL;
}

START_TEST(the_programs_own_handlers_are_no_deadlock)
{
  ck_assert_int_eq(pthread_atfork(lock_program, unlock_program, unlock_program),
                   0);
  open_heap();
  pthread_t pthread = api_start(write_with_the_programs_lock, NULL);
  for (uint64_t i = 0; i < FORKS; i++) {
    pid_t pid = fork();
    if (pid == 0)
      live(NULL, i);
    await_child(pid);
  }
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  pthread_join(pthread, NULL);
  dusk_heap_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("inherit");
  TCase *tests = api_case(suite, "inherit");
  if (THREADS_MAY_NOT_FOLLOW_A_FORK)
    return 77;
  tcase_add_test(tests, a_function_for_exhausted_memory_forks);
  tcase_add_test(tests, a_function_for_pressure_forks_on_the_driver);
  tcase_add_test(tests, a_budget_holds_in_the_child);
  tcase_add_test(tests, a_trace_is_the_parents);
  tcase_add_test(tests, a_vanished_threads_handle_is_refused);
  tcase_add_test(tests, the_programs_own_handlers_are_no_deadlock);
  return api_run(suite);
}
