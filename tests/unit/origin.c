/* SPDX-License-Identifier: MIT */
/* Tests of heap/origin: the stacks that allocated objects. */
#include "alloc/alloc.h"
#include "collect/careful.h"
#include "heap/origin.h"
#include "os/unwind.h"

#include "dusk/alloc.h"

#include "tests/unit/fixture.h"
#include "tests/unit/unit.h"

#include <errno.h>

static struct dusk_heap *heap;
static struct dusk_thread *thread;

static void open_heap(void)
{
  heap = fixture_open();
  careful_open(&heap->collector.arena, &(struct debug_options){.origins = 1});
  thread = fixture_attach(heap);
}

static void close_heap(void)
{
  fixture_detach(thread);
  fixture_close(heap);
}

static unsigned stack_of(const void *object, uintptr_t *pcs)
{
  return origin_stack(&heap->collector.arena, (uintptr_t)object, pcs,
                      ORIGIN_FRAMES);
}

static NOINLINE void *first_maker(size_t bytes)
{
  void *object = fixture_alloc(thread, DUSK_LEAF, bytes);
  __asm__ volatile("" : : "r"(object));
  return object;
}

static NOINLINE void *second_maker(size_t bytes)
{
  void *object = dusk_alloc(thread, DUSK_LEAF, bytes);
  __asm__ volatile("" : : "r"(object));
  return object;
}

static void assert_begins_in(const void *object, const char *function)
{
  uintptr_t pcs[ORIGIN_FRAMES];
  char name[128];
  if (unwind_here(pcs, 1) == 0)
    return; /* built without libunwind */
  ck_assert_uint_gt(stack_of(object, pcs), 1);
  unwind_name(pcs[0], name, sizeof name);
  ck_assert_msg(strncmp(name, function, strlen(function)) == 0, "%s", name);
}

START_TEST(a_stack_begins_in_the_program)
{
  assert_begins_in(second_maker(40), "second_maker");
  assert_begins_in(second_maker(DUSK_SMALL_MAX + 1), "second_maker");
}
END_TEST

START_TEST(each_object_has_its_own)
{
  uintptr_t here[ORIGIN_FRAMES], there[ORIGIN_FRAMES], again[ORIGIN_FRAMES];
  unsigned counts[3];
  void *objects[3];
  volatile int twice = 2; /* one call, not two in an unrolled loop */
  for (int i = 0; i < twice; i++)
    objects[i] = second_maker(64);
  objects[2] = first_maker(64);
  counts[0] = stack_of(objects[0], here);
  counts[1] = stack_of(objects[1], again);
  counts[2] = stack_of(objects[2], there);
  ck_assert_uint_eq(counts[0], counts[1]);
  ck_assert_mem_eq(here, again, counts[0] * sizeof *here);
  if (counts[0])
    ck_assert_uint_ne(here[0], there[0]);
}
END_TEST

/* A deeper and deeper stack: another one each time. */
static NOINLINE void *deep(unsigned depth)
{
  void *object = depth ? deep(depth - 1) : second_maker(16);
  __asm__ volatile("" : : "r"(object));
  return object;
}

START_TEST(the_outer_frames_of_a_deep_stack_are_left_out)
{
  uintptr_t pcs[2 * ORIGIN_FRAMES];
  void *object = deep(100);
  unsigned count = origin_stack(&heap->collector.arena, (uintptr_t)object, pcs,
                                2 * ORIGIN_FRAMES);
  ck_assert(count == ORIGIN_FRAMES || unwind_here(pcs, 1) == 0);
}
END_TEST

START_TEST(what_was_not_allocated_has_none)
{
  uintptr_t pcs[ORIGIN_FRAMES];
  char *object = second_maker(64);
  ck_assert_uint_eq(stack_of(object + 16, pcs), 0);
  ck_assert_uint_eq(stack_of(&heap, pcs), 0);
  ck_assert_uint_eq(stack_of(NULL, pcs), 0);
  uintptr_t beyond = heap->collector.arena.base + heap->collector.arena.bytes;
  ck_assert_uint_eq(stack_of((void *)(beyond - 16), pcs), 0);
}
END_TEST

START_TEST(a_careful_heap_tells_what_is_fresh)
{
  void *small = second_maker(100);
  ck_assert_uint_eq(thread->fresh, (uintptr_t)small);
  void *large = second_maker(100000);
  ck_assert_uint_eq(thread->fresh, (uintptr_t)large);
  void *next = second_maker(100);
  ck_assert_uint_eq(thread->fresh, (uintptr_t)next);
  ck_assert_uint_eq((uintptr_t)next - (uintptr_t)small, 112);
}
END_TEST

START_TEST(errno_is_left_alone)
{
  errno = ERANGE;
  second_maker(64);
  ck_assert_int_eq(errno, ERANGE);
}
END_TEST

/* Each refusal in turn: allocation goes on, and stacks are not known. */
START_TEST(without_memory_nothing_is_known)
{
  uintptr_t pcs[ORIGIN_FRAMES];
  struct dusk_heap *poor = fixture_open();
  fixture_vm_begin();
  fixture_vm_refuse((unsigned long)_i, 100);
  careful_open(&poor->collector.arena, &(struct debug_options){.origins = 1});
  fixture_vm_end();
  struct dusk_thread *mine = fixture_attach(poor);
  void *object = dusk_alloc(mine, DUSK_LEAF, 64);
  ck_assert_ptr_nonnull(object);
  ck_assert_uint_eq(origin_stack(&poor->collector.arena, (uintptr_t)object, pcs,
                                 ORIGIN_FRAMES),
                    0);
  fixture_detach(mine);
  fixture_close(poor);
}
END_TEST

/* The same stacks from several threads at once. */
static void allocate(unsigned index)
{
  struct dusk_thread *mine = fixture_attach(heap);
  for (unsigned i = 0; i < 2000; i++) {
    uintptr_t pcs[ORIGIN_FRAMES];
    void *object = dusk_alloc(mine, DUSK_LEAF, 16 + 16 * (index % 2));
    unsigned count = stack_of(object, pcs);
    ck_assert(count > 0 || unwind_here(pcs, 1) == 0);
  }
  fixture_detach(mine);
}

START_TEST(threads_note_at_once)
{
  fixture_threads(4, allocate);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("origin");
  TCase *notes = tcase_create("notes");
  tcase_add_checked_fixture(notes, open_heap, close_heap);
  tcase_add_test(notes, a_stack_begins_in_the_program);
  tcase_add_test(notes, each_object_has_its_own);
  tcase_add_test(notes, the_outer_frames_of_a_deep_stack_are_left_out);
  tcase_add_test(notes, what_was_not_allocated_has_none);
  tcase_add_test(notes, a_careful_heap_tells_what_is_fresh);
  tcase_add_test(notes, errno_is_left_alone);
  tcase_add_test(notes, threads_note_at_once);
  suite_add_tcase(suite, notes);
  TCase *refusals = tcase_create("refusals");
  tcase_add_loop_test(refusals, without_memory_nothing_is_known, 1, 5);
  suite_add_tcase(suite, refusals);
  return unit_run(suite);
}
