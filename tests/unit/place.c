/* SPDX-License-Identifier: MIT */
/* place.c -- tests of inspect/place.c: each word outside the heap is found, and
 * named after the narrowest place that it is in */
#include "unit.h"

#include "fixture.h"

#include "inspect/halt.h"
#include "inspect/place.h"
#include "mutator/poll.h"

#include <stdio.h>
#include <string.h>

enum { WORD = sizeof(uintptr_t) };

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static struct halt halt;
static uintptr_t roots[4];
static uintptr_t elsewhere;

static void add_root(uintptr_t start, size_t bytes)
{
  struct collector *collector = &heap->collector;
  ck_assert_int_eq(rootset_add(&collector->roots, &collector->arena,
                               &collector->grey, start, bytes),
                   0);
}

/* The thread is outside, and the heap in a halt. */
static void setup(void)
{
  heap = fixture_open();
  thread = fixture_attach(heap);
  add_root((uintptr_t)roots, sizeof roots);
  poll_go_outside(thread, CALLER_SP());
  halt_begin(heap, &halt);
}

static void teardown(void)
{
  halt_end(heap, &halt);
  poll_come_back(thread);
  fixture_detach(thread);
  fixture_close(heap);
}

static const char *name_of(uintptr_t address)
{
  static char text[512];
  place_print(heap, address, text, sizeof text);
  return text;
}

/* What the format yields with these two numbers. */
static const char *text_of(const char *format, size_t first, size_t second)
{
  static char text[128];
  snprintf(text, sizeof text, format, first, second);
  return text;
}

static bool begins_with(const char *text, const char *start)
{
  return strncmp(text, start, strlen(start)) == 0;
}

START_TEST(test_a_word_of_a_root_is_named_by_its_offset)
{
  const char *name = name_of((uintptr_t)&roots[3]);
  const char *wanted = text_of("root 0x%zx+%zu", (size_t)roots, 3 * WORD);
  ck_assert_msg(begins_with(name, wanted), "%s", name);
}
END_TEST

START_TEST(test_a_word_of_a_stack_is_named_by_its_thread)
{
  uintptr_t address = thread->outside_sp + WORD;
  const char *name = name_of(address);
  const char *wanted =
      text_of("stack of thread %zu, word at 0x%zx, in ", 1, address);
  ck_assert_msg(begins_with(name, wanted), "%s", name);
}
END_TEST

START_TEST(test_a_saved_register_is_one)
{
  const char *name = name_of((uintptr_t)&thread->outside_words[2]);
  ck_assert_str_eq(name, "register 2 of thread 1");
}
END_TEST

START_TEST(test_what_is_below_the_stack_is_no_place)
{
  uintptr_t address = thread->outside_sp - WORD;
  ck_assert_str_eq(name_of(address), text_of("a word at 0x%zx", address, 0));
  address = (uintptr_t)&elsewhere;
  ck_assert_str_eq(name_of(address), text_of("a word at 0x%zx", address, 0));
}
END_TEST

START_TEST(test_a_variable_is_known_where_they_are_roots)
{
  heap->collector.roots.data_segments = true;
  const char *name = name_of((uintptr_t)&elsewhere);
  ck_assert_msg(begins_with(name, "data segment 0x"), "%s", name);
}
END_TEST

/* A root may be a variable, or lie on a stack. */
START_TEST(test_the_narrowest_place_has_the_word)
{
  heap->collector.roots.data_segments = true;
  const char *name = name_of((uintptr_t)&roots[0]);
  ck_assert_msg(begins_with(name, "root 0x"), "%s", name);
  add_root(thread->outside_sp, 2 * WORD);
  name = name_of(thread->outside_sp + WORD);
  ck_assert_msg(begins_with(name, "root 0x"), "%s", name);
  name = name_of(thread->outside_sp + 2 * WORD);
  ck_assert_msg(begins_with(name, "stack of thread 1"), "%s", name);
}
END_TEST

struct seen {
  unsigned count[PLACE_DATA + 1];
  struct place root;
};

static void note(void *context, const struct place *place)
{
  struct seen *seen = context;
  seen->count[place->kind]++;
  if (place->kind == PLACE_ROOT)
    seen->root = *place;
}

START_TEST(test_words_that_straddle_an_end_are_left_out)
{
  static char bytes[5 * WORD] __attribute__((aligned(sizeof(uintptr_t))));
  struct seen seen = {0};
  add_root((uintptr_t)bytes + 1, 4 * WORD);
  place_each(heap, note, &seen);
  ck_assert_uint_eq(seen.count[PLACE_STACK], 1);
  ck_assert_uint_eq(seen.count[PLACE_REGISTERS], 1);
  ck_assert_uint_eq(seen.count[PLACE_ROOT], 2);
  ck_assert_uint_eq(seen.count[PLACE_DATA], 0);
  ck_assert_uint_eq(seen.root.start, (uintptr_t)bytes + WORD);
  ck_assert_uint_eq(seen.root.end, (uintptr_t)bytes + 4 * WORD);
}
END_TEST

START_TEST(test_a_word_belongs_to_the_last_frame_below_it)
{
  struct place place = {.kind = PLACE_STACK, .thread = thread};
  struct standing *standing = &thread->standing;
  standing->frame_count = 3;
  for (uintptr_t i = 0; i < 3; i++)
    standing->frames[i].sp = 0x1000 + 0x100 * i;
  ck_assert_ptr_null(place_frame(&place, 0xff8));
  ck_assert_ptr_eq(place_frame(&place, 0x1000), &standing->frames[0]);
  ck_assert_ptr_eq(place_frame(&place, 0x11f8), &standing->frames[1]);
  ck_assert_ptr_eq(place_frame(&place, 0x5000), &standing->frames[2]);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("place");
  TCase *tests = tcase_create("place");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_a_word_of_a_root_is_named_by_its_offset);
  tcase_add_test(tests, test_a_word_of_a_stack_is_named_by_its_thread);
  tcase_add_test(tests, test_a_saved_register_is_one);
  tcase_add_test(tests, test_what_is_below_the_stack_is_no_place);
  tcase_add_test(tests, test_a_variable_is_known_where_they_are_roots);
  tcase_add_test(tests, test_the_narrowest_place_has_the_word);
  tcase_add_test(tests, test_words_that_straddle_an_end_are_left_out);
  tcase_add_test(tests, test_a_word_belongs_to_the_last_frame_below_it);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
