/* SPDX-License-Identifier: MIT */
/* checkmark.c -- tests of inspect/: the second marker finds what the first one
 * is made to miss, and nothing else */
#include "unit.h"

#include "fixture.h"

#include "heap/kind.h"
#include "inspect/checkmark.h"

#include "dusk/store.h"

#include <stdio.h>
#include <string.h>

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static void **root; /* a registered root of 4 words */
static void *words[4];

static void setup(void)
{
  heap = fixture_open();
  thread = fixture_attach(heap);
  /* The test's own stack is no root. */
  thread->standing.stack.sp = thread->stack_high;
  thread->entry_sp = 0;
  memset(words, 0, sizeof words);
  root = words;
  ck_assert_int_eq(rootset_add(&heap->collector.roots, &heap->collector.arena,
                               &heap->collector.grey, (uintptr_t)root,
                               sizeof words),
                   0);
}

static void teardown(void)
{
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
  fixture_close(heap);
}

static void finish_marking(void)
{
  const void *const *found = (const void *const *)root;
  fixture_hand_over(heap, found, 4);
  fixture_mark(heap);
}

static void take_mark(void *object)
{
  struct arena *arena = &heap->collector.arena;
  struct roles roles = arena_roles(arena, heap->collector.epoch);
  marks_drop(roles.marks, arena_granule(arena, (uintptr_t)object), 1, 1);
}

/* What is said; *reached: objects that the second marker found. */
static const char *check(uint64_t *reached)
{
  struct remark remark;
  ck_assert(remark_open(&remark, heap, UINT64_MAX));
  remark_run(&remark);
  fixture_stderr_begin();
  bool good = checkmark_report(&remark);
  const char *text = fixture_stderr_end();
  ck_assert(good == (text[0] == '\0'));
  *reached = remark.reached;
  remark_close(&remark);
  return text;
}

static void trace_second(void *object, size_t bytes, dusk_tracer *tracer,
                         void *context)
{
  (void)bytes;
  (void)context;
  dusk_trace(tracer, (void *const *)object + 1);
}

static dusk_kind define_traced(void)
{
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "traced";
  spec.size = 32;
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = trace_second;
  ck_assert_int_eq(arena_define_kind(&heap->collector.arena, &spec, &kind), 0);
  return kind;
}

/* root[0] -> pair -> traced -> conservative (in the middle of) -> leaf, and
 * one that hangs from nothing.  What the root and the conservative object name
 * has neighbours in front that die: it cannot be meant as an end. */
enum { PAIR, TRACED, LOOSE, LEAF, LOST, OBJECTS };
static void *objects[OBJECTS];

static void make_objects(void)
{
  dusk_kind pair = fixture_layout(heap, 16, 2, 0);
  objects[LOST] = fixture_alloc(thread, DUSK_LEAF, 64);
  fixture_alloc(thread, DUSK_LEAF, 64);
  objects[LEAF] = fixture_alloc(thread, DUSK_LEAF, 64);
  objects[LOOSE] = fixture_alloc(thread, DUSK_CONSERVATIVE, 48);
  objects[TRACED] = fixture_alloc(thread, define_traced(), 32);
  for (int i = 0; i < 3; i++)
    fixture_alloc(thread, pair, 16);
  objects[PAIR] = fixture_alloc(thread, pair, 16);
  dusk_init(thread, (void **)objects[LOOSE] + 5, (char *)objects[LEAF] + 9);
  dusk_init(thread, (void **)objects[TRACED] + 1, objects[LOOSE]);
  dusk_init(thread, (void **)objects[PAIR] + 1, objects[TRACED]);
  dusk_init(thread, objects[PAIR], objects[LOST]); /* no slot of its kind */
  root[0] = objects[PAIR];
  fixture_begin_marking(heap);
  finish_marking();
}

START_TEST(test_marks_that_are_right_are_left_alone)
{
  uint64_t reached;
  make_objects();
  ck_assert_str_eq(check(&reached), "");
  ck_assert_uint_eq(reached, 4);
  ck_assert(!fixture_is_marked(heap, objects[LOST]));
}
END_TEST

/* Each object in turn is missed by the first marker. */
START_TEST(test_a_missed_object_is_named_with_its_path)
{
  uint64_t reached;
  char address[32];
  make_objects();
  take_mark(objects[_i]);
  const char *text = check(&reached);
  snprintf(address, sizeof address, "object %p (", objects[_i]);
  const char *found = strstr(text, address);
  ck_assert_msg(found != NULL, "%s", text);
  ck_assert_msg(strstr(found, "can be reached and is not marked"), "%s", text);
  ck_assert_msg(strstr(text, "reached from root") != NULL, "%s", text);
  static const char *const slots[] = {"+0", "slot +8", "slot +8", "slot +40"};
  ck_assert_msg(strstr(text, slots[_i]) != NULL, "%s", text);
}
END_TEST

START_TEST(test_a_pointer_slot_that_names_no_start_is_told)
{
  uint64_t reached;
  make_objects();
  ((void **)objects[PAIR])[1] = (char *)objects[TRACED] + 8;
  const char *text = check(&reached);
  ck_assert_msg(strstr(text, "which is 8 bytes into object") != NULL, "%s",
                text);
}
END_TEST

START_TEST(test_a_pointer_slot_may_hold_what_is_no_heap_address)
{
  uint64_t reached;
  make_objects();
  ((void **)objects[PAIR])[1] = (void *)(uintptr_t)12345;
  ck_assert_str_eq(check(&reached), "");
  ck_assert_uint_eq(reached, 1);
}
END_TEST

/* An end of an array is the start of its neighbour: in the same span, or where
 * the next one begins. */
START_TEST(test_an_ambiguous_end_is_no_evidence)
{
  uint64_t reached;
  char *behind = fixture_alloc(thread, DUSK_LEAF, 64);
  do {
    root[0] = behind;
    behind = fixture_alloc(thread, DUSK_LEAF, 64);
  } while (behind != (char *)root[0] + 64 ||
           (_i == 1 && (uintptr_t)behind % PAGE_BYTES));
  fixture_begin_marking(heap);
  finish_marking();
  root[1] = behind;
  ck_assert_str_eq(check(&reached), "");
  root[1] = behind + 1;
  ck_assert_str_ne(check(&reached), "");
}
END_TEST

START_TEST(test_without_memory_it_says_so)
{
  struct remark remark;
  make_objects();
  for (unsigned long n = 1; n <= 2; n++) {
    fixture_vm_begin();
    fixture_vm_refuse(n, 1);
    ck_assert(!remark_open(&remark, heap, 0));
    ck_assert_uint_eq(fixture_vm.mapped, 0);
    fixture_vm_end();
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("checkmark");
  TCase *tests = tcase_create("checkmark");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_marks_that_are_right_are_left_alone);
  tcase_add_loop_test(tests, test_a_missed_object_is_named_with_its_path, 0,
                      LEAF + 1);
  tcase_add_test(tests, test_a_pointer_slot_that_names_no_start_is_told);
  tcase_add_test(tests, test_a_pointer_slot_may_hold_what_is_no_heap_address);
  tcase_add_loop_test(tests, test_an_ambiguous_end_is_no_evidence, 0, 2);
  tcase_add_test(tests, test_without_memory_it_says_so);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
