/* SPDX-License-Identifier: MIT */
/* barriercheck.c -- tests of inspect/barriercheck.c: a slot holds what was
 * announced for it, and in the child of a fork what it happens to hold */
#include "unit.h"

#include "fixture.h"

#include "heap/shadow.h"
#include "inspect/barriercheck.h"
#include "mutator/checking.h"

#include "dusk/store.h"

#include <string.h>

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static void **holder, **leaf;

static void setup(void)
{
  heap = fixture_open();
  shadow_open(&heap->collector.arena);
  heap->collector.arena.careful = true;
  heap->collector.registry.barrier = BARRIER_CHECK;
  thread = fixture_attach(heap);
  fixture_begin_marking(heap); /* what is made now is marked */
  dusk_kind pair = fixture_layout(heap, 16, 1, 0);
  holder = fixture_alloc(thread, pair, 16);
  leaf = fixture_alloc(thread, DUSK_LEAF, 64);
}

static void teardown(void)
{
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
  shadow_close(&heap->collector.arena);
  fixture_close(heap);
}

/* "": nothing was found. */
static const char *run(void)
{
  checking_settle(thread);
  fixture_stderr_begin();
  bool good = barriercheck_run(heap);
  const char *text = fixture_stderr_end();
  ck_assert(good == (text[0] == '\0'));
  return text;
}

START_TEST(test_an_announced_store_is_right)
{
  dusk_store(thread, &holder[0], leaf);
  ck_assert_str_eq(run(), "");
}
END_TEST

START_TEST(test_a_plain_store_is_told_once)
{
  ck_assert_str_eq(run(), "");
  holder[0] = leaf;
  const char *text = run();
  ck_assert_msg(strstr(text, "slot +0 of object") != NULL, "%s", text);
  ck_assert_str_eq(run(), ""); /* it counts as announced now */
}
END_TEST

START_TEST(test_a_word_that_is_no_slot_is_free)
{
  holder[1] = leaf;
  leaf[2] = holder;
  ck_assert_str_eq(run(), "");
}
END_TEST

/* Announced, and not stored: its thread was at work when another forked. */
START_TEST(test_a_child_takes_what_is_there)
{
  checking_settle(thread);
  shadow_note(&heap->collector.arena, 7, (uintptr_t)holder, (uintptr_t)leaf);
  ck_assert_str_ne(run(), "");
  shadow_note(&heap->collector.arena, 7, (uintptr_t)holder, (uintptr_t)leaf);
  barriercheck_revive(heap);
  ck_assert_str_eq(run(), "");
  holder[0] = leaf; /* and goes on to look */
  ck_assert_str_ne(run(), "");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("barriercheck");
  TCase *tests = tcase_create("barriercheck");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, test_an_announced_store_is_right);
  tcase_add_test(tests, test_a_plain_store_is_told_once);
  tcase_add_test(tests, test_a_word_that_is_no_slot_is_free);
  tcase_add_test(tests, test_a_child_takes_what_is_there);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
