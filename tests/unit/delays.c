/* SPDX-License-Identifier: MIT */
/* Test of event/delays.c: a ring with one writer and one reader, which loses
 * nothing without counting it. */
#include "unit.h"

#include "fixture.h"
#include "event/delays.h"

#include <sched.h>

static struct delays *delays;

static void set_up(void)
{
  delays = delays_make();
  ck_assert_ptr_nonnull(delays);
}

static void tear_down(void)
{
  delays_free(delays);
}

/* Delay number n: each field tells which. */
static void add(uint64_t n)
{
  delays_add(delays, (enum delay_kind)(n % DELAY_KIND_COUNT), n, 3 * n);
}

static void check_is(const struct delay *delay, uint64_t n)
{
  if (delay->start_ns != n || delay->duration_ns != 3 * n ||
      delay->kind != n % DELAY_KIND_COUNT)
    ck_abort_msg("delay %llu is another", (unsigned long long)n);
}

/* Takes all there are, which begin with number `first`; how many. */
static uint64_t take_all(uint64_t first)
{
  struct delay delay;
  uint64_t count = 0;
  while (delays_take(delays, &delay))
    check_is(&delay, first + count++);
  return count;
}

START_TEST(a_new_ring_is_empty)
{
  ck_assert_uint_eq(take_all(0), 0);
  ck_assert_uint_eq(delays_take_lost(delays), 0);
}
END_TEST

START_TEST(delays_come_out_as_they_went_in_once)
{
  uint64_t next = 1;
  for (uint64_t round = 0; round < 100; round++) {
    uint64_t count = fixture_random(DELAYS_ROOM + 1);
    for (uint64_t i = 0; i < count; i++)
      add(next + i);
    ck_assert_uint_eq(take_all(next), count);
    next += count;
  }
  ck_assert_uint_gt(next, 3 * DELAYS_ROOM);
  ck_assert_uint_eq(delays_take_lost(delays), 0);
}
END_TEST

START_TEST(a_full_ring_keeps_the_oldest_and_counts_the_rest)
{
  for (uint64_t n = 0; n < DELAYS_ROOM + 7; n++)
    add(n);
  ck_assert_uint_eq(delays_take_lost(delays), 7);
  ck_assert_uint_eq(delays_take_lost(delays), 0);
  ck_assert_uint_eq(take_all(0), DELAYS_ROOM);
  add(5000);
  ck_assert_uint_eq(take_all(5000), 1);
}
END_TEST

START_TEST(a_cleared_ring_is_new)
{
  for (uint64_t n = 0; n < DELAYS_ROOM + 7; n++)
    add(n);
  delays_clear(delays);
  ck_assert_uint_eq(delays_take_lost(delays), 0);
  ck_assert_uint_eq(take_all(0), 0);
}
END_TEST

START_TEST(without_a_ring_nothing_is_timed)
{
  ck_assert_uint_eq(delays_start(NULL), 0);
  delays_end(NULL, DELAY_wall, 0);
  delays_note(NULL, DELAY_wall, 1, 2);
  ck_assert_uint_ne(delays_start(delays), 0);
}
END_TEST

START_TEST(a_stretch_is_from_its_start_to_its_end)
{
  struct delay delay;
  uint64_t start = delays_start(delays);
  delays_end(delays, DELAY_wall, start);
  uint64_t after = clock_now();
  ck_assert(delays_take(delays, &delay));
  ck_assert_uint_eq(delay.kind, DELAY_wall);
  ck_assert_uint_eq(delay.start_ns, start);
  ck_assert_uint_le(delay.start_ns + delay.duration_ns, after);
}
END_TEST

/* ---- both at once ---- */

enum { MANY = 200000 };
static uint64_t taken, lost;
static bool written;

static void write_or_read(unsigned index)
{
  struct delay delay;
  uint64_t last = 0;
  if (index == 0) {
    for (uint64_t n = 1; n <= MANY; n++) {
      add(n);
      if (n % 512 == 0)
        sched_yield();
    }
    STORE_RELEASE(&written, true); /* with the other */
    return;
  }
  for (;;) {
    bool all = LOAD_ACQUIRE(&written); /* with the other */
    while (delays_take(delays, &delay)) {
      check_is(&delay, delay.start_ns);
      if (delay.start_ns <= last)
        ck_abort_msg("a delay came twice, or too late");
      last = delay.start_ns;
      taken++;
    }
    lost += delays_take_lost(delays);
    if (all)
      return;
  }
}

START_TEST(each_is_taken_or_counted_while_more_are_written)
{
  fixture_threads(2, write_or_read);
  ck_assert_uint_eq(taken + lost, MANY);
  ck_assert_uint_ge(taken, DELAYS_ROOM);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("delays");
  TCase *cases = tcase_create("delays");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, a_new_ring_is_empty);
  tcase_add_test(cases, delays_come_out_as_they_went_in_once);
  tcase_add_test(cases, a_full_ring_keeps_the_oldest_and_counts_the_rest);
  tcase_add_test(cases, a_cleared_ring_is_new);
  tcase_add_test(cases, without_a_ring_nothing_is_timed);
  tcase_add_test(cases, a_stretch_is_from_its_start_to_its_end);
  tcase_add_test(cases, each_is_taken_or_counted_while_more_are_written);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
