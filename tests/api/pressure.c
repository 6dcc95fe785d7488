/* SPDX-License-Identifier: MIT */
/* pressure.c -- what counts against the memory limit, and what happens at its
 * end */
#include "api.h"

#include "dusk/limit.h"

enum { LIMIT_MIB = 64 };

static dusk_heap *open_limited(size_t mib, int gc_percent)
{
  dusk_options options = api_options();
  options.memory_limit = (int64_t)MIB(mib);
  options.gc_percent = gc_percent;
  return api_open_with(&options);
}

static dusk_memstats read_stats(dusk_heap *heap)
{
  static dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats;
}

/* A list of leaves of 4 KiB that grows to `bytes`; short: there is no memory.
 */
static void **grow_list(dusk_thread *thread, void **list, size_t bytes)
{
  for (size_t done = 0; done < bytes; done += KIB(4)) {
    void **node = dusk_alloc(thread, DUSK_CONSERVATIVE, KIB(4));
    if (!node)
      break;
    dusk_init(thread, node, list);
    list = node;
  }
  return list;
}

static size_t list_bytes(void **list)
{
  size_t bytes = 0;
  for (; list; list = dusk_load(list))
    bytes += KIB(4);
  return bytes;
}

/* ---- declared bytes ---- */

START_TEST(declared_bytes_count_in_the_goal)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread);
  uint64_t goal = read_stats(heap).next_gc;
  dusk_external_adjust(thread, (int64_t)MIB(100));
  ck_assert_uint_eq(dusk_external_bytes(heap), MIB(100));
  dusk_collect(thread);
  ck_assert_uint_ge(read_stats(heap).next_gc, goal + MIB(150));
  ck_assert_uint_lt(read_stats(heap).heap_alloc, MIB(1));
  dusk_external_adjust(thread, -(int64_t)MIB(100));
  ck_assert_uint_eq(dusk_external_bytes(heap), 0);
  dusk_collect(thread);
  ck_assert_uint_le(read_stats(heap).next_gc, goal + MIB(4));
  api_close(heap, thread);
}
END_TEST

/* Objects of 16 bytes with a MiB each outside: without the declaration, not one
 * cycle would run. */
START_TEST(declared_bytes_start_cycles)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  uint64_t cycles = 0;
  for (int i = 0; i < 10000 && cycles < 3; i++) {
    api_alloc(thread, DUSK_LEAF, 16);
    dusk_external_adjust(thread, (int64_t)MIB(1));
    dusk_external_adjust(thread, -(int64_t)KIB(512));
    dusk_blocking_begin(thread);
    api_sleep_us(50);
    dusk_blocking_end(thread);
    cycles = api_cycles(heap);
  }
  ck_assert_uint_ge(cycles, 3);
  api_close(heap, thread);
}
END_TEST

static int take_back_too_much(const void *unused)
{
  (void)unused;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_external_adjust(thread, 1000);
  dusk_external_adjust(thread, -1001);
  bool none = dusk_external_bytes(heap) == 0;
  dusk_external_adjust(thread, 5);
  none = none && dusk_external_bytes(heap) == 5;
  api_close(heap, thread);
  return !none;
}

START_TEST(more_cannot_be_taken_back_than_was_declared)
{
  struct api_child child;
  api_fork(&child, take_back_too_much, NULL);
  api_assert_one_line(&child, "dusk_external_adjust: -1001 bytes");
}
END_TEST

static int declare_badly(const void *unused)
{
  (void)unused;
  dusk_external_adjust(NULL, 1);
  return 0;
}

START_TEST(a_bad_handle_declares_nothing)
{
  struct api_child child;
  api_fork(&child, declare_badly, NULL);
  api_assert_one_line(&child, "dusk_external_adjust: the handle is NULL");
}
END_TEST

/* The largest numbers neither wrap nor stop the heap from working. */
START_TEST(absurd_declarations_are_survived)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < 3; i++)
    dusk_external_adjust(thread, INT64_MAX);
  ck_assert_uint_gt(dusk_external_bytes(heap), MIB(1));
  api_alloc(thread, DUSK_LEAF, 100);
  dusk_collect(thread);
  dusk_external_adjust(thread, INT64_MIN + 1);
  ck_assert_uint_eq(dusk_external_bytes(heap), 0);
  dusk_collect(thread);
  ck_assert_uint_lt(read_stats(heap).next_gc, MIB(64));
  api_close(heap, thread);
}
END_TEST

/* ---- pressure ---- */

struct told {
  unsigned calls;
  dusk_pressure last;
};

static void note(dusk_heap *heap, dusk_pressure level, void *context)
{
  struct told *told = context;
  api_check(dusk_pressure_now(heap) == level);
  __atomic_store_n(&told->last, level, __ATOMIC_RELAXED);
  __atomic_fetch_add(&told->calls, 1, __ATOMIC_RELEASE);
}

static unsigned calls_of(const struct told *told)
{
  return __atomic_load_n(&told->calls, __ATOMIC_ACQUIRE);
}

static dusk_pressure last_of(const struct told *told)
{
  return __atomic_load_n(&told->last, __ATOMIC_RELAXED);
}

/* A cycle's call comes after those who waited for it went on; the next cycle
 * comes after the call. */
static void settle(dusk_thread *thread)
{
  dusk_collect(thread);
  dusk_collect(thread);
}

START_TEST(pressure_rises_and_falls_with_what_is_live)
{
  struct told told = {0};
  dusk_heap *heap = open_limited(LIMIT_MIB, -1);
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_on_pressure(heap, note, &told), 0);
  settle(thread);
  ck_assert_uint_eq(calls_of(&told), 0);
  ck_assert_int_eq(dusk_pressure_now(heap), DUSK_PRESSURE_NONE);

  void **list = grow_list(thread, NULL, MIB(LIMIT_MIB) * 78 / 100);
  settle(thread);
  ck_assert_int_eq(dusk_pressure_now(heap), DUSK_PRESSURE_MODERATE);
  ck_assert_int_eq(last_of(&told), DUSK_PRESSURE_MODERATE);
  settle(thread);
  ck_assert_uint_eq(calls_of(&told), 1);

  list = grow_list(thread, list, MIB(LIMIT_MIB) * 30 / 100);
  settle(thread);
  ck_assert_int_eq(dusk_pressure_now(heap), DUSK_PRESSURE_CRITICAL);
  unsigned calls = calls_of(&told);
  settle(thread);
  ck_assert_uint_gt(calls_of(&told), calls);

  api_keep(list);
  while (list) {
    void **next = dusk_load(list);
    dusk_store(thread, list, NULL);
    list = next;
  }
  api_scrub_stack();
  settle(thread);
  ck_assert_int_eq(dusk_pressure_now(heap), DUSK_PRESSURE_NONE);
  ck_assert_int_eq(last_of(&told), DUSK_PRESSURE_NONE);
  dusk_on_pressure(heap, NULL, NULL);
  api_close(heap, thread);
}
END_TEST

START_TEST(declared_bytes_press_as_well)
{
  dusk_heap *heap = open_limited(LIMIT_MIB, 100);
  dusk_thread *thread = api_attach(heap);
  dusk_external_adjust(thread, (int64_t)MIB(LIMIT_MIB) * 9 / 10);
  dusk_collect(thread);
  ck_assert_int_ge(dusk_pressure_now(heap), DUSK_PRESSURE_HIGH);
  dusk_set_memory_limit(heap, INT64_MAX);
  dusk_collect(thread);
  ck_assert_int_eq(dusk_pressure_now(heap), DUSK_PRESSURE_NONE);
  api_close(heap, thread);
}
END_TEST

/* ---- the end of the limit ---- */

/* Fills the heap until an allocation fails; returns what was live then. */
static __attribute__((noinline)) size_t fill(dusk_thread *thread)
{
  errno = 0;
  void **list = grow_list(thread, NULL, MIB(LIMIT_MIB) * 3);
  size_t bytes = list_bytes(list);
  while (list) {
    void **next = dusk_load(list);
    dusk_store(thread, list, NULL);
    list = next;
  }
  return bytes;
}

START_TEST(by_default_a_heap_grows_beyond_its_limit)
{
  dusk_heap *heap = open_limited(LIMIT_MIB, 100);
  dusk_thread *thread = api_attach(heap);
  ck_assert_uint_eq(fill(thread), MIB(LIMIT_MIB) * 3);
  api_close(heap, thread);
}
END_TEST

START_TEST(where_it_is_asked_for_allocation_fails_at_the_limit)
{
  dusk_heap *heap = open_limited(LIMIT_MIB, _i ? -1 : 100);
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_set_limit_action(heap, DUSK_LIMIT_FAIL),
                   DUSK_LIMIT_GROW);
  for (int round = 0; round < 3; round++) {
    size_t bytes = fill(thread);
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_ge(bytes, MIB(LIMIT_MIB) * 8 / 10);
    ck_assert_uint_lt(bytes, MIB(LIMIT_MIB));
    ck_assert_uint_le(read_stats(heap).heap_inuse, MIB(LIMIT_MIB));
    api_scrub_stack();
  }
  ck_assert_ptr_null(dusk_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB)));
  ck_assert_int_eq(errno, ENOMEM);
  /* With another choice, or no limit, it is no limit any more. */
  ck_assert_int_eq(dusk_set_limit_action(heap, DUSK_LIMIT_SLOW),
                   DUSK_LIMIT_FAIL);
  ck_assert_ptr_nonnull(dusk_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB)));
  dusk_set_limit_action(heap, DUSK_LIMIT_FAIL);
  dusk_set_memory_limit(heap, INT64_MAX);
  ck_assert_ptr_nonnull(dusk_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB)));
  api_close(heap, thread);
}
END_TEST

/* Declared bytes take from the pages at once, and give back at once. */
START_TEST(declared_bytes_are_part_of_a_hard_limit)
{
  dusk_heap *heap = open_limited(LIMIT_MIB, -1);
  dusk_thread *thread = api_attach(heap);
  dusk_set_limit_action(heap, DUSK_LIMIT_FAIL);
  dusk_external_adjust(thread, (int64_t)MIB(LIMIT_MIB / 2));
  ck_assert_ptr_null(dusk_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB / 2)));
  dusk_external_adjust(thread, -(int64_t)MIB(LIMIT_MIB / 2));
  ck_assert_ptr_nonnull(dusk_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB / 2)));
  api_close(heap, thread);
}
END_TEST

struct hoard {
  void **cache; /* a root */
  unsigned asked;
  size_t bytes;
};

/* Lets the cache go, once. */
static bool let_go(dusk_thread *thread, size_t bytes, void *context)
{
  struct hoard *hoard = context;
  hoard->asked++;
  hoard->bytes = bytes;
  bool had = hoard->cache != NULL;
  dusk_store(thread, &hoard->cache, NULL);
  /* An allocation of its own that fails is an answer, not another question. */
  api_check(!dusk_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB) * 2));
  return had;
}

/* In a frame of its own: a stale word would keep the cache. */
static __attribute__((noinline)) void fill_cache(dusk_thread *thread,
                                                 struct hoard *hoard)
{
  dusk_store(thread, &hoard->cache,
             api_alloc(thread, DUSK_LEAF, MIB(LIMIT_MIB) * 6 / 10));
}

START_TEST(who_lets_something_go_is_served)
{
  static struct hoard hoard;
  dusk_heap *heap = open_limited(LIMIT_MIB, 100);
  dusk_thread *thread = api_attach(heap);
  dusk_set_limit_action(heap, DUSK_LIMIT_FAIL);
  ck_assert_int_eq(dusk_root_add(heap, &hoard.cache, sizeof hoard.cache), 0);
  ck_assert_int_eq(dusk_on_exhausted(heap, let_go, &hoard), 0);
  fill_cache(thread, &hoard);
  api_scrub_stack();
  size_t wanted = MIB(LIMIT_MIB) * 7 / 10;
  void *object = dusk_alloc(thread, DUSK_LEAF, wanted);
  ck_assert_ptr_nonnull(object);
  ck_assert_uint_eq(hoard.asked, 1);
  ck_assert_uint_eq(hoard.bytes, wanted);
  ck_assert_ptr_null(dusk_alloc(thread, DUSK_LEAF, wanted));
  ck_assert_uint_eq(hoard.asked, 2);
  ck_assert_int_eq(dusk_on_exhausted(heap, NULL, NULL), 0);
  ck_assert_ptr_null(dusk_alloc(thread, DUSK_LEAF, wanted));
  ck_assert_uint_eq(hoard.asked, 2);
  api_keep(object);
  ck_assert_int_eq(dusk_root_remove(heap, &hoard.cache), 0);
  api_close(heap, thread);
}
END_TEST

START_TEST(bad_arguments_change_nothing)
{
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_on_pressure(NULL, note, NULL), EINVAL);
  ck_assert_int_eq(dusk_on_exhausted(NULL, let_go, NULL), EINVAL);
  ck_assert_int_eq(dusk_set_limit_action(NULL, DUSK_LIMIT_SLOW), -1);
  ck_assert_int_eq(dusk_set_limit_action(heap, (dusk_limit_action)3), -1);
  ck_assert_int_eq(dusk_set_limit_action(heap, (dusk_limit_action)-1), -1);
  ck_assert_int_eq(dusk_set_limit_action(heap, DUSK_LIMIT_GROW),
                   DUSK_LIMIT_GROW);
  ck_assert_uint_eq(dusk_external_bytes(NULL), 0);
  ck_assert_int_eq(dusk_pressure_now(NULL), DUSK_PRESSURE_NONE);
  dusk_heap_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pressure");
  TCase *external = api_case(suite, "declared bytes");
  tcase_add_test(external, declared_bytes_count_in_the_goal);
  tcase_add_test(external, declared_bytes_start_cycles);
  tcase_add_test(external, more_cannot_be_taken_back_than_was_declared);
  tcase_add_test(external, a_bad_handle_declares_nothing);
  tcase_add_test(external, absurd_declarations_are_survived);
  TCase *pressure = api_case(suite, "pressure");
  tcase_add_test(pressure, pressure_rises_and_falls_with_what_is_live);
  tcase_add_test(pressure, declared_bytes_press_as_well);
  TCase *end = api_case(suite, "the end of the limit");
  tcase_add_test(end, by_default_a_heap_grows_beyond_its_limit);
  tcase_add_loop_test(end, where_it_is_asked_for_allocation_fails_at_the_limit,
                      0, 2);
  tcase_add_test(end, declared_bytes_are_part_of_a_hard_limit);
  tcase_add_test(end, who_lets_something_go_is_served);
  tcase_add_test(end, bad_arguments_change_nothing);
  return api_run(suite);
}
