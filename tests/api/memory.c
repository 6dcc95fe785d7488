/* SPDX-License-Identifier: MIT */
/* memory.c -- the heap stays near its goal, and its description is small
 *
 * A steady program keeps a fixed number of objects and replaces one after the
 * other.  At GC percent 100 its pages in use stay within a tenth of the goal.
 * Mark bits, page map and span descriptors are under 3 % of a large heap. */
#include "api.h"

/* Sanitizers make each object many times as dear. */
enum {
  LIVE_MIB = SANITIZED ? 16 : 48,
  TOTAL_MIB = SANITIZED ? 64 : 192,
  CYCLES = SANITIZED ? 8 : 16,
  BETWEEN_READINGS = 256,
};

struct steady {
  dusk_heap *heap;
  dusk_thread *thread;
  void **slots;
  size_t count;
  uint64_t random;
};

/* Sizes of an ordinary program: mostly small, 102 bytes on average. */
static size_t pick_size(uint64_t *random)
{
  static const size_t sizes[] = {16, 32, 32, 48, 64, 64, 96, 128, 192, 352};
  return sizes[api_random(random) % 10];
}

static void steady_fill_slot(struct steady *program, size_t slot)
{
  dusk_kind kind =
      api_random(&program->random) % 2 ? DUSK_LEAF : DUSK_CONSERVATIVE;
  void *object = api_alloc(program->thread, kind, pick_size(&program->random));
  dusk_store(program->thread, &program->slots[slot], object);
}

static void steady_replace(struct steady *program)
{
  steady_fill_slot(program, api_random(&program->random) % program->count);
}

static void steady_build(struct steady *program)
{
  program->count = MIB(LIVE_MIB) / 102;
  program->slots = api_alloc(program->thread, DUSK_CONSERVATIVE,
                             program->count * sizeof(void *));
  for (size_t i = 0; i < program->count; i++)
    steady_fill_slot(program, i);
}

/* The goal moves a little from cycle to cycle, with what is allocated while
 * one marks.  Pages that are in use because it was higher a moment ago stay in
 * use, with gaps, so the largest goal so far counts. */
START_TEST(a_steady_heap_stays_within_a_tenth_of_its_goal)
{
  static dusk_memstats stats;
  struct steady program = {.heap = api_open(), .random = 2026};
  program.thread = api_attach(program.heap);
  steady_build(&program);
  api_collect_all(program.thread);
  uint64_t cycles = api_cycles(program.heap);
  uint64_t goal = 0, peak = 0;
  do {
    dusk_read_memstats(program.heap, &stats);
    goal = stats.next_gc > goal ? stats.next_gc : goal;
    peak = stats.heap_inuse > peak ? stats.heap_inuse : peak;
    for (int i = 0; i < BETWEEN_READINGS; i++)
      steady_replace(&program);
  } while (stats.num_gc < cycles + CYCLES);
  ck_assert_msg(peak * 10 <= goal * 11, "heap_inuse was %.3f of the goal",
                (double)peak / (double)goal);
  /* The goal is twice what a cycle marks: what is live, and what is allocated
   * while it marks, from 0.7 of the way to the goal at the earliest. */
  ck_assert_uint_ge(goal, 2 * MIB(LIVE_MIB));
  ck_assert_uint_le(goal, MIB(LIVE_MIB) * 7 / 2);
  api_keep(program.slots);
  api_close(program.heap, program.thread);
}
END_TEST

/* With small objects, many spans; with large ones, few. */
START_TEST(metadata_is_under_three_percent_of_a_large_heap)
{
  static const size_t sizes[] = {16, 64, 1000, 20000};
  size_t bytes = sizes[_i];
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  size_t count = MIB(TOTAL_MIB) / bytes;
  void **slots = api_alloc(thread, DUSK_CONSERVATIVE, count * sizeof(void *));
  for (size_t i = 0; i < count; i++)
    dusk_store(thread, &slots[i], api_alloc(thread, DUSK_LEAF, bytes));
  dusk_collect(thread);
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_ge(stats.heap_inuse, MIB(TOTAL_MIB));
  uint64_t metadata = stats.mspan_inuse + stats.gc_sys;
  ck_assert_msg(metadata * 100 < stats.heap_inuse * 3, "%.2f %% (%s)",
                100.0 * (double)metadata / (double)stats.heap_inuse,
                "of heap_inuse");
  api_keep(slots);
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("memory");
  TCase *memory = api_case(suite, "memory");
  tcase_add_test(memory, a_steady_heap_stays_within_a_tenth_of_its_goal);
  tcase_add_loop_test(memory, metadata_is_under_three_percent_of_a_large_heap,
                      0, 4);
  return api_run(suite);
}
