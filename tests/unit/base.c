/* SPDX-License-Identifier: MIT */
/* Test of base/check.c: what is said, where, in how many writes, and who dies
 * of it; of base/lock.c: which order aborts; of base/park.c: no signal is lost.
 *
 * What may abort runs in a child whose stderr is a socket that keeps the
 * borders between writes. */
#include "unit.h"

#include "base/bits.h"
#include "base/lock.h"
#include "base/park.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct outcome {
  char first[4096]; /* the first write, as a string */
  ssize_t length;   /* of the first write; 0: none */
  ssize_t second;   /* of the second write; 0: none */
  int status;       /* as waitpid() gives it */
};

static struct outcome run_in_child(void (*function)(void))
{
  struct outcome outcome = {.length = 0};
  int ends[2];
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    struct rlimit no_core = {0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL); /* a sanitizer may have taken it */
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    function();
    _exit(7);
  }
  close(ends[1]);
  char more[8];
  outcome.length = read(ends[0], outcome.first, sizeof outcome.first - 1);
  ck_assert_int_ge(outcome.length, 0);
  outcome.first[outcome.length] = '\0';
  outcome.second = read(ends[0], more, sizeof more);
  close(ends[0]);
  ck_assert_int_eq(waitpid(child, &outcome.status, 0), child);
  return outcome;
}

static void assert_returned(const struct outcome *outcome)
{
  ck_assert(WIFEXITED(outcome->status));
  ck_assert_int_eq(WEXITSTATUS(outcome->status), 7);
}

static void assert_aborted(const struct outcome *outcome)
{
  ck_assert(WIFSIGNALED(outcome->status));
  ck_assert_int_eq(WTERMSIG(outcome->status), SIGABRT);
}

static void complain_short(void)
{
  complain("%s is %d", "answer", 42);
}

START_TEST(complaint_is_one_line_in_one_write)
{
  struct outcome outcome = run_in_child(complain_short);
  ck_assert_str_eq(outcome.first, "dusk: answer is 42\n");
  ck_assert_int_eq(outcome.second, 0);
  assert_returned(&outcome);
}
END_TEST

static int complaint_length;

static void complain_long(void)
{
  char text[3000];
  memset(text, 'x', sizeof text);
  text[complaint_length] = '\0';
  complain("%s", text);
}

/* Around the line's capacity, a character more or less must neither overrun it
 * nor lose the line's end. */
START_TEST(long_complaint_is_cut)
{
  static const int lengths[] = {0,    900,  1014, 1015, 1016, 1017, 1018,
                                1019, 1020, 1021, 1022, 1023, 2999};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    complaint_length = lengths[i];
    struct outcome outcome = run_in_child(complain_long);
    assert_returned(&outcome);
    int shown = 0;
    while (outcome.first[6 + shown] == 'x')
      shown++;
    ck_assert_int_eq(strncmp(outcome.first, "dusk: ", 6), 0);
    ck_assert_str_eq(outcome.first + 6 + shown, "\n");
    ck_assert_int_le(shown, complaint_length);
    ck_assert_int_ge(shown, complaint_length < 1000 ? complaint_length : 1000);
    ck_assert_int_eq(outcome.second, 0);
  }
}
END_TEST

static void panic_elsewhere(void)
{
  panic("heap/span.c", 17, "span %p has %d bits", (void *)0x1230, 9);
}

START_TEST(panic_names_the_place_and_aborts)
{
  struct outcome outcome = run_in_child(panic_elsewhere);
  ck_assert_str_eq(outcome.first,
                   "dusk: panic at heap/span.c:17: span 0x1230 has 9 bits\n");
  ck_assert_int_eq(outcome.second, 0);
  assert_aborted(&outcome);
}
END_TEST

static void panic_here(void)
{
  PANIC("reason");
}

START_TEST(panic_macro_names_this_file)
{
  struct outcome outcome = run_in_child(panic_here);
  ck_assert_ptr_nonnull(strstr(outcome.first, __FILE__));
  ck_assert_ptr_nonnull(strstr(outcome.first, ": reason\n"));
  assert_aborted(&outcome);
}
END_TEST

static void panic_far_away(void)
{
  char file[400];
  memset(file, 'd', sizeof file);
  file[sizeof file - 1] = '\0';
  panic(file, 1, "reason");
}

START_TEST(long_place_leaves_the_message)
{
  struct outcome outcome = run_in_child(panic_far_away);
  ck_assert_ptr_nonnull(strstr(outcome.first, "reason\n"));
  assert_aborted(&outcome);
}
END_TEST

static int evaluated;

static void check_what_holds(void)
{
  evaluated = 0;
  CHECK(++evaluated == 1);
  CHECK_SLOW(++evaluated == 2);
  if (evaluated != (DUSK_CHECKS ? 2 : 0))
    complain("evaluated %d times", evaluated);
}

static void check_what_does_not_hold(void)
{
  CHECK(1 + 1 == 3);
}

static void align_to_three(void)
{
  volatile size_t three = 3;
  (void)align_up(5, three);
}

/* In an ordinary build a check says nothing and costs nothing: its condition is
 * not evaluated. */
START_TEST(checks_abort_in_checked_builds_only)
{
  struct outcome outcome = run_in_child(check_what_holds);
  ck_assert_str_eq(outcome.first, "");
  assert_returned(&outcome);
  outcome = run_in_child(check_what_does_not_hold);
  if (DUSK_CHECKS) {
    ck_assert_ptr_nonnull(
        strstr(outcome.first, ": check failed: 1 + 1 == 3\n"));
    assert_aborted(&outcome);
  } else {
    ck_assert_str_eq(outcome.first, "");
    assert_returned(&outcome);
  }
  outcome = run_in_child(align_to_three);
  if (DUSK_CHECKS)
    assert_aborted(&outcome);
  else
    assert_returned(&outcome);
}
END_TEST

/* ---- locks ---- */

static struct lock registry, roots, pages;

static void set_up_locks(void)
{
  lock_init(&registry, RANK_registry);
  lock_init(&roots, RANK_roots);
  lock_init(&pages, RANK_pages);
}

static void tear_down_locks(void)
{
  lock_destroy(&registry);
  lock_destroy(&roots);
  lock_destroy(&pages);
}

START_TEST(locks_in_order)
{
  for (int i = 0; i < 2; i++) {
    lock_acquire(&registry);
    lock_acquire(&pages);
    ck_assert(lock_rank_is_held(RANK_registry));
    ck_assert(lock_rank_is_held(RANK_pages));
    ck_assert_int_eq(lock_rank_is_held(RANK_roots), !DUSK_CHECKS);
    lock_release(&registry); /* releasing may be in any order */
    lock_release(&pages);
    ck_assert_int_eq(lock_rank_is_held(RANK_pages), !DUSK_CHECKS);
  }
}
END_TEST

static void lock_backwards(void)
{
  lock_acquire(&pages);
  lock_acquire(&registry);
}

static void try_backwards(void)
{
  lock_acquire(&pages);
  ck_assert(lock_try(&registry));
}

static void lock_two_of_a_rank(void)
{
  struct lock other;
  lock_init(&other, RANK_roots);
  lock_acquire(&roots);
  lock_acquire(&other);
}

static void assert_order(void (*function)(void), const char *complaint)
{
  struct outcome outcome = run_in_child(function);
  if (DUSK_CHECKS) {
    ck_assert_ptr_nonnull(strstr(outcome.first, complaint));
    assert_aborted(&outcome);
  } else {
    assert_returned(&outcome);
  }
}

/* None of these would have deadlocked; checked builds abort all the same. */
START_TEST(locks_out_of_order)
{
  assert_order(lock_backwards, "took 'registry' while holding 'pages'");
  assert_order(try_backwards, "took 'registry' while holding 'pages'");
  assert_order(lock_two_of_a_rank, "took 'roots' while holding 'roots'");
}
END_TEST

static void *try_roots(void *got)
{
  *(bool *)got = lock_try(&roots);
  if (*(bool *)got)
    lock_release(&roots);
  return NULL;
}

static bool other_thread_gets_roots(void)
{
  bool got;
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, try_roots, &got), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  return got;
}

START_TEST(lock_excludes)
{
  ck_assert(other_thread_gets_roots());
  lock_acquire(&roots);
  ck_assert(!other_thread_gets_roots());
  lock_release(&roots);
  ck_assert(lock_try(&roots));
  ck_assert(!other_thread_gets_roots());
  lock_release(&roots);
  ck_assert(other_thread_gets_roots());
}
END_TEST

/* ---- parks ---- */

static struct park park;
static const uint64_t ms = 1000000;

static void set_up_park(void)
{
  park_init(&park);
}

static void tear_down_park(void)
{
  park_destroy(&park);
}

static uint64_t elapsed_ns(const struct timespec *since)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)(now.tv_sec - since->tv_sec) * 1000 * ms +
         (uint64_t)now.tv_nsec - (uint64_t)since->tv_nsec;
}

START_TEST(wait_ends_in_time)
{
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  ck_assert(!park_wait(&park, park_note(&park), 0));
  ck_assert(!park_wait(&park, park_note(&park), 30 * ms));
  ck_assert_uint_ge(elapsed_ns(&start), 30 * ms);
}
END_TEST

START_TEST(signal_before_the_wait_counts)
{
  uint64_t noted = park_note(&park);
  park_signal(&park);
  ck_assert(park_wait(&park, noted, UINT64_MAX));
  ck_assert(park_wait(&park, noted, 0));
  ck_assert(!park_wait(&park, park_note(&park), 0));
}
END_TEST

static void *wait_for_signal(void *noted)
{
  ck_assert(park_wait(&park, *(uint64_t *)noted, UINT64_MAX));
  return NULL;
}

START_TEST(signal_wakes_all)
{
  pthread_t threads[4];
  uint64_t noted = park_note(&park);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_signal, &noted),
                     0);
  (void)park_wait(&park, noted, 20 * ms); /* so that most of them wait */
  park_signal(&park);
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("base");
  TCase *cases = tcase_create("check");
  tcase_add_test(cases, complaint_is_one_line_in_one_write);
  tcase_add_test(cases, long_complaint_is_cut);
  tcase_add_test(cases, panic_names_the_place_and_aborts);
  tcase_add_test(cases, panic_macro_names_this_file);
  tcase_add_test(cases, long_place_leaves_the_message);
  tcase_add_test(cases, checks_abort_in_checked_builds_only);
  suite_add_tcase(suite, cases);
  TCase *locks = tcase_create("lock");
  tcase_add_checked_fixture(locks, set_up_locks, tear_down_locks);
  tcase_add_test(locks, locks_in_order);
  tcase_add_test(locks, locks_out_of_order);
  tcase_add_test(locks, lock_excludes);
  suite_add_tcase(suite, locks);
  TCase *parks = tcase_create("park");
  tcase_add_checked_fixture(parks, set_up_park, tear_down_park);
  tcase_add_test(parks, wait_ends_in_time);
  tcase_add_test(parks, signal_before_the_wait_counts);
  tcase_add_test(parks, signal_wakes_all);
  suite_add_tcase(suite, parks);
  return unit_run(suite);
}
