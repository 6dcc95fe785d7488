/* SPDX-License-Identifier: MIT */
/* Test of heap/arena.c: opening and growing on a system that refuses, spans
 * that appear and vanish, and every look-up. */
#include "unit.h"

#include "fixture.h"
#include "heap/arena.h"
#include "heap/central.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define MIB(n) ((size_t)(n) << 20)

static struct arena arena;

static void set_up(void)
{
  ck_assert_int_eq(arena_open(&arena, MIB(8)), 0);
}

static void tear_down(void)
{
  arena_close(&arena);
}

static uintptr_t page_start(uint32_t page)
{
  return (uintptr_t)arena_page(&arena, page);
}

static struct span *small_span(unsigned size_class)
{
  struct span *span = span_make(&arena, DUSK_LEAF, (uint8_t)size_class, 1);
  ck_assert_ptr_nonnull(span);
  return span;
}

/* The lowest that is free. */
static struct span *large_span(size_t bytes)
{
  struct span *span = span_make_large(&arena, DUSK_LEAF, bytes, 1);
  ck_assert_ptr_nonnull(span);
  span_publish(&arena, span);
  return span;
}

static void free_span(struct span *span)
{
  span_unpublish(&arena, span);
  pages_give(&arena, arena_span_page(&arena, span), span->pages);
}

/* ---- opening ---- */

START_TEST(reserves_what_is_asked_for_in_steps_of_4_MiB)
{
  static const struct {
    size_t bytes, reserved;
  } asked[] = {{MIB(8), MIB(8)}, {MIB(8) + 1, MIB(12)}, {MIB(64), MIB(64)}};
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    ck_assert_int_eq(arena_open(&arena, asked[i].bytes), 0);
    ck_assert_uint_eq(arena.bytes, asked[i].reserved);
    ck_assert_uint_eq(arena.base % MIB(4), 0);
    ck_assert_uint_eq(arena.pages.limit, asked[i].reserved / PAGE_BYTES);
    ck_assert_uint_eq(arena.end, 0);
    arena_close(&arena);
  }
}
END_TEST

/* As if a limit on address space let no larger mapping through. */
START_TEST(a_refused_reservation_is_halved_until_it_fits)
{
  fixture_vm_begin();
  fixture_vm.biggest_map = MIB(40);
  fixture_stderr_begin();
  ck_assert_int_eq(arena_open(&arena, MIB(256)), 0);
  const char *said = fixture_stderr_end();
  ck_assert_uint_eq(arena.bytes, MIB(32));
  ck_assert_int_eq(strncmp(said, "dusk: the heap is limited to 32 MiB", 35), 0);
  ck_assert_ptr_eq(strchr(said, '\n') + 1, said + strlen(said));
  arena_close(&arena);
  ck_assert_uint_eq(fixture_vm.mapped, 0);
  fixture_vm_end();
}
END_TEST

START_TEST(what_was_asked_for_and_given_needs_no_word)
{
  fixture_stderr_begin();
  ck_assert_int_eq(arena_open(&arena, MIB(8)), 0);
  ck_assert_str_eq(fixture_stderr_end(), "");
  arena_close(&arena);
}
END_TEST

START_TEST(less_than_8_MiB_is_no_heap)
{
  fixture_vm_begin();
  fixture_vm.biggest_map = MIB(8);
  ck_assert_int_eq(arena_open(&arena, MIB(64)), ENOMEM);
  ck_assert_uint_eq(fixture_vm.mapped, 0);
  fixture_vm_end();
}
END_TEST

/* Whichever call is refused: it opens all the same, or leaves nothing. */
START_TEST(opening_survives_any_refusal)
{
  unsigned long at = 0;
  fixture_vm_begin();
  fixture_stderr_begin();
  do {
    fixture_vm_refuse(++at, _i ? ULONG_MAX : 1);
    int error = arena_open(&arena, MIB(64));
    ck_assert(error == 0 || error == ENOMEM);
    if (error == 0) {
      ck_assert_uint_ge(arena.bytes, MIB(8));
      arena_close(&arena);
    }
    ck_assert_uint_eq(fixture_vm.mapped, 0);
  } while (fixture_vm.calls >= at);
  fixture_stderr_end();
  ck_assert_uint_ge(at, 4);
  fixture_vm_end();
}
END_TEST

/* Writes all over each table, and looks whether it is still there. */
START_TEST(tables_do_not_overlap)
{
  uint32_t pages = arena.pages.limit;
  large_span((size_t)(pages - 1) * PAGE_BYTES);
  size_t kinds = kinds_count(&arena.kinds);
  struct {
    void *start;
    size_t bytes;
  } tables[] = {
      {arena.marks[0], pages * PAGE_MARK_WORDS * sizeof(uint64_t)},
      {arena.marks[1], pages * PAGE_MARK_WORDS * sizeof(uint64_t)},
      {arena.info, pages * sizeof(uint64_t)},
      {arena.spans, pages * sizeof(struct span)},
      {arena.heads, pages / 8},
      {arena.dirty, pages / 8},
      {arena.centrals, kinds * DUSK_SIZE_CLASSES * sizeof(struct central)},
      {arena_page(&arena, 0), arena.bytes},
  };
  enum { TABLES = sizeof tables / sizeof *tables };
  for (int i = 0; i < TABLES; i++)
    memset(tables[i].start, i + 1, tables[i].bytes);
  for (int i = 0; i < TABLES; i++) {
    const unsigned char *byte = tables[i].start;
    for (size_t at = 0; at < tables[i].bytes; at++)
      if (byte[at] != i + 1)
        ck_abort_msg("table %d is overwritten at %zu by %d", i, at, byte[at]);
  }
}
END_TEST

/* ---- growing ---- */

START_TEST(growth_refused_at_any_call_changes_nothing)
{
  unsigned long at = 0;
  struct span *span;
  fixture_vm_begin();
  do {
    fixture_vm_refuse(++at, 1);
    span = span_make(&arena, DUSK_LEAF, 0, 1);
    if (!span) {
      ck_assert_uint_eq(arena.end, 0);
      ck_assert_uint_eq(arena.tables_usable, 0);
      ck_assert_uint_eq(pages_read(&arena).committed, 0);
      ck_assert_uint_eq(pages_read(&arena).in_use, 0);
      ck_assert_uint_eq(arena_next_head(&arena, 1), PAGE_NONE);
    }
  } while (!span);
  ck_assert_uint_eq(at, 9); /* eight tables, and the pages */
  ck_assert(!span->needs_zero);
  ck_assert_uint_eq(pages_read(&arena).committed, MIB(4));
  memset(arena_page(&arena, 1), 1, MIB(4) - PAGE_BYTES);
  fixture_vm_end();
}
END_TEST

START_TEST(growth_refused_later_leaves_what_there_is)
{
  struct span *first = large_span(MIB(3));
  uint64_t usable = arena.tables_usable;
  fixture_vm_begin();
  fixture_vm_refuse(1, ULONG_MAX);
  ck_assert_ptr_null(span_make_large(&arena, DUSK_LEAF, MIB(3), 1));
  ck_assert_uint_eq(arena.tables_usable, usable);
  ck_assert_ptr_nonnull(span_make_large(&arena, DUSK_LEAF, MIB(1) / 2, 1));
  fixture_vm_end();
  struct span *second = span_make_large(&arena, DUSK_LEAF, MIB(3), 1);
  ck_assert_ptr_nonnull(second);
  ck_assert(!second->needs_zero);
  ck_assert_uint_ge(arena_span_page(&arena, second),
                    arena_span_page(&arena, first) + first->pages);
}
END_TEST

START_TEST(too_much_is_refused_whatever_the_size)
{
  static const size_t sizes[] = {
      MIB(8) - PAGE_BYTES + 1, MIB(8),  MIB(8) + 1, SIZE_MAX / 2,
      SIZE_MAX - PAGE_BYTES,   SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    ck_assert_ptr_null(span_make_large(&arena, DUSK_LEAF, sizes[i], 1));
  ck_assert_uint_eq(large_span(MIB(8) - PAGE_BYTES)->pages, 1023);
  ck_assert_ptr_null(span_make(&arena, DUSK_LEAF, 0, 1));
}
END_TEST

/* ---- spans ---- */

START_TEST(a_span_is_what_its_class_says)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    struct span *span =
        span_make(&arena, DUSK_CONSERVATIVE, (uint8_t)c, 40 + c);
    const struct sizeclass *class = &arena.classes[c];
    ck_assert_uint_eq(span->pages, class->pages);
    ck_assert_uint_eq(span->slots, class->slots);
    ck_assert_uint_eq(span->size, class->size);
    ck_assert_uint_eq(span->kind, DUSK_CONSERVATIVE);
    ck_assert_uint_eq(span->size_class, c);
    ck_assert_uint_eq(span->epoch, 40 + c);
    ck_assert_uint_eq(span->allocated + span->next_slot + span->run_slot, 0);
    ck_assert_int_eq(span_state(span), SPAN_CACHED);
    const struct kind *kind = kind_find(&arena.kinds, DUSK_CONSERVATIVE);
    ck_assert(kind->classes[c / 64] >> c % 64 & 1);
    free_span(span);
    ck_assert_int_eq(span_state(span), SPAN_FREE);
    ck_assert(small_span(0)->needs_zero);
    free_span(&arena.spans[1]);
  }
}
END_TEST

START_TEST(page_information_is_packed_and_unpacked)
{
  static const uint32_t heads[] = {1, 77, UINT32_MAX};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
    for (uint32_t kind = 0; kind < DUSK_KINDS_MAX; kind += 819)
      for (uint32_t c = 0; c <= CLASS_LARGE; c += 51) {
        uint64_t info = pageinfo_make(heads[i], (uint16_t)kind, (uint8_t)c);
        ck_assert(info != 0);
        ck_assert_uint_eq(pageinfo_head(info), heads[i]);
        ck_assert_uint_eq(pageinfo_kind(info), kind);
        ck_assert_uint_eq(pageinfo_class(info), c);
      }
  ck_assert(pageinfo_make(0, 0, 0) != 0);
}
END_TEST

/* ---- look-ups ---- */

static void expect_object(uintptr_t word, struct span *span, uintptr_t start,
                          size_t bytes)
{
  struct object object;
  if (!object_find(&arena, word, &object))
    ck_abort_msg("%#zx is in no object", (size_t)word);
  ck_assert_uint_eq(object.start, start);
  ck_assert_uint_eq(object.bytes, bytes);
  ck_assert_ptr_eq(object.span, span);
}

static void expect_nothing(uintptr_t word)
{
  struct object object;
  if (object_find(&arena, word, &object))
    ck_abort_msg("%#zx is in an object", (size_t)word);
}

START_TEST(each_word_of_a_small_object_finds_it)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    struct span *span = small_span(c);
    for (uint32_t slot = 0; slot < span->slots; slot += 1 + span->slots / 50) {
      uintptr_t start = span_slot_address(&arena, span, slot);
      for (size_t i = 0; i < span->size; i += 1 + span->size / 9)
        expect_object(start + i, span, start, span->size);
      expect_object(start + span->size - 1, span, start, span->size);
    }
    uintptr_t end =
        page_start(arena_span_page(&arena, span)) + span_bytes(span);
    for (uintptr_t tail = span_slot_address(&arena, span, span->slots);
         tail < end; tail++)
      expect_nothing(tail);
    free_span(span);
    expect_nothing(page_start(1));
  }
}
END_TEST

START_TEST(each_page_of_a_large_object_finds_it)
{
  large_span(1);
  struct span *span = large_span(MIB(2) + 1);
  uintptr_t start = page_start(2);
  size_t bytes = MIB(2) + PAGE_BYTES;
  ck_assert_uint_eq(span_bytes(span), bytes);
  for (size_t i = 0; i < bytes; i += 997)
    expect_object(start + i, span, start, bytes);
  expect_object(start + bytes - 1, span, start, bytes);
  expect_object(start - 1, &arena.spans[1], page_start(1), PAGE_BYTES);
  expect_nothing(start + bytes);
}
END_TEST

START_TEST(words_that_are_nowhere_find_nothing)
{
  expect_nothing(arena.base); /* no table is usable yet */
  small_span(0);
  ck_assert(arena.bytes > (size_t)arena.end * PAGE_BYTES);
  uintptr_t nowhere[] = {0,
                         1,
                         UINTPTR_MAX,
                         arena.base - 1,
                         arena.base,
                         page_start(2),
                         page_start(arena.end) - 1,
                         page_start(arena.end),
                         arena.base + arena.bytes - 1,
                         arena.base + arena.bytes,
                         (uintptr_t)&arena};
  for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
    expect_nothing(nowhere[i]);
  ck_assert(arena_holds(&arena, arena.base));
  ck_assert(!arena_holds(&arena, arena.base - 1));
  ck_assert(arena_holds(&arena, arena.base + arena.bytes - 1));
  ck_assert(!arena_holds(&arena, arena.base + arena.bytes));
}
END_TEST

/* Spans come and go; from each page the next head must be the next span's. */
START_TEST(next_head_visits_all_spans_in_order)
{
  static bool is_head[1024];
  ck_assert_uint_eq(arena_next_head(&arena, 1), PAGE_NONE);
  for (int round = 0; round < 200; round++) {
    uint32_t page = 1 + fixture_random(1023);
    if (is_head[page]) {
      free_span(&arena.spans[page]);
      is_head[page] = false;
    } else {
      is_head[arena_span_page(&arena, large_span(1))] = true;
    }
    uint32_t expected = PAGE_NONE;
    for (uint32_t at = 1024; at-- > 0;) {
      expected = is_head[at] ? at : expected;
      if (arena_next_head(&arena, at) != expected)
        ck_abort_msg("from %u: %u, not %u", at, arena_next_head(&arena, at),
                     expected);
    }
  }
  ck_assert_uint_eq(arena_next_head(&arena, 1024), PAGE_NONE);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("arena");
  TCase *opening = tcase_create("opening");
  tcase_add_test(opening, reserves_what_is_asked_for_in_steps_of_4_MiB);
  tcase_add_test(opening, a_refused_reservation_is_halved_until_it_fits);
  tcase_add_test(opening, what_was_asked_for_and_given_needs_no_word);
  tcase_add_test(opening, less_than_8_MiB_is_no_heap);
  tcase_add_loop_test(opening, opening_survives_any_refusal, 0, 2);
  suite_add_tcase(suite, opening);
  TCase *cases = tcase_create("open");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, tables_do_not_overlap);
  tcase_add_test(cases, growth_refused_at_any_call_changes_nothing);
  tcase_add_test(cases, growth_refused_later_leaves_what_there_is);
  tcase_add_test(cases, too_much_is_refused_whatever_the_size);
  tcase_add_test(cases, a_span_is_what_its_class_says);
  tcase_add_test(cases, page_information_is_packed_and_unpacked);
  tcase_add_test(cases, each_word_of_a_small_object_finds_it);
  tcase_add_test(cases, each_page_of_a_large_object_finds_it);
  tcase_add_test(cases, words_that_are_nowhere_find_nothing);
  tcase_add_test(cases, next_head_visits_all_spans_in_order);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
