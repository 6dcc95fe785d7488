/* SPDX-License-Identifier: MIT */
/* Test of os/scrub.c: of what deep calls have left, nothing remains. */
#include "unit.h"

#include "os/scrub.h"
#include "os/self.h"

#include <pthread.h>

enum { WORDS = 12 * 1024, END_BYTES = 64 * 1024 };

static volatile uintptr_t opposite = ~(uintptr_t)0x5ca1ab1e0ddba11;
static volatile uintptr_t sink;

/* No frame holds the word itself while another looks for it. */
READS_AMBIGUOUS_WORDS static size_t count(uintptr_t start, uintptr_t end)
{
  size_t found = 0;
  for (uintptr_t at = start; at < end; at += sizeof(uintptr_t))
    found += ~*(const volatile uintptr_t *)at == opposite;
  return found;
}

NOINLINE static void litter(void)
{
  volatile uintptr_t words[WORDS];
  for (size_t i = 0; i < WORDS; i++)
    words[i] = ~opposite;
  sink = words[sink % WORDS];
}

/* Frames of many sizes, so that gaps of any frame have had the word. */
NOINLINE static void litter_deeply(size_t depth)
{
  volatile char room[24];
  room[depth % sizeof room] = 1;
  if (depth)
    litter_deeply(depth - 1);
  litter();
  sink = (uintptr_t)room[depth % sizeof room];
}

static uintptr_t stack_low(void)
{
  uintptr_t low, high;
  ck_assert_int_eq(self_stack(&low, &high), 0);
  return low;
}

NOINLINE static void check_clearing(uintptr_t low)
{
  uintptr_t registers[SELF_REGISTERS];
  uintptr_t here = self_save(registers);
  uintptr_t deepest = here - WORDS * sizeof(uintptr_t);
  litter_deeply(5);
  ck_assert_uint_gt(count(deepest, here), WORDS / 2);
  scrub_stack(low);
  ck_assert_uint_eq(count(deepest, here), 0);
}

static void *check_on_a_thread(void *unused)
{
  (void)unused;
  check_clearing(stack_low());
  return NULL;
}

START_TEST(calls_leave_nothing)
{
  pthread_t thread;
  check_clearing(stack_low());
  ck_assert_int_eq(pthread_create(&thread, NULL, check_on_a_thread, NULL), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* The last 64 KiB are for who is called: nothing is written there. */
NOINLINE static void check_the_end(void)
{
  uintptr_t registers[SELF_REGISTERS];
  uintptr_t here = self_save(registers);
  litter();
  scrub_far(here - END_BYTES);
  ck_assert_uint_gt(count(here - END_BYTES, here), WORDS / 2);
}

START_TEST(the_end_is_left_alone)
{
  check_the_end();
}
END_TEST

/* What the caller and its callers hold is theirs. */
NOINLINE static uintptr_t add(uintptr_t level, uintptr_t low)
{
  volatile uintptr_t kept = level * 3;
  uintptr_t sum = level ? add(level - 1, low) : 0;
  scrub_stack(low);
  return sum + kept;
}

START_TEST(frames_are_left_alone)
{
  ck_assert_uint_eq(add(500, stack_low()), 3 * 500 * 501 / 2);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scrub");
  TCase *tcase = tcase_create("scrub");
  tcase_add_test(tcase, calls_leave_nothing);
  tcase_add_test(tcase, the_end_is_left_alone);
  tcase_add_test(tcase, frames_are_left_alone);
  suite_add_tcase(suite, tcase);
  return unit_run(suite);
}
