/* SPDX-License-Identifier: MIT */
/* api.h -- what the tests of the public contract share
 *
 * A program in this folder tests one header of <dusk.h>, includes nothing of
 * runtime/, and links the shared library as a user would.  Check forks for
 * each test, so a crash fails one test and the others still run.
 *
 * No test compares a time to a fixed number: the machine may be slow, shared,
 * or running under a sanitizer.  The time limit of a test is there to end a
 * program that hangs.
 *
 * What a conservative stack may keep by accident is a handful of objects, and
 * whatever hangs from them; a test that counts garbage makes objects that
 * hang from nothing, or makes them on a thread that has ended. */
#ifndef DUSK_TESTS_API_H
#define DUSK_TESTS_API_H

#include "dusk.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Objects that stale words on a stack may keep alive. */
enum { HANDFUL = 64 };

enum { HANG_SECONDS = 600 };

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

/* The sanitizers reserve terabytes of address space and keep freed memory, so
 * tests of rlimits and resident pages mean nothing under them. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

/* ThreadSanitizer starts no threads in the child of a process that had some. */
#if defined(__SANITIZE_THREAD__)
enum { THREADS_MAY_NOT_FOLLOW_A_FORK = 1 };
#else
enum { THREADS_MAY_NOT_FOLLOW_A_FORK = 0 };
#endif

static inline int api_run(Suite *suite)
{
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline TCase *api_case(Suite *suite, const char *name)
{
  TCase *tests = tcase_create(name);
  tcase_set_timeout(tests, HANG_SECONDS);
  suite_add_tcase(suite, tests);
  return tests;
}

/* Options that the environment of whoever runs the tests cannot change. */
static inline dusk_options api_options(void)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  options.flags = DUSK_NO_ENV;
  return options;
}

static inline dusk_heap *api_open_with(const dusk_options *options)
{
  dusk_heap *heap = NULL;
  ck_assert_int_eq(dusk_heap_open(options, &heap), 0);
  ck_assert_ptr_nonnull(heap);
  return heap;
}

static inline dusk_heap *api_open(void)
{
  dusk_options options = api_options();
  return api_open_with(&options);
}

/* A heap whose cycles are those that the test asks for. */
static inline dusk_heap *api_open_manual(void)
{
  dusk_options options = api_options();
  options.gc_percent = -1;
  return api_open_with(&options);
}

static inline dusk_thread *api_attach(dusk_heap *heap)
{
  dusk_thread *thread = NULL;
  ck_assert_int_eq(dusk_attach(heap, &thread), 0);
  ck_assert_ptr_nonnull(thread);
  return thread;
}

static inline void api_close(dusk_heap *heap, dusk_thread *thread)
{
  dusk_detach(thread);
  dusk_heap_close(heap);
}

/* For hot loops: a ck_assert() that holds still costs a system call. */
#define api_check(condition)                                                   \
  do {                                                                         \
    if (DUSK_UNLIKELY(!(condition)))                                           \
      ck_abort_msg("Check '%s' failed", #condition);                           \
  } while (0)

static inline void *api_alloc(dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  void *object = dusk_alloc(thread, kind, bytes);
  api_check(object != NULL);
  return object;
}

/* The compiler must believe that the object is still needed here. */
static inline void api_keep(const void *object)
{
  __asm__ volatile("" : : "r"(object) : "memory");
}

/* Overwrites what finished calls left on the stack. */
static __attribute__((noinline, unused)) void api_scrub_stack(void)
{
  volatile char dead[KIB(32)];
  for (size_t i = 0; i < sizeof(dead); i++)
    dead[i] = 0;
}

/* Two cycles: what died while the first one ran goes with the second. */
static inline void api_collect_all(dusk_thread *thread)
{
  api_scrub_stack();
  dusk_collect(thread);
  dusk_collect(thread);
}

static inline uint64_t api_objects(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.heap_objects;
}

static inline uint64_t api_cycles(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.num_gc;
}

static inline uint64_t api_now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void api_sleep_us(unsigned microseconds)
{
  struct timespec time = {microseconds / 1000000u,
                          (long)(microseconds % 1000000u) * 1000};
  nanosleep(&time, NULL);
}

static inline pthread_t api_start(void *(*body)(void *), void *argument)
{
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, body, argument), 0);
  return thread;
}

/* xorshift64*: enough to mix operations; the seed is fixed on purpose. */
static inline uint64_t api_random(uint64_t *state)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* What a process said on stderr, and how it ended. */
struct api_child {
  int exit_code; /* -1: killed by a signal */
  char text[32768];
};

/* For such a process: what is not so, on stderr, and it ends. */
#define api_require(condition)                                                 \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                  \
      _exit(1);                                                                \
    }                                                                          \
  } while (0)

/* What the process `pid` says, whose stderr is ends[1], until it ends. */
static inline void api_hear(struct api_child *child, pid_t pid, int ends[2])
{
  close(ends[1]);
  size_t length = 0;
  char discard[256];
  for (;;) {
    size_t room = sizeof(child->text) - 1 - length;
    ssize_t got = room ? read(ends[0], child->text + length, room)
                       : read(ends[0], discard, sizeof(discard));
    if (got <= 0)
      break;
    length += room ? (size_t)got : 0;
  }
  child->text[length] = '\0';
  close(ends[0]);
  int status;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  child->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs body(argument) in a process of its own, which exits with its result. */
static inline void api_fork(struct api_child *child,
                            int (*body)(const void *argument),
                            const void *argument)
{
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  pid_t pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    exit(body(argument)); /* not _exit(): what was run is counted then */
  }
  api_hear(child, pid, ends);
}

/* Lines of `text` that contain `needle`; "" is in every line. */
static inline unsigned api_lines_with(const char *text, const char *needle)
{
  unsigned count = 0;
  while (*text) {
    const char *end = strchr(text, '\n');
    size_t length = end ? (size_t)(end - text) : strlen(text);
    count += memmem(text, length, needle, strlen(needle)) != NULL;
    text += length + (end != NULL);
  }
  return count;
}

/* The child did what was expected, and said one line, with `needle` in it. */
#define api_assert_one_line(child, needle)                                     \
  do {                                                                         \
    ck_assert_msg((child)->exit_code == 0, "exit %d, stderr: %s",              \
                  (child)->exit_code, (child)->text);                          \
    ck_assert_msg(api_lines_with((child)->text, "") == 1 &&                    \
                      api_lines_with((child)->text, needle) == 1,              \
                  "not one line with '%s': %s", needle, (child)->text);        \
  } while (0)

#define api_assert_silent(child)                                               \
  ck_assert_msg((child)->exit_code == 0 && !(child)->text[0],                  \
                "exit %d, stderr: %s", (child)->exit_code, (child)->text)

#endif
