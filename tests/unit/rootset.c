/* SPDX-License-Identifier: MIT */
/* Test of mutator/rootset.c and heap/gather.c: which words of which roots are
 * gathered, what a change logs while a cycle runs, and what happens without
 * packets. */
#include "unit.h"

#include "fixture.h"
#include "mutator/rootset.h"

#include "dusk/alloc.h"

#include <errno.h>
#include <string.h>

enum {
  WORD = sizeof(void *),
  ROOTS = 100,
  WORDS = 2 * PACKET_WORDS + 7, /* of a root that fills packets */
};

static struct dusk_heap *heap;
static struct rootset *set;
static struct arena *arena;
static struct grey *grey;
static uintptr_t address; /* in the heap, aligned; so are the ones above it */

static void set_up(void)
{
  heap = fixture_open();
  set = &heap->collector.roots;
  arena = &heap->collector.arena;
  grey = &heap->collector.grey;
  struct dusk_thread *mutator = fixture_attach(heap);
  address = (uintptr_t)fixture_alloc(mutator, DUSK_LEAF, 100000);
  fixture_detach(mutator);
}

static void tear_down(void)
{
  fixture_close(heap);
}

static int add(const void *start, size_t bytes)
{
  return rootset_add(set, arena, grey, (uintptr_t)start, bytes);
}

static int remove_root(const void *start)
{
  return rootset_remove(set, arena, grey, (uintptr_t)start);
}

/* Takes what is grey, in any order; its words must be address, address + 1 and
 * so on, each once. */
static void check_gathered(size_t count)
{
  static bool seen[WORDS + ROOTS];
  struct packet *packet;
  size_t words = 0;
  memset(seen, 0, sizeof seen);
  while ((packet = grey_pop(grey, &grey->raw))) {
    for (uint32_t i = 0; i < packet->count; i++, words++) {
      uintptr_t at = packet->words[i] - address;
      ck_assert_uint_lt(at, count);
      ck_assert(!seen[at]);
      seen[at] = true;
    }
    grey_recycle(grey, packet);
  }
  ck_assert_uint_eq(words, count);
}

static uint64_t gather_all(void)
{
  bool complete = false;
  uint64_t bytes = rootset_gather(set, arena, grey, &complete);
  ck_assert(complete);
  return bytes;
}

/* ---- the set ---- */

static uintptr_t root[ROOTS][2];

START_TEST(an_empty_set_has_nothing_to_gather)
{
  ck_assert_uint_eq(gather_all(), 0);
  ck_assert(grey_is_empty(grey));
}
END_TEST

START_TEST(roots_are_found_while_they_are_in_the_set)
{
  for (size_t i = 0; i < ROOTS; i++) {
    root[i][0] = address + i;
    ck_assert_int_eq(add(root[i], sizeof root[i]), 0);
  }
  ck_assert_uint_eq(set->bytes, sizeof root);
  ck_assert_uint_eq(gather_all(), sizeof root);
  check_gathered(ROOTS);
  for (size_t i = ROOTS; i-- > ROOTS / 2;)
    ck_assert_int_eq(remove_root(root[i]), 0);
  ck_assert_uint_eq(set->bytes, sizeof root / 2);
  ck_assert_uint_eq(gather_all(), sizeof root / 2);
  check_gathered(ROOTS / 2);
  for (size_t i = 0; i < ROOTS / 2; i++)
    ck_assert_int_eq(remove_root(root[i]), 0);
  ck_assert_uint_eq(set->bytes, 0);
  ck_assert_uint_eq(gather_all(), 0);
}
END_TEST

START_TEST(a_start_names_a_root)
{
  ck_assert_int_eq(add(root[0], WORD), 0);
  ck_assert_int_eq(add(root[0], sizeof root), EEXIST);
  ck_assert_int_eq(remove_root(&root[0][1]), ENOENT);
  ck_assert_uint_eq(set->bytes, WORD);
  ck_assert_int_eq(remove_root(root[0]), 0);
  ck_assert_int_eq(remove_root(root[0]), ENOENT);
  ck_assert_int_eq(add(root[0], 0), 0);
  ck_assert_uint_eq(gather_all(), 0);
}
END_TEST

/* ---- which words ---- */

START_TEST(words_that_straddle_the_ends_hold_no_pointer)
{
  uintptr_t words[4] = {address + 50, address, address + 1, address + 51};
  ck_assert_int_eq(add((char *)words + 1, sizeof words - 2), 0);
  ck_assert_uint_eq(gather_all(), sizeof words - 2);
  check_gathered(2);
}
END_TEST

START_TEST(a_root_within_one_word_holds_no_pointer)
{
  uintptr_t words[2] = {address, address};
  for (size_t offset = 1; offset < WORD; offset++)
    for (size_t bytes = 1; bytes < WORD; bytes++) {
      ck_assert_int_eq(add((char *)words + offset, bytes), 0);
      ck_assert_uint_eq(gather_all(), bytes);
      check_gathered(0);
      ck_assert_int_eq(remove_root((char *)words + offset), 0);
    }
}
END_TEST

START_TEST(words_that_are_no_heap_address_are_left_out)
{
  uintptr_t end = arena->base + ((uintptr_t)arena->end << PAGE_LOG2);
  uintptr_t words[] = {0,   1,           address,         arena->base - 1,
                       end, UINTPTR_MAX, (uintptr_t)words};
  ck_assert_int_eq(add(words, sizeof words), 0);
  gather_all();
  check_gathered(1);
}
END_TEST

static uintptr_t many[WORDS];

static void fill_many(void)
{
  for (size_t i = 0; i < WORDS; i++)
    many[i] = address + i;
}

START_TEST(a_long_root_fills_packets)
{
  fill_many();
  ck_assert_int_eq(add(many, sizeof many), 0);
  ck_assert_uint_eq(gather_all(), sizeof many);
  check_gathered(WORDS);
}
END_TEST

static uintptr_t in_data_segment;

START_TEST(data_segments_are_gathered_if_asked_for)
{
  in_data_segment = address + 12345;
  set->data_segments = true;
  ck_assert_uint_gt(gather_all(), sizeof many);
  bool found = false;
  struct packet *packet;
  while ((packet = grey_pop(grey, &grey->raw)))
    for (uint32_t i = 0; i < packet->count; i++)
      found |= packet->words[i] == in_data_segment;
  ck_assert(found);
}
END_TEST

/* ---- while a cycle runs ---- */

START_TEST(a_change_is_logged_while_a_cycle_runs)
{
  uintptr_t words[] = {address, address + 1};
  ck_assert_int_eq(add(words, sizeof words), 0);
  ck_assert_int_eq(remove_root(words), 0);
  ck_assert(grey_is_empty(grey));
  rootset_log(set, true);
  grey_begin_round(grey);
  ck_assert_int_eq(add(words, sizeof words), 0);
  ck_assert_uint_eq(grey->dirty, 1);
  check_gathered(2);
  grey_begin_round(grey);
  ck_assert_int_eq(remove_root(words), 0);
  ck_assert_uint_eq(grey->dirty, 1);
  check_gathered(2);
  rootset_log(set, false);
  ck_assert_int_eq(add(words, sizeof words), 0);
  check_gathered(0);
}
END_TEST

/* The last packet is empty: the one before has to tell. */
START_TEST(a_full_packet_makes_the_set_dirty)
{
  fill_many();
  memset(many + PACKET_WORDS, 0, sizeof many - PACKET_WORDS * WORD);
  rootset_log(set, true);
  grey_begin_round(grey);
  ck_assert_int_eq(add(many, sizeof many), 0);
  ck_assert_uint_eq(grey->dirty, 1);
  check_gathered(PACKET_WORDS);
}
END_TEST

START_TEST(a_change_that_fails_logs_nothing)
{
  uintptr_t words[] = {address};
  ck_assert_int_eq(add(words, sizeof words), 0);
  rootset_log(set, true);
  ck_assert_int_eq(add(words, sizeof words), EEXIST);
  ck_assert_int_eq(remove_root(words + 1), ENOENT);
  ck_assert(grey_is_empty(grey));
}
END_TEST

/* ---- without packets ---- */

static void allow_packets(uint32_t count)
{
  grey_destroy(grey);
  ck_assert(grey_init(grey, (1 + count) * sizeof(struct packet)));
}

START_TEST(without_packets_a_change_is_refused)
{
  uintptr_t words[] = {address};
  allow_packets(1);
  struct packet *last = grey_packet(grey);
  ck_assert_ptr_nonnull(last);
  ck_assert_int_eq(add(words, sizeof words), 0);
  rootset_log(set, true);
  ck_assert_int_eq(remove_root(words), ENOMEM);
  ck_assert_int_eq(add(words + 1, 0), ENOMEM);
  ck_assert_uint_eq(set->count, 1);
  ck_assert_uint_eq(set->bytes, sizeof words);
  grey_recycle(grey, last);
  ck_assert_int_eq(remove_root(words), 0);
  check_gathered(1);
}
END_TEST

/* What could be gathered stays: that does no harm. */
START_TEST(without_packets_a_gathering_is_not_complete)
{
  bool complete = true;
  allow_packets(2);
  fill_many();
  ck_assert_int_eq(add(many, sizeof many), 0);
  rootset_gather(set, arena, grey, &complete);
  ck_assert(!complete);
  check_gathered(2 * PACKET_WORDS);
  ck_assert_int_eq(remove_root(many), 0);
  ck_assert_int_eq(add(many, 2 * PACKET_WORDS * WORD), 0);
  gather_all();
  check_gathered(2 * PACKET_WORDS);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("rootset");
  TCase *cases = tcase_create("rootset");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, an_empty_set_has_nothing_to_gather);
  tcase_add_test(cases, roots_are_found_while_they_are_in_the_set);
  tcase_add_test(cases, a_start_names_a_root);
  tcase_add_test(cases, words_that_straddle_the_ends_hold_no_pointer);
  tcase_add_test(cases, a_root_within_one_word_holds_no_pointer);
  tcase_add_test(cases, words_that_are_no_heap_address_are_left_out);
  tcase_add_test(cases, a_long_root_fills_packets);
  tcase_add_test(cases, data_segments_are_gathered_if_asked_for);
  tcase_add_test(cases, a_change_is_logged_while_a_cycle_runs);
  tcase_add_test(cases, a_full_packet_makes_the_set_dirty);
  tcase_add_test(cases, a_change_that_fails_logs_nothing);
  tcase_add_test(cases, without_packets_a_change_is_refused);
  tcase_add_test(cases, without_packets_a_gathering_is_not_complete);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
