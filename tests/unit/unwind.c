/* SPDX-License-Identifier: MIT */
/* Test of os/unwind.c: whose stack is shown, by which names, and that threads
 * which answer late, or not at all, spoil nothing.
 *
 * Without libunwind only the names and the zeros are left to test. */
#include "unit.h"

#include "base/atomic.h"
#include "os/clock.h"
#include "os/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAMES = 64 };

static const uint64_t ms = 1000000;

/* A compiler's copy of a function, "function.part.0", is the function. */
static bool stack_has(const uintptr_t *pcs, unsigned count,
                      const char *function)
{
  char name[256];
  size_t length = strlen(function);
  for (unsigned i = 0; i < count; i++) {
    unwind_name(pcs[i], name, sizeof name);
    if (strncmp(name, function, length) == 0 && strchr("+.", name[length]))
      return true;
  }
  return false;
}

/* ---- one's own stack ---- */

static volatile unsigned captured;

NOINLINE static void capture(uintptr_t *pcs, unsigned capacity)
{
  captured = unwind_here(pcs, capacity);
}

NOINLINE static void capture_deep(unsigned depth, uintptr_t *pcs,
                                  unsigned capacity)
{
  if (depth)
    capture_deep(depth - 1, pcs, capacity);
  else
    capture(pcs, capacity);
  captured = captured + 0; /* after the call, so that it is no jump */
}

START_TEST(here_is_innermost_first)
{
  uintptr_t pcs[FRAMES];
  errno = EXDEV;
  capture_deep(5, pcs, FRAMES);
  ck_assert_int_eq(errno, EXDEV);
  ck_assert_uint_gt(captured, 7);
  ck_assert(stack_has(&pcs[0], 1, "capture"));
  for (unsigned i = 1; i < 7; i++)
    ck_assert(stack_has(&pcs[i], 1, "capture_deep"));
  ck_assert(stack_has(pcs, captured, "main"));
  ck_assert(!stack_has(pcs, captured, "unwind_here"));
}
END_TEST

START_TEST(here_keeps_within_capacity)
{
  uintptr_t all[FRAMES], pcs[4] = {1, 1, 1, 1};
  capture_deep(5, all, FRAMES);
  capture_deep(5, pcs, 3);
  ck_assert_uint_eq(captured, 3);
  ck_assert_uint_eq(pcs[1], all[1]);
  ck_assert_uint_eq(pcs[3], 1);
  capture_deep(5, pcs, 0);
  ck_assert_uint_eq(captured, 0);
}
END_TEST

/* ---- another thread's stack ---- */

struct target {
  pthread_t thread;
  bool ready; /* release: it runs, and soon is where the test wants it */
  bool stop;  /* relaxed: it ends */
};

static void start_target(struct target *target, void *(*run)(void *))
{
  *target = (struct target){.ready = false};
  ck_assert_int_eq(pthread_create(&target->thread, NULL, run, target), 0);
  while (!LOAD_ACQUIRE(&target->ready)) /* pairs with the targets below */
    clock_sleep(ms / 10);
  clock_sleep(5 * ms);
}

static void stop_target(struct target *target)
{
  STORE_RELAXED(&target->stop, true);
  ck_assert_int_eq(pthread_join(target->thread, NULL), 0);
}

static void *spin_here(void *context)
{
  struct target *target = context;
  STORE_RELEASE(&target->ready, true);
  while (!LOAD_RELAXED(&target->stop))
    continue;
  return NULL;
}

NOINLINE static void sleep_until_stopped(struct target *target)
{
  STORE_RELEASE(&target->ready, true);
  while (!LOAD_RELAXED(&target->stop))
    clock_sleep(20 * ms);
}

static void *wait_one(void *context)
{
  sleep_until_stopped(context);
  return NULL;
}

static void *wait_two(void *context)
{
  sleep_until_stopped(context);
  return NULL;
}

NOINLINE static void wait_below(struct target *target, unsigned depth)
{
  if (depth)
    wait_below(target, depth - 1);
  else
    sleep_until_stopped(target);
  STORE_RELAXED(&target->stop, true); /* so that the call is no jump */
}

static void *wait_deep(void *context)
{
  wait_below(context, 2 * FRAMES);
  return NULL;
}

/* Does not hear the signal. */
static void *wait_deaf(void *context)
{
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  sleep_until_stopped(context);
  return NULL;
}

static void (*handler_now(void))(int)
{
  struct sigaction now;
  ck_assert_int_eq(sigaction(SIGURG, NULL, &now), 0);
  return now.sa_handler;
}

/* A busy machine may not run the thread within 100 ms: ask again. */
static unsigned ask_until_answered(pthread_t thread, uintptr_t *pcs,
                                   unsigned capacity)
{
  unsigned count = 0;
  for (int i = 0; i < 50 && !count; i++)
    count = unwind_thread(thread, pcs, capacity);
  return count;
}

START_TEST(thread_that_spins)
{
  struct target target;
  uintptr_t pcs[FRAMES];
  start_target(&target, spin_here);
  errno = EXDEV;
  unsigned count = ask_until_answered(target.thread, pcs, FRAMES);
  ck_assert_int_eq(errno, EXDEV);
  ck_assert_uint_gt(count, 0);
  ck_assert(stack_has(&pcs[0], 1, "spin_here"));
  ck_assert(!stack_has(pcs, count, "answer"));
  ck_assert_ptr_eq(handler_now(), SIG_DFL);
  stop_target(&target);
}
END_TEST

START_TEST(thread_that_sleeps)
{
  struct target target;
  uintptr_t pcs[FRAMES];
  start_target(&target, wait_one);
  unsigned count = ask_until_answered(target.thread, pcs, FRAMES);
  ck_assert(stack_has(pcs, count, "wait_one"));
  ck_assert(stack_has(pcs, count, "sleep_until_stopped"));
  ck_assert_ptr_eq(handler_now(), SIG_DFL);
  stop_target(&target);
}
END_TEST

START_TEST(thread_that_asks_itself)
{
  uintptr_t pcs[FRAMES];
  unsigned count = ask_until_answered(pthread_self(), pcs, FRAMES);
  ck_assert(stack_has(pcs, count, "unwind_thread"));
  ck_assert(stack_has(pcs, count, "main"));
}
END_TEST

START_TEST(thread_deeper_than_is_shown)
{
  struct target target;
  uintptr_t pcs[FRAMES + 1];
  pcs[3] = pcs[FRAMES] = 1;
  start_target(&target, wait_deep);
  ck_assert_uint_eq(ask_until_answered(target.thread, pcs, 3), 3);
  ck_assert_uint_eq(pcs[3], 1);
  unsigned count = ask_until_answered(target.thread, pcs, FRAMES + 1);
  ck_assert_uint_eq(count, FRAMES);
  ck_assert_uint_eq(pcs[FRAMES], 1);
  ck_assert(stack_has(pcs, count, "wait_below"));
  ck_assert(!stack_has(pcs, count, "wait_deep"));
  stop_target(&target);
}
END_TEST

START_TEST(thread_that_does_not_hear)
{
  struct target deaf, other;
  uintptr_t pcs[FRAMES];
  start_target(&deaf, wait_deaf);
  start_target(&other, wait_one);
  uint64_t start = clock_now();
  ck_assert_uint_eq(unwind_thread(deaf.thread, pcs, FRAMES), 0);
  ck_assert_uint_ge(clock_now() - start, 100 * ms);
  ck_assert_ptr_eq(handler_now(), SIG_DFL);
  unsigned count = ask_until_answered(other.thread, pcs, FRAMES);
  ck_assert(stack_has(pcs, count, "wait_one"));
  stop_target(&deaf);
  stop_target(&other);
}
END_TEST

static void *end_at_once(void *context)
{
  struct target *target = context;
  STORE_RELEASE(&target->ready, true);
  return NULL;
}

START_TEST(thread_that_has_ended)
{
  struct target target;
  uintptr_t pcs[FRAMES];
  unsigned count = 1;
  start_target(&target, end_at_once);
  for (int i = 0; i < 50 && count; i++) { /* on its way out it may answer */
    clock_sleep(10 * ms);
    count = unwind_thread(target.thread, pcs, FRAMES);
  }
  ck_assert_uint_eq(count, 0);
  stop_target(&target);
}
END_TEST

START_TEST(ignored_signal_stays_ignored)
{
  struct target target;
  uintptr_t pcs[FRAMES];
  signal(SIGURG, SIG_IGN);
  start_target(&target, wait_one);
  ck_assert_uint_gt(ask_until_answered(target.thread, pcs, FRAMES), 0);
  ck_assert_ptr_eq(handler_now(), SIG_IGN);
  stop_target(&target);
}
END_TEST

static volatile sig_atomic_t urgent;

static void count_urgent(int signal_number)
{
  (void)signal_number;
  urgent++;
}

START_TEST(handled_signal_is_left_to_the_program)
{
  struct target target;
  uintptr_t pcs[FRAMES];
  signal(SIGURG, count_urgent);
  start_target(&target, wait_one);
  uint64_t fastest = UINT64_MAX;
  for (int i = 0; i < 5; i++) {
    uint64_t start = clock_now();
    ck_assert_uint_eq(unwind_thread(target.thread, pcs, FRAMES), 0);
    uint64_t took = clock_now() - start;
    fastest = took < fastest ? took : fastest;
  }
  ck_assert_uint_lt(fastest, 100 * ms);
  ck_assert_ptr_eq(handler_now(), count_urgent);
  ck_assert_int_eq(urgent, 0);
  stop_target(&target);
}
END_TEST

/* ---- signals that are not ours ---- */

static void *pester(void *context)
{
  struct target *target = context;
  while (!LOAD_RELAXED(&target->stop)) {
    pthread_kill(target->thread, SIGURG);
    clock_sleep(ms / 5);
  }
  return NULL;
}

/* The program sends SIGURG to a thread, though it ignores it.  That thread must
 * not answer in another's name, nor answer twice. */
START_TEST(signals_from_elsewhere)
{
  struct target deaf, other;
  pthread_t pesterer;
  uintptr_t pcs[FRAMES];
  signal(SIGURG, SIG_IGN);
  start_target(&deaf, wait_deaf);
  start_target(&other, wait_one);
  ck_assert_int_eq(pthread_create(&pesterer, NULL, pester, &other), 0);
  for (int i = 0; i < 3; i++)
    ck_assert_uint_eq(unwind_thread(deaf.thread, pcs, FRAMES), 0);
  for (int i = 0; i < 30; i++) {
    unsigned count = ask_until_answered(other.thread, pcs, FRAMES);
    ck_assert(stack_has(pcs, count, "wait_one"));
  }
  ck_assert_ptr_eq(handler_now(), SIG_IGN);
  STORE_RELAXED(&other.stop, true);
  ck_assert_int_eq(pthread_join(pesterer, NULL), 0);
  stop_target(&other);
  stop_target(&deaf);
}
END_TEST

/* ---- late answers ---- */

static bool lock_held, lock_wanted;

static int hold_lock(struct dl_phdr_info *object, size_t size, void *context)
{
  (void)object;
  (void)size;
  (void)context;
  STORE_RELEASE(&lock_held, true); /* pairs with the test's wait */
  while (LOAD_RELAXED(&lock_wanted))
    clock_sleep(ms);
  return 1;
}

static void *hold_loader_lock(void *unused)
{
  dl_iterate_phdr(hold_lock, NULL);
  return unused;
}

/* A thread holds the dynamic linker's lock, which unwinding wants (if it has
 * not seen these frames yet), so both targets hang in their handlers and answer
 * when their askers have gone.  Each later request must get its own thread's
 * stack, or none. */
START_TEST(late_answers_are_dropped)
{
  struct target one, two;
  pthread_t holder;
  uintptr_t pcs[FRAMES];
  start_target(&one, wait_one);
  start_target(&two, wait_two);
  STORE_RELAXED(&lock_wanted, true);
  ck_assert_int_eq(pthread_create(&holder, NULL, hold_loader_lock, NULL), 0);
  while (!LOAD_ACQUIRE(&lock_held)) /* pairs with the release in hold_lock() */
    clock_sleep(ms);
  unsigned late_one = unwind_thread(one.thread, pcs, FRAMES);
  unsigned late_two = unwind_thread(two.thread, pcs, FRAMES);
  ck_assert_ptr_eq(handler_now(), SIG_DFL);
  STORE_RELAXED(&lock_wanted, false);
  for (int i = 0; i < 20; i++) {
    bool second = i % 2 == 0;
    unsigned count =
        unwind_thread(second ? two.thread : one.thread, pcs, FRAMES);
    ck_assert(!stack_has(pcs, count, second ? "wait_one" : "wait_two"));
    ck_assert(!count ||
              stack_has(pcs, count, second ? "wait_two" : "wait_one"));
  }
  ck_assert_uint_gt(ask_until_answered(one.thread, pcs, FRAMES), 0);
  ck_assert_uint_gt(ask_until_answered(two.thread, pcs, FRAMES), 0);
  ck_assert_int_eq(pthread_join(holder, NULL), 0);
  stop_target(&one);
  stop_target(&two);
  ck_assert_msg(!late_one == !late_two, "one answered in time, one did not");
}
END_TEST

/* ---- many askers ---- */

static struct target asked[2];
static unsigned answers;

static void *ask_often(void *unused)
{
  uintptr_t pcs[FRAMES];
  for (int i = 0; i < 40; i++) {
    unsigned count = unwind_thread(asked[i % 2].thread, pcs, FRAMES);
    ck_assert(!count || stack_has(pcs, count, i % 2 ? "wait_two" : "wait_one"));
    ck_assert(!stack_has(pcs, count, i % 2 ? "wait_one" : "wait_two"));
    ADD_RELAXED(&answers, count > 0);
  }
  return unused;
}

START_TEST(askers_take_turns)
{
  pthread_t askers[4];
  start_target(&asked[0], wait_one);
  start_target(&asked[1], wait_two);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&askers[i], NULL, ask_often, NULL), 0);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_join(askers[i], NULL), 0);
  ck_assert_uint_gt(answers, 0);
  ck_assert_ptr_eq(handler_now(), SIG_DFL);
  stop_target(&asked[0]);
  stop_target(&asked[1]);
}
END_TEST

/* ---- a fork ---- */

enum { FORKS = 60, UNWINDERS = 3 };
static uint32_t forks_are_over; /* atomic */

/* Frames that have not been seen yet take libunwind's locks. */
static void *unwind_without_end(void *argument)
{
  struct frame frames[FRAMES];
  while (!LOAD_RELAXED(&forks_are_over))
    unwind_frames(frames, FRAMES);
  return argument;
}

static void fork_and_unwind(void)
{
  struct frame frames[FRAMES];
  int status;
  unwind_shut();
  ck_assert_uint_gt(unwind_frames(frames, FRAMES), 0); /* who has shut, may */
  pid_t pid = fork();
  if (pid == 0) {
    alarm(30); /* or nobody would end a child that waits for a lock */
    unwind_reopen_in_child();
    _exit(unwind_frames(frames, FRAMES) == 0);
  }
  unwind_reopen();
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_int_eq(status, 0);
}

START_TEST(a_child_finds_nobody_inside)
{
  pthread_t threads[UNWINDERS];
  for (int i = 0; i < UNWINDERS; i++)
    ck_assert_int_eq(
        pthread_create(&threads[i], NULL, unwind_without_end, NULL), 0);
  for (int i = 0; i < FORKS; i++)
    fork_and_unwind();
  STORE_RELAXED(&forks_are_over, 1);
  for (int i = 0; i < UNWINDERS; i++)
    pthread_join(threads[i], NULL);
}
END_TEST

/* ---- names ---- */

START_TEST(name_of_a_function)
{
  char name[256], expected[256];
  uintptr_t pc = (uintptr_t)unwind_name + 1;
  unwind_name(pc, name, sizeof name);
  snprintf(expected, sizeof expected, " (%s)", program_invocation_short_name);
  ck_assert_ptr_nonnull(strstr(name, expected));
  ck_assert_str_eq(strstr(name, expected), expected);
  if (HAVE_LIBUNWIND)
    ck_assert_int_eq(strncmp(name, "unwind_name+0x1 (", 17), 0);
  else
    ck_assert_ptr_nonnull(strstr(name, "+0x"));
}
END_TEST

START_TEST(name_of_nothing)
{
  char name[256];
  errno = EXDEV;
  unwind_name(0x10, name, sizeof name);
  ck_assert_str_eq(name, "0x10");
  unwind_name(0, name, sizeof name);
  ck_assert_str_eq(name, "0x0");
  unwind_name(UINTPTR_MAX, name, sizeof name);
  ck_assert_str_eq(name,
                   sizeof(void *) == 8 ? "0xffffffffffffffff" : "0xffffffff");
  ck_assert_int_eq(errno, EXDEV);
}
END_TEST

START_TEST(name_is_cut_to_size)
{
  char whole[256], part[256];
  unwind_name((uintptr_t)unwind_name + 1, whole, sizeof whole);
  for (size_t size = 1; size <= strlen(whole); size++) {
    memset(part, 'x', sizeof part);
    unwind_name((uintptr_t)unwind_name + 1, part, size);
    ck_assert_uint_eq(strlen(part), size - 1);
    ck_assert_int_eq(strncmp(part, whole, size - 1), 0);
    ck_assert_int_eq(part[size], 'x');
  }
  unwind_name((uintptr_t)unwind_name + 1, part, 0);
}
END_TEST

START_TEST(nothing_without_libunwind)
{
  uintptr_t pcs[FRAMES];
  ck_assert_uint_eq(unwind_here(pcs, FRAMES), 0);
  ck_assert_uint_eq(unwind_thread(pthread_self(), pcs, FRAMES), 0);
}
END_TEST

static TCase *stack_cases(void)
{
  TCase *cases = tcase_create("stacks");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, here_is_innermost_first);
  tcase_add_test(cases, here_keeps_within_capacity);
  /* ThreadSanitizer keeps a signal until the thread calls something. */
  if (!THREAD_SANITIZER)
    tcase_add_test(cases, thread_that_spins);
  tcase_add_test(cases, thread_that_sleeps);
  tcase_add_test(cases, thread_that_asks_itself);
  tcase_add_test(cases, thread_deeper_than_is_shown);
  tcase_add_test(cases, thread_that_does_not_hear);
  tcase_add_test(cases, thread_that_has_ended);
  tcase_add_test(cases, ignored_signal_stays_ignored);
  tcase_add_test(cases, handled_signal_is_left_to_the_program);
  tcase_add_test(cases, signals_from_elsewhere);
  tcase_add_test(cases, late_answers_are_dropped);
  tcase_add_test(cases, askers_take_turns);
  tcase_add_test(cases, a_child_finds_nobody_inside);
  return cases;
}

int main(void)
{
  Suite *suite = suite_create("unwind");
  TCase *names = tcase_create("names");
  tcase_add_test(names, name_of_a_function);
  tcase_add_test(names, name_of_nothing);
  tcase_add_test(names, name_is_cut_to_size);
  if (HAVE_LIBUNWIND)
    suite_add_tcase(suite, stack_cases());
  else
    tcase_add_test(names, nothing_without_libunwind);
  suite_add_tcase(suite, names);
  return unit_run(suite);
}
