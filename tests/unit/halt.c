/* SPDX-License-Identifier: MIT */
/* halt.c -- tests of inspect/halt.c: threads stand, wherever they are, and go
 * on */
#include "unit.h"

#include "fixture.h"

#include "base/atomic.h"
#include "inspect/halt.h"
#include "mutator/poll.h"
#include "os/clock.h"

#include <string.h>

enum { ROUNDS = 200, WORKERS = 3 };
static const uint64_t moment_ns = 200 * 1000;

static struct dusk_heap *heap;
static uint32_t ended;              /* atomic */
static uint64_t steps[WORKERS + 1]; /* atomic */

/* In the heap and out of it, over and over; steps are counted inside alone. */
static void live(struct dusk_thread *thread, unsigned index)
{
  for (int i = 0; i < 50; i++) {
    poll_check(thread);
    counter_add(&steps[index], 1);
    if (i % 10 == 0) {
      poll_go_outside(thread, CALLER_SP());
      poll_come_back(thread);
    }
  }
}

static void worker(unsigned index)
{
  while (!LOAD_ACQUIRE(&ended)) { /* with halt_often() */
    struct dusk_thread *thread = fixture_attach(heap);
    live(thread, index);
    fixture_detach(thread);
  }
}

static void read_steps(uint64_t *to)
{
  for (unsigned i = 0; i < WORKERS; i++)
    to[i] = LOAD_RELAXED(&steps[i]);
}

static void halt_often(void)
{
  uint64_t first[WORKERS], last[WORKERS], before[WORKERS], after[WORKERS];
  read_steps(first);
  for (int i = 0; i < ROUNDS; i++) {
    struct halt halt;
    halt_begin(heap, &halt);
    read_steps(before);
    clock_sleep(moment_ns);
    read_steps(after);
    ck_assert_mem_eq(before, after, sizeof before);
    halt_end(heap, &halt);
  }
  do {
    read_steps(last);
    clock_sleep(moment_ns);
  } while (last[0] == first[0]); /* they go on */
  STORE_RELEASE(&ended, 1);
}

static void worker_or_driver(unsigned index)
{
  if (index == WORKERS)
    halt_often();
  else
    worker(index);
}

START_TEST(test_nobody_moves_in_a_halt)
{
  heap = fixture_open();
  fixture_threads(WORKERS + 1, worker_or_driver);
  fixture_close(heap);
}
END_TEST

START_TEST(test_a_halt_needs_no_thread)
{
  struct halt halt;
  heap = fixture_open();
  halt_begin(heap, &halt);
  halt_end(heap, &halt);
  ck_assert_uint_eq(heap->collector.registry.owing, 0);
  fixture_close(heap);
}
END_TEST

START_TEST(test_a_thread_outside_is_seen_as_it_left)
{
  struct halt halt;
  heap = fixture_open();
  struct dusk_thread *thread = fixture_attach(heap);
  poll_go_outside(thread, CALLER_SP());
  halt_begin(heap, &halt);
  ck_assert_int_eq(thread_state(thread), THREAD_SERVED);
  ck_assert_uint_eq(thread->standing.stack.sp, thread->outside_sp);
  ck_assert_ptr_eq(thread->standing.stack.words, thread->outside_words);
  halt_end(heap, &halt);
  ck_assert_int_eq(thread_state(thread), THREAD_OUTSIDE);
  poll_come_back(thread);
  fixture_detach(thread);
  fixture_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("halt");
  TCase *tests = tcase_create("halt");
  tcase_set_timeout(tests, 300);
  tcase_add_test(tests, test_nobody_moves_in_a_halt);
  tcase_add_test(tests, test_a_halt_needs_no_thread);
  tcase_add_test(tests, test_a_thread_outside_is_seen_as_it_left);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
