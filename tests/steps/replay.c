/* SPDX-License-Identifier: MIT */
/* Test of the play itself: the same seed makes the same steps, other seeds make
 * others, and what hangs is found out. */
#include "play.h"

#include "base/park.h"
#include "os/clock.h"

#include "dusk.h"
#include "unit/unit.h"

#include <signal.h>
#include <string.h>

/* ---- a heap with two mutators ---- */

static dusk_heap *heap;
static void *shared[4];

static void mutate(void *argument)
{
  unsigned number = *(unsigned *)argument;
  dusk_thread *thread;
  if (dusk_attach(heap, &thread))
    play_fail("cannot attach");
  for (unsigned i = 0; i < 200; i++) {
    void **object = dusk_alloc(thread, DUSK_CONSERVATIVE, 512);
    dusk_init(thread, object, dusk_load(&shared[i % 4]));
    dusk_store(thread, &shared[(i + number) % 4], i % 7 ? object : NULL);
    if (i % 64 == number)
      dusk_collect(thread);
    play_point("mutated");
  }
  dusk_detach(thread);
}

static void mutate_twice(void *argument)
{
  unsigned numbers[] = {0, 1};
  dusk_options options = DUSK_OPTIONS_INIT;
  options.flags = DUSK_NO_ENV;
  options.reserve_bytes = (size_t)16 << 20;
  (void)argument;
  memset(shared, 0, sizeof shared);
  if (dusk_heap_open(&options, &heap) ||
      dusk_root_add(heap, shared, sizeof shared))
    play_fail("no heap");
  unsigned first = play_start("first", mutate, &numbers[0]);
  unsigned second = play_start("second", mutate, &numbers[1]);
  play_join(first);
  play_join(second);
  dusk_heap_close(heap);
}

static struct play_end run(enum play_order order, uint64_t seed)
{
  struct play play = {.order = order, .seed = seed};
  return play_run(&play, mutate_twice, NULL);
}

START_TEST(the_same_seed_makes_the_same_steps)
{
  for (uint64_t seed = 0; seed < 20; seed++) {
    struct play_end first = run(PLAY_RANDOM, seed);
    struct play_end other = run(PLAY_PRIORITIES, seed);
    run(PLAY_RANDOM, seed + 1000);
    struct play_end again = run(PLAY_RANDOM, seed);
    ck_assert_uint_gt(first.changes, 20);
    ck_assert_uint_eq(first.steps, again.steps);
    ck_assert_uint_eq(first.hash, again.hash);
    ck_assert_uint_eq(other.hash, run(PLAY_PRIORITIES, seed).hash);
    ck_assert_uint_ne(first.hash, other.hash);
    ck_assert_uint_ne(first.hash, run(PLAY_RANDOM, seed + 1).hash);
  }
}
END_TEST

START_TEST(the_same_bytes_make_the_same_steps)
{
  uint8_t bytes[400];
  struct play play = {.order = PLAY_BYTES, .bytes = bytes, .count = 400};
  for (unsigned i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * i * 31 + i);
  struct play_end first = play_run(&play, mutate_twice, NULL);
  ck_assert_uint_eq(first.hash, play_run(&play, mutate_twice, NULL).hash);
  for (unsigned i = 0; i < sizeof bytes; i++)
    bytes[i] ^= 5;
  ck_assert_uint_ne(first.hash, play_run(&play, mutate_twice, NULL).hash);
}
END_TEST

/* ---- what does not end ---- */

static struct park parks[2];

static void wait_for_other(void *argument)
{
  unsigned own = *(unsigned *)argument;
  park_wait(&parks[own], park_note(&parks[own]), UINT64_MAX);
  park_signal(&parks[!own]);
}

static void wait_for_each_other(void *argument)
{
  unsigned numbers[] = {0, 1};
  (void)argument;
  park_init(&parks[0]);
  park_init(&parks[1]);
  unsigned first = play_start("first", wait_for_other, &numbers[0]);
  play_join(play_start("second", wait_for_other, &numbers[1]));
  play_join(first);
}

START_TEST(a_deadlock_ends_the_process)
{
  struct play play = {.order = PLAY_RANDOM};
  play_run(&play, wait_for_each_other, NULL);
}
END_TEST

static void wait_alone(void *argument)
{
  (void)argument;
  for (;;)
    play_yield();
}

START_TEST(a_loop_that_nobody_ends_is_found)
{
  struct play play = {.order = PLAY_PRIORITIES};
  play_run(&play, wait_alone, NULL);
}
END_TEST

/* ---- time ---- */

static void sleep_an_hour(void *argument)
{
  struct park park;
  uint64_t hour = UINT64_C(3600) * 1000000000;
  uint64_t begun = clock_now();
  (void)argument;
  clock_sleep(hour);
  if (clock_now() - begun < hour)
    play_fail("woke early");
  park_init(&park);
  if (park_wait(&park, park_note(&park), hour))
    play_fail("nobody signalled");
  if (clock_now() - begun < 2 * hour)
    play_fail("woke early");
  park_destroy(&park);
}

START_TEST(who_sleeps_takes_no_time)
{
  struct play play = {.order = PLAY_RANDOM};
  play_run(&play, sleep_an_hour, NULL);
}
END_TEST

/* ---- a script ---- */

static unsigned visited;

static void visit_three(void *argument)
{
  (void)argument;
  for (visited = 1; visited <= 3; visited++)
    play_point(visited == 2 ? "two" : "other");
}

static void lead(void *argument)
{
  (void)argument;
  unsigned led = play_start("led", visit_three, NULL);
  if (visited)
    play_fail("it runs by itself");
  play_must(led, "two");
  if (visited != 2)
    play_fail("it is not where it should be");
  if (play_until(led, "two"))
    play_fail("there is no second one");
  play_join(led);
}

START_TEST(a_script_leads_to_a_point)
{
  struct play play = {.order = PLAY_SCRIPT};
  play_run(&play, lead, NULL);
  ck_assert_uint_eq(visited, 4);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("replay");
  TCase *cases = tcase_create("replay");
  tcase_set_timeout(cases, 120);
  tcase_add_test(cases, the_same_seed_makes_the_same_steps);
  tcase_add_test(cases, the_same_bytes_make_the_same_steps);
  tcase_add_test_raise_signal(cases, a_deadlock_ends_the_process, SIGABRT);
  tcase_add_test_raise_signal(cases, a_loop_that_nobody_ends_is_found, SIGABRT);
  tcase_add_test(cases, who_sleeps_takes_no_time);
  tcase_add_test(cases, a_script_leads_to_a_point);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
