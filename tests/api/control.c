/* SPDX-License-Identifier: MIT */
/* control.c -- collecting on request, the GC percent, the memory limit
 *
 * <dusk/control.h>. */
#include "cycle.h"

#include <sched.h>
#include <sys/mman.h>

/* Lets others run now and then: where processors are few, a program that does
 * nothing but allocate can leave the collector far behind. */
static void allocate(dusk_thread *thread, size_t total)
{
  for (size_t done = 0; done < total; done += 1024) {
    memset(api_alloc(thread, DUSK_LEAF, 1024), 1, 1024);
    if (done % KIB(64) == 0)
      sched_yield();
  }
}

/* Live data of about `total` bytes: one object that holds leaves of 1 KiB. */
static void **build_live(dusk_thread *thread, size_t total)
{
  size_t count = total / 1024;
  void **live = api_alloc(thread, DUSK_CONSERVATIVE, count * sizeof(void *));
  for (size_t i = 0; i < count; i++)
    dusk_store(thread, &live[i], api_alloc(thread, DUSK_LEAF, 1024));
  return live;
}

static uint64_t goal(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.next_gc;
}

/* GC percent */

START_TEST(a_percent_is_set_and_the_old_one_returned)
{
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_set_gc_percent(heap, 50), 100);
  ck_assert_int_eq(dusk_set_gc_percent(heap, -7), 50);
  ck_assert_int_eq(dusk_set_gc_percent(heap, INT_MIN), -1);
  ck_assert_int_eq(dusk_set_gc_percent(heap, 0), -1);
  ck_assert_int_eq(dusk_set_gc_percent(heap, INT_MAX), 0);
  ck_assert_int_eq(dusk_set_gc_percent(heap, 100), INT_MAX);
  ck_assert_int_eq(dusk_set_gc_percent(NULL, 50), -1);
  ck_assert_int_eq(dusk_set_gc_percent(heap, 100), 100);
  dusk_heap_close(heap);
}
END_TEST

/* What may be added to the live heap is in proportion to the percent. */
START_TEST(a_percent_moves_the_goal_at_once)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  void **live = build_live(thread, MIB(32));
  dusk_collect(thread);
  double at_100 = (double)goal(heap) - (double)MIB(32);
  static const int percents[] = {50, 200, 400, 800, 100};
  for (int i = 0; i < 5; i++) {
    dusk_set_gc_percent(heap, percents[i]);
    double more = (double)goal(heap) - (double)MIB(32);
    double expected = at_100 * percents[i] / 100;
    ck_assert_msg(more > 0.9 * expected && more < 1.1 * expected,
                  "%d %%: %.0f, expected %.0f", percents[i], more, expected);
  }
  api_keep(live);
  api_close(heap, thread);
}
END_TEST

START_TEST(a_smaller_percent_means_more_cycles)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  void **live = build_live(thread, MIB(8));
  uint64_t cycles[2];
  for (int i = 0; i < 2; i++) {
    dusk_set_gc_percent(heap, i ? 50 : 400);
    dusk_collect(thread);
    uint64_t before = api_cycles(heap);
    allocate(thread, MIB(256));
    cycles[i] = api_cycles(heap) - before;
  }
  ck_assert_uint_ge(cycles[0], 1);
  ck_assert_uint_gt(cycles[1], cycles[0]);
  api_keep(live);
  api_close(heap, thread);
}
END_TEST

START_TEST(off_is_off_until_on_again)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_set_gc_percent(heap, -1);
  dusk_collect(thread);
  uint64_t cycles = api_cycles(heap);
  allocate(thread, MIB(64));
  ck_assert_uint_eq(api_cycles(heap), cycles);
  dusk_collect(thread);
  ck_assert_uint_eq(api_cycles(heap), cycles + 1);
  dusk_set_gc_percent(heap, 100);
  while (api_cycles(heap) < cycles + 3)
    allocate(thread, MIB(1));
  api_close(heap, thread);
}
END_TEST

/* Whoever sets the percent does not wait for the cycle. */
START_TEST(a_percent_is_set_at_any_place_of_a_cycle)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct hold hold;
  hold_begin(&hold, heap, thread, (enum hold_place)_i);
  for (int i = 1; i <= 800; i++) {
    ck_assert_int_eq(dusk_set_gc_percent(heap, i), i == 1 ? -1 : i - 1);
    ck_assert_uint_gt(goal(heap), 0);
    api_alloc(thread, DUSK_CONSERVATIVE, 64);
  }
  hold_end(&hold, thread);
  api_close(heap, thread);
}
END_TEST

START_TEST(a_percent_is_set_while_cycles_run)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct cycler cycler;
  cycler_start(&cycler, heap);
  uint64_t cycles = api_cycles(heap);
  for (int i = 0; api_cycles(heap) < cycles + 2000; i++) {
    dusk_set_gc_percent(heap, i % 400);
    dusk_safepoint(thread);
  }
  cycler_stop(&cycler, thread);
  api_close(heap, thread);
}
END_TEST

/* Collect */

START_TEST(all_garbage_is_free_after_a_collect)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  for (int round = 0; round < 5; round++) {
    dusk_memstats before, after;
    allocate(thread, MIB(16));
    api_scrub_stack();
    dusk_read_memstats(heap, &before);
    dusk_collect(thread);
    dusk_read_memstats(heap, &after);
    ck_assert_uint_eq(after.num_gc, before.num_gc + 1);
    ck_assert_uint_eq(after.num_forced_gc, before.num_forced_gc + 1);
    ck_assert_uint_ge(before.heap_alloc, MIB(16));
    ck_assert_uint_le(after.heap_alloc, MIB(1));
    ck_assert_uint_le(after.heap_inuse, MIB(2));
  }
  api_close(heap, thread);
}
END_TEST

struct request {
  dusk_heap *heap;
  bool started;
  uint64_t cycles; /* when it returned */
};

static void *request_cycle(void *argument)
{
  struct request *request = argument;
  dusk_thread *thread = api_attach(request->heap);
  __atomic_store_n(&request->started, true, __ATOMIC_RELEASE);
  dusk_collect(thread);
  request->cycles = api_cycles(request->heap);
  dusk_detach(thread);
  return NULL;
}

START_TEST(a_cycle_that_runs_already_does_not_count)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct hold hold;
  hold_begin(&hold, heap, thread, (enum hold_place)(_i + 1));
  uint64_t cycles = api_cycles(heap);
  struct request request = {.heap = heap};
  pthread_t requester = api_start(request_cycle, &request);
  while (!__atomic_load_n(&request.started, __ATOMIC_ACQUIRE))
    api_sleep_us(100);
  api_sleep_us(20000); /* it waits by now; if not, the test is only easier */
  hold_end(&hold, thread);
  dusk_blocking_begin(thread);
  pthread_join(requester, NULL);
  dusk_blocking_end(thread);
  ck_assert_uint_ge(request.cycles, cycles + 2);
  api_close(heap, thread);
}
END_TEST

static void *collect_often(void *heap)
{
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < 50; i++) {
    uint64_t cycles = api_cycles(heap);
    dusk_collect(thread);
    ck_assert_uint_gt(api_cycles(heap), cycles);
  }
  dusk_detach(thread);
  return NULL;
}

START_TEST(many_threads_may_collect)
{
  dusk_heap *heap = api_open();
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    threads[i] = api_start(collect_often, heap);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_ge(stats.num_gc, 51);
  ck_assert_uint_le(stats.num_forced_gc, stats.num_gc);
  dusk_heap_close(heap);
}
END_TEST

/* Memory limit and release */

START_TEST(a_limit_is_set_and_the_old_one_returned)
{
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_set_memory_limit(heap, -1), INT64_MAX);
  ck_assert_int_eq(dusk_set_memory_limit(heap, 1 << 30), INT64_MAX);
  ck_assert_int_eq(dusk_set_memory_limit(heap, INT64_MIN), 1 << 30);
  ck_assert_int_eq(dusk_set_memory_limit(heap, INT64_MAX), 1 << 30);
  ck_assert_int_eq(dusk_set_memory_limit(heap, -1), INT64_MAX);
  ck_assert_int_eq(dusk_set_memory_limit(NULL, -1), -1);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(a_limit_collects_though_the_percent_is_off)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  dusk_set_memory_limit(heap, (int64_t)MIB(64));
  uint64_t peak = 0;
  for (int i = 0; i < 512; i++) {
    allocate(thread, MIB(1));
    dusk_memstats stats;
    dusk_read_memstats(heap, &stats);
    peak = stats.heap_inuse > peak ? stats.heap_inuse : peak;
  }
  /* The limit is soft: while a cycle is on its way, the program runs on. */
  ck_assert_uint_ge(api_cycles(heap), 2);
  ck_assert_uint_le(peak, MIB(256));
  api_close(heap, thread);
}
END_TEST

static size_t resident_pages(void *start, size_t bytes)
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t pages = bytes / page, resident = 0;
  unsigned char *map = calloc(pages, 1);
  ck_assert_int_eq(mincore(start, bytes, map), 0);
  for (size_t i = 0; i < pages; i++)
    resident += map[i] & 1;
  free(map);
  return resident;
}

/* Makes an object on a thread that ends, so that nobody knows where it is but
 * the test, which has its address in a form that is none. */
enum { HIDDEN_BYTES = 32 << 20 };

struct hiding {
  dusk_heap *heap;
  uintptr_t complement;
  size_t resident_pages;
};

static void *whole_pages(const struct hiding *hiding)
{
  return (void *)((~hiding->complement + 4095) & ~(uintptr_t)4095);
}

static void *hide_object(void *argument)
{
  struct hiding *hiding = argument;
  dusk_thread *thread = api_attach(hiding->heap);
  char *object = api_alloc(thread, DUSK_LEAF, HIDDEN_BYTES);
  memset(object, 0xaa, HIDDEN_BYTES);
  hiding->complement = ~(uintptr_t)object;
  hiding->resident_pages =
      resident_pages(whole_pages(hiding), HIDDEN_BYTES - 8192);
  dusk_detach(thread);
  return NULL;
}

START_TEST(released_memory_is_given_back)
{
  dusk_heap *heap = api_open_manual();
  struct hiding hiding = {.heap = heap};
  pthread_join(api_start(hide_object, &hiding), NULL);
  ck_assert_uint_gt(hiding.resident_pages, 0);
  dusk_thread *thread = api_attach(heap);
  dusk_release_memory(thread);
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_le(stats.heap_alloc, MIB(1));
  ck_assert_uint_ge(stats.heap_released, HIDDEN_BYTES);
  ck_assert_uint_ge(stats.heap_released * 100, stats.heap_idle * 99);
  ck_assert_uint_eq(resident_pages(whole_pages(&hiding), HIDDEN_BYTES - 8192),
                    0);
  const unsigned char *again = api_alloc(thread, DUSK_LEAF, HIDDEN_BYTES);
  for (size_t i = 0; i < HIDDEN_BYTES; i += 512)
    api_check(again[i] == 0);
  api_close(heap, thread);
}
END_TEST

/* ---- policy ---- */

START_TEST(a_policy_is_set_and_the_old_one_returned)
{
  dusk_options options = api_options();
  options.policy = DUSK_POLICY_DUSK;
  dusk_heap *heap = api_open_with(&options);
  ck_assert_int_eq(dusk_set_policy(heap, DUSK_POLICY_BALANCE),
                   DUSK_POLICY_DUSK);
  ck_assert_int_eq(dusk_set_policy(heap, (dusk_policy)3), -1);
  ck_assert_int_eq(dusk_set_policy(heap, (dusk_policy)-1), -1);
  ck_assert_int_eq(dusk_set_policy(NULL, DUSK_POLICY_GO), -1);
  ck_assert_int_eq(dusk_set_policy(heap, DUSK_POLICY_GO), DUSK_POLICY_BALANCE);
  dusk_heap_close(heap);
}
END_TEST

static void *churn_a_while(void *argument)
{
  dusk_thread *thread = api_attach(argument);
  for (unsigned i = 0; i < 200000; i++)
    api_alloc(thread, DUSK_CONSERVATIVE, 512);
  dusk_detach(thread);
  return NULL;
}

START_TEST(a_policy_is_set_while_cycles_run)
{
  dusk_heap *heap = api_open();
  pthread_t churning = api_start(churn_a_while, heap);
  for (unsigned i = 0; i < 300; i++) {
    ck_assert_int_eq(dusk_set_policy(heap, (dusk_policy)((i + 1) % 3)),
                     (int)(i % 3));
    api_sleep_us(100);
  }
  pthread_join(churning, NULL);
  ck_assert_uint_gt(api_cycles(heap), 0);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(bounds_say_when_a_cycle_begins)
{
  for (unsigned late = 0; late < 2; late++) {
    dusk_options options = api_options();
    options.trigger_low = late ? 100 : 1;
    options.trigger_high = late ? 100 : 1;
    dusk_heap *heap = api_open_with(&options);
    dusk_thread *thread = api_attach(heap);
    /* The first cycle begins at the goal of 4 MiB, or near 0. */
    for (size_t done = 0; done < MIB(2); done += KIB(1))
      api_alloc(thread, DUSK_LEAF, KIB(1));
    dusk_blocking_begin(thread);
    while (!late && api_cycles(heap) == 0)
      api_sleep_us(100);
    dusk_blocking_end(thread);
    if (late)
      ck_assert_uint_eq(api_cycles(heap), 0);
    api_close(heap, thread);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("control");
  TCase *percent = api_case(suite, "percent");
  tcase_add_test(percent, a_percent_is_set_and_the_old_one_returned);
  tcase_add_test(percent, a_percent_moves_the_goal_at_once);
  tcase_add_test(percent, a_smaller_percent_means_more_cycles);
  tcase_add_test(percent, off_is_off_until_on_again);
  tcase_add_loop_test(percent, a_percent_is_set_at_any_place_of_a_cycle, 0,
                      HOLD_PLACES);
  tcase_add_test(percent, a_percent_is_set_while_cycles_run);

  TCase *policy = api_case(suite, "policy");
  tcase_add_test(policy, a_policy_is_set_and_the_old_one_returned);
  tcase_add_test(policy, a_policy_is_set_while_cycles_run);
  tcase_add_test(policy, bounds_say_when_a_cycle_begins);

  TCase *collect = api_case(suite, "collect");
  tcase_add_test(collect, all_garbage_is_free_after_a_collect);
  tcase_add_loop_test(collect, a_cycle_that_runs_already_does_not_count, 0,
                      HOLD_PLACES - 1);
  tcase_add_test(collect, many_threads_may_collect);

  TCase *memory = api_case(suite, "memory");
  tcase_add_test(memory, a_limit_is_set_and_the_old_one_returned);
  tcase_add_test(memory, a_limit_collects_though_the_percent_is_off);
  tcase_add_test(memory, released_memory_is_given_back);
  return api_run(suite);
}
