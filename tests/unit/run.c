/* SPDX-License-Identifier: MIT */
/* Test of heap/run.c: every run of a span, of each class and with random bits,
 * against a search slot by slot; what is zeroed, and what is left alone. */
#include "unit.h"

#include "fixture.h"
#include "heap/run.h"

#include <string.h>

enum { JUNK = 0xa5 };

static struct arena arena;
static struct span *span;
static uint64_t *allocated;

static void set_up(void)
{
  ck_assert_int_eq(arena_open(&arena, (size_t)8 << 20), 0);
}

static void tear_down(void)
{
  arena_close(&arena);
}

static unsigned char *slot_start(uint32_t slot)
{
  return (unsigned char *)span_slot_address(&arena, span, slot);
}

static size_t granule_of(uint32_t slot)
{
  return span_first_granule(&arena, span) + slot * span_stride(span);
}

static bool is_taken(uint32_t slot)
{
  return bit_test(allocated, granule_of(slot));
}

/* A span full of junk, of whose slots one in `rarity` is allocated; 0: none. */
static void make_span(unsigned size_class, uint32_t rarity, bool needs_zero)
{
  span = span_make(&arena, DUSK_LEAF, (uint8_t)size_class, 1);
  ck_assert_ptr_nonnull(span);
  allocated = arena.marks[1];
  span->needs_zero = needs_zero;
  memset(slot_start(0), JUNK, span_bytes(span));
  for (uint32_t slot = 0; slot < span->slots; slot++)
    if (rarity && fixture_random(rarity) == 0)
      allocated_set(allocated, granule_of(slot), 1, 1);
}

static void free_span(void)
{
  uint32_t page = arena_span_page(&arena, span);
  bits_clear(allocated, page, span->pages);
  span_unpublish(&arena, span);
  pages_give(&arena, page, span->pages);
}

/* How many bytes from `start` are `value`, up to `end`. */
static size_t stretch_of(const unsigned char *start, const unsigned char *end,
                         int value)
{
  const unsigned char *at = start;
  while (at < end && *at == value)
    at++;
  return (size_t)(at - start);
}

/* The next run must be the free slots from `from` on; returns its end. */
static uint32_t expect_run(uint32_t from)
{
  while (from < span->slots && is_taken(from))
    from++;
  uint32_t to = from;
  while (to < span->slots && !is_taken(to))
    to++;
  struct run run = run_next(&arena, allocated, span);
  ck_assert_uint_eq(run.slots, to - from);
  ck_assert_uint_eq(span->next_slot, to);
  if (run.slots) {
    ck_assert_uint_eq(run.slot, from);
    ck_assert_uint_eq(run.start, (uintptr_t)slot_start(from));
    ck_assert_uint_eq(run.limit, (uintptr_t)slot_start(to));
  }
  return to;
}

/* Free slots have become zero and the rest of the span is as it was; without
 * need, nothing was touched. */
static void expect_contents(uint32_t from)
{
  for (uint32_t slot = 0; slot < span->slots; slot++) {
    bool zeroed = span->needs_zero && slot >= from && !is_taken(slot);
    size_t found =
        stretch_of(slot_start(slot), slot_start(slot + 1), zeroed ? 0 : JUNK);
    if (found != span->size)
      ck_abort_msg("size %u, slot %u: byte %zu is wrong", span->size, slot,
                   found);
  }
  const unsigned char *end = slot_start(0) + span_bytes(span);
  const unsigned char *tail = slot_start(span->slots);
  ck_assert_uint_eq(stretch_of(tail, end, JUNK), (size_t)(end - tail));
}

static void walk_runs(uint32_t from)
{
  span->next_slot = from;
  uint32_t at = from;
  while (at < span->slots)
    at = expect_run(at);
  expect_contents(from);
  ck_assert_uint_eq(expect_run(at), span->slots);
  expect_contents(from);
}

START_TEST(runs_are_the_free_stretches_of_the_bitmap)
{
  static const uint32_t rarities[] = {0, 1, 2, 3, 10, 100};
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++)
    for (size_t r = 0; r < sizeof rarities / sizeof *rarities; r++) {
      make_span(c, rarities[r], r & 1);
      walk_runs(r < 3 ? 0 : fixture_random(span->slots));
      free_span();
    }
}
END_TEST

START_TEST(a_new_span_is_one_run)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    make_span(c, 0, true);
    struct run run = run_next(&arena, allocated, span);
    ck_assert_uint_eq(run.slots, span->slots);
    ck_assert_uint_eq(run.limit - run.start, span->slots * span->size);
    expect_contents(0);
    free_span();
  }
}
END_TEST

START_TEST(a_full_span_has_no_run)
{
  make_span(5, 1, true);
  struct run run = run_next(&arena, allocated, span);
  ck_assert_uint_eq(run.slots, 0);
  ck_assert_uint_eq(run.start, run.limit);
  ck_assert_uint_eq(span->next_slot, span->slots);
  expect_contents(0);
}
END_TEST

/* Bits that appear below next_slot are those of runs handed out before; bits
 * of the next span are none of this one's business. */
START_TEST(only_slots_of_the_span_from_next_slot_on_count)
{
  make_span(3, 0, true);
  struct span *first = span;
  make_span(3, 1, true); /* right behind it */
  ck_assert_uint_eq(arena_span_page(&arena, span),
                    arena_span_page(&arena, first) + first->pages);
  span = first;
  allocated_set(allocated, granule_of(2), 1, 1);
  walk_runs(span->slots - 3);
}
END_TEST

/* A span that several threads own one after the other in one epoch. */
START_TEST(no_slot_is_handed_out_twice)
{
  make_span(7, 4, true);
  bool *given = calloc(span->slots, sizeof *given);
  struct run run;
  while ((run = run_next(&arena, allocated, span)).slots) {
    uint32_t used = 1 + fixture_random(run.slots);
    for (uint32_t slot = run.slot; slot < run.slot + used; slot++) {
      ck_assert(!given[slot] && !is_taken(slot));
      given[slot] = true;
    }
    span->next_slot = run.slot + used; /* the rest of the run comes back */
  }
  for (uint32_t slot = 0; slot < span->slots; slot++)
    ck_assert(given[slot] != is_taken(slot));
  free(given);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("run");
  TCase *cases = tcase_create("run");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, runs_are_the_free_stretches_of_the_bitmap);
  tcase_add_test(cases, a_new_span_is_one_run);
  tcase_add_test(cases, a_full_span_has_no_run);
  tcase_add_test(cases, only_slots_of_the_span_from_next_slot_on_count);
  tcase_add_test(cases, no_slot_is_handed_out_twice);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
