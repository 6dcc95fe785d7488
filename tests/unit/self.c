/* SPDX-License-Identifier: MIT */
/* Test of os/self.c: a scan of what it names finds what the program holds.
 *
 * The secrets are products that stand nowhere but where the compiler keeps
 * them: more of them than there are registers, in several frames, so that each
 * kind of place has some.  Built with -DSELF_PORTABLE too, this tests the way
 * for machines without assembler. */
#include "unit.h"

#include "os/self.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* As many in each frame, in as many frames; the last of each in the registers
 * for numbers, some of which calls preserve on some machines. */
enum { SECRETS = 24, LEVELS = 4 };

static volatile uintptr_t seed = 20240229;
static volatile uintptr_t sink;
static volatile double number_sink;
static unsigned scans;

/* A call: or the compiler may keep what the product is made of instead. */
NOINLINE static uintptr_t secret(unsigned level, unsigned index)
{
  uintptr_t number = seed + level * SECRETS + index;
  return number * (uintptr_t)UINT64_C(0x9e3779b97f4a7c15);
}

NOINLINE static double secret_number(unsigned level, unsigned index)
{
  uintptr_t word = secret(level, index);
  double number = 0;
  memcpy(&number, &word, sizeof word);
  return number;
}

READS_AMBIGUOUS_WORDS static bool holds(uintptr_t start, uintptr_t end,
                                        uintptr_t word)
{
  for (uintptr_t at = start; at < end; at += sizeof word)
    if (*(const volatile uintptr_t *)at == word)
      return true;
  return false;
}

/* Overwrites what is below the caller's frame, as the next call may. */
NOINLINE static void wipe_below(void)
{
  volatile char junk[8192];
  for (size_t i = 0; i < sizeof junk; i++)
    junk[i] = (char)i;
}

/* Recomputes the secrets, in its own frame; what it scans begins above that, at
 * the caller's stack pointer. */
NOINLINE static void find_secrets(uintptr_t pointer, const uintptr_t *registers)
{
  uintptr_t low, high;
  uintptr_t caller = (uintptr_t)__builtin_dwarf_cfa();
  uintptr_t first = (uintptr_t)registers;
  uintptr_t end = first + SELF_REGISTERS * sizeof *registers;
  ck_assert_int_eq(self_stack(&low, &high), 0);
  ck_assert_uint_ge(pointer, low);
  ck_assert_uint_le(pointer, caller);
  ck_assert_uint_lt(caller, high);
  ck_assert_uint_eq(pointer % sizeof pointer, 0);
  for (unsigned level = 0; level < LEVELS; level++)
    for (unsigned index = 0; index < SECRETS; index++) {
      uintptr_t word = secret(level, index);
      ck_assert_msg(holds(caller, high, word) || holds(first, end, word),
                    "secret %u of level %u is lost", index, level);
    }
  /* The scan can say no. */
  ck_assert(!holds(caller, high, secret(LEVELS, 0)));
  ck_assert(!holds(first, end, secret(LEVELS, 0)));
  scans++;
}

NOINLINE static void hold_secrets(unsigned level, uintptr_t *registers)
{
  unsigned i = 0;
  uintptr_t a = secret(level, i++), b = secret(level, i++);
  uintptr_t c = secret(level, i++), d = secret(level, i++);
  uintptr_t e = secret(level, i++), f = secret(level, i++);
  uintptr_t g = secret(level, i++), h = secret(level, i++);
  uintptr_t j = secret(level, i++), k = secret(level, i++);
  uintptr_t l = secret(level, i++), m = secret(level, i++);
  uintptr_t n = secret(level, i++), o = secret(level, i++);
  uintptr_t p = secret(level, i++), q = secret(level, i++);
  double s = secret_number(level, i++), t = secret_number(level, i++);
  double u = secret_number(level, i++), v = secret_number(level, i++);
  double w = secret_number(level, i++), x = secret_number(level, i++);
  double y = secret_number(level, i++), z = secret_number(level, i++);
  if (level + 1 < LEVELS) {
    hold_secrets(level + 1, registers);
  } else {
    uintptr_t pointer = self_save(registers);
    wipe_below();
    find_secrets(pointer, registers);
  }
  /* Not sums: each secret itself is needed after the call. */
  sink = a, sink = b, sink = c, sink = d, sink = e, sink = f, sink = g;
  sink = h, sink = j, sink = k, sink = l, sink = m, sink = n, sink = o;
  sink = p, sink = q;
  number_sink = s, number_sink = t, number_sink = u, number_sink = v;
  number_sink = w, number_sink = x, number_sink = y, number_sink = z;
}

static void *run_thread(void *unused)
{
  /* Not on the stack: what is found must have been found where it is. */
  static uintptr_t registers[SELF_REGISTERS];
  hold_secrets(0, registers);
  return unused;
}

START_TEST(main_thread_hides_nothing)
{
  run_thread(NULL);
  ck_assert_uint_eq(scans, 1);
}
END_TEST

START_TEST(other_thread_hides_nothing)
{
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, NULL), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_uint_eq(scans, 1);
}
END_TEST

START_TEST(save_keeps_within_its_words)
{
  uintptr_t registers[SELF_REGISTERS + 2];
  registers[0] = registers[SELF_REGISTERS + 1] = 0x5ea1;
  (void)self_save(registers + 1);
  ck_assert_uint_eq(registers[0], 0x5ea1);
  ck_assert_uint_eq(registers[SELF_REGISTERS + 1], 0x5ea1);
}
END_TEST

/* ---- the stack ---- */

struct stack {
  uintptr_t low, high, within;
};

static void *measure(void *result)
{
  struct stack *stack = result;
  stack->within = (uintptr_t)__builtin_frame_address(0);
  errno = EXDEV;
  ck_assert_int_eq(self_stack(&stack->low, &stack->high), 0);
  ck_assert_int_eq(errno, EXDEV);
  return NULL;
}

START_TEST(stack_of_main)
{
  struct stack stack;
  measure(&stack);
  ck_assert_uint_lt(stack.low, stack.within);
  ck_assert_uint_lt(stack.within, stack.high);
}
END_TEST

START_TEST(stack_of_a_thread)
{
  enum { BYTES = 1 << 20 };
  struct stack stack;
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ck_assert_int_eq(pthread_attr_setstacksize(&attributes, BYTES), 0);
  ck_assert_int_eq(pthread_create(&thread, &attributes, measure, &stack), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&attributes);
  ck_assert_uint_lt(stack.low, stack.within);
  ck_assert_uint_lt(stack.within, stack.high);
  ck_assert_uint_ge(stack.high - stack.low, BYTES / 2);
}
END_TEST

/* The bounds are where the stack ends, not only near: a stack of our own. */
START_TEST(stack_of_our_own)
{
  enum { BYTES = 1 << 20 };
  struct stack stack;
  pthread_t thread;
  pthread_attr_t attributes;
  void *memory;
  ck_assert_int_eq(posix_memalign(&memory, 4096, BYTES), 0);
  pthread_attr_init(&attributes);
  ck_assert_int_eq(pthread_attr_setstack(&attributes, memory, BYTES), 0);
  ck_assert_int_eq(pthread_create(&thread, &attributes, measure, &stack), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  pthread_attr_destroy(&attributes);
  ck_assert_uint_eq(stack.low, (uintptr_t)memory);
  ck_assert_uint_eq(stack.high, (uintptr_t)memory + BYTES);
  free(memory);
}
END_TEST

/* ---- the variables ---- */

struct sought {
  uintptr_t word; /* an address */
  unsigned found; /* segments that it is in */
};

static void seek(uintptr_t start, uintptr_t end, void *context)
{
  struct sought *sought = context;
  ck_assert_uint_lt(start, end);
  ck_assert_uint_eq(start % sizeof start, 0);
  ck_assert_uint_eq(end % sizeof end, 0);
  (void)holds(start, end, 0x5ea1); /* all of it can be read */
  sought->found += start <= sought->word && sought->word < end;
}

static unsigned segments_with(const void *address)
{
  struct sought sought = {(uintptr_t)address, 0};
  errno = EXDEV;
  self_data_segments(seek, &sought);
  ck_assert_int_eq(errno, EXDEV);
  return sought.found;
}

static uintptr_t initialised = 1;
static uintptr_t zero[1000];
static const uintptr_t constant = 1;

START_TEST(segments_hold_the_variables)
{
  ck_assert_uint_eq(segments_with(&initialised), 1);
  ck_assert_uint_eq(segments_with(&zero[0]), 1);
  ck_assert_uint_eq(segments_with(&zero[999]), 1);
}
END_TEST

START_TEST(segments_hold_those_of_libraries)
{
  ck_assert_uint_eq(segments_with(stdout), 1); /* the C library's */
}
END_TEST

START_TEST(segments_hold_nothing_else)
{
  int local;
  void *allocated = malloc(1);
  ck_assert_uint_eq(segments_with(&constant), 0);
  ck_assert_uint_eq(segments_with(&local), 0);
  ck_assert_uint_eq(segments_with(allocated), 0);
  free(allocated);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("self");
  TCase *registers = tcase_create("registers");
  tcase_add_test(registers, main_thread_hides_nothing);
  tcase_add_test(registers, other_thread_hides_nothing);
  tcase_add_test(registers, save_keeps_within_its_words);
  suite_add_tcase(suite, registers);
  TCase *stack = tcase_create("stack");
  tcase_add_test(stack, stack_of_main);
  tcase_add_test(stack, stack_of_a_thread);
  tcase_add_test(stack, stack_of_our_own);
  suite_add_tcase(suite, stack);
  TCase *segments = tcase_create("segments");
  tcase_add_test(segments, segments_hold_the_variables);
  tcase_add_test(segments, segments_hold_those_of_libraries);
  tcase_add_test(segments, segments_hold_nothing_else);
  suite_add_tcase(suite, segments);
  return unit_run(suite);
}
