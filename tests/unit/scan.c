/* SPDX-License-Identifier: MIT */
/* Test of collect/scan.c: of objects of each kind exactly the pointer words
 * are read, whole and in pieces. */
#include "unit.h"

#include "fixture.h"
#include "base/bits.h"
#include "collect/scan.h"

#include <string.h>

enum {
  WORD = sizeof(void *),
  WORDS = 300, /* of the objects here, at most */
};

/* Word i of the object points to targets[i]: which targets are marked tells
 * which words were read. */
static struct dusk_heap *heap;
static struct dusk_thread *mutator;
static struct dusk_tracer tracer;
static void *targets[WORDS];
static void *object[WORDS]; /* its memory may be anywhere */

static void set_up(void)
{
  heap = fixture_open();
  mutator = fixture_attach(heap);
  for (int i = 0; i < WORDS; i++)
    object[i] = targets[i] = fixture_alloc(mutator, DUSK_LEAF, 48);
  fixture_begin_marking(heap);
  ck_assert(mark_enter(&tracer, &heap->collector));
}

static void tear_down(void)
{
  mark_leave(&tracer);
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(mutator);
  fixture_close(heap);
}

static const struct kind *kind_at(dusk_kind kind)
{
  return kind_find(&heap->collector.arena.kinds, kind);
}

static void scan(dusk_kind kind, size_t from, size_t to)
{
  scan_range(&tracer, kind_at(kind), (uintptr_t)&object[from],
             (uintptr_t)&object[to]);
}

static bool is_bit(const uint64_t *bits, size_t i)
{
  return bits[i / 64] >> (i % 64) & 1;
}

/* The words that `bits` names, and no others, were read. */
static void check_read(const uint64_t *bits, size_t period, size_t words)
{
  for (size_t i = 0; i < WORDS; i++) {
    bool expected = i < words && is_bit(bits, i % period);
    ck_assert_msg(fixture_is_marked(heap, targets[i]) == expected,
                  "word %zu was %sread", i, expected ? "not " : "");
  }
}

static const uint64_t all = UINT64_MAX;
static const uint64_t none = 0;

/* ---- leaves, and words that may be pointers ---- */

START_TEST(nothing_of_a_leaf)
{
  scan(DUSK_LEAF, 0, WORDS);
  check_read(&none, 64, WORDS);
}
END_TEST

START_TEST(each_word_of_a_conservative_object)
{
  scan(DUSK_CONSERVATIVE, 0, 100);
  check_read(&all, 64, 100);
}
END_TEST

START_TEST(ambiguous_words_may_point_into_an_object)
{
  object[0] = (char *)targets[0] + 1;
  object[1] = (char *)targets[1] + 47;
  scan(DUSK_CONSERVATIVE, 0, 2);
  check_read(&all, 64, 2);
  ck_assert_uint_eq(tracer.packet->words[0], (uintptr_t)targets[0]);
  ck_assert_uint_eq(tracer.packet->words[1], (uintptr_t)targets[1]);
}
END_TEST

START_TEST(ambiguous_words_that_are_no_pointers_are_passed_over)
{
  const struct arena *arena = &heap->collector.arena;
  uintptr_t words[] = {0,
                       1,
                       UINTPTR_MAX,
                       arena->base,
                       arena->base + arena->bytes - WORD,
                       arena->base - WORD,
                       (uintptr_t)words};
  memcpy(object, words, sizeof words);
  scan(DUSK_CONSERVATIVE, 0, sizeof words / WORD);
  check_read(&none, 64, WORDS);
  ck_assert_uint_eq(tracer.packet->count, 0);
}
END_TEST

START_TEST(a_free_slot_is_no_object)
{
  char *last = targets[WORDS - 1];
  object[0] = last + 48; /* of the same span: the run was not used up */
  scan(DUSK_CONSERVATIVE, 0, 1);
  ck_assert_uint_eq(tracer.packet->count, 0);
}
END_TEST

/* ---- layouts ---- */

START_TEST(the_words_that_a_layout_names)
{
  uint64_t bits = UINT64_C(0x8000000000050003);
  scan(fixture_layout(heap, 64 * WORD, bits, 0), 0, 64);
  check_read(&bits, 64, 64);
}
END_TEST

START_TEST(no_word_beyond_the_period_of_a_fixed_size)
{
  uint64_t bits = 5;
  scan(fixture_layout(heap, 64 * WORD, bits, 3), 0, 64);
  check_read(&bits, 64, 64);
}
END_TEST

/* A slot is as large as its class, which may be more than the kind's size. */
START_TEST(no_word_beyond_a_fixed_size)
{
  uint64_t bits = 7;
  scan(fixture_layout(heap, 3 * WORD, bits, 0), 0, 4);
  check_read(&bits, 64, 64);
}
END_TEST

START_TEST(a_layout_repeats_up_to_the_end)
{
  uint64_t bits = 9; /* of five words */
  scan(fixture_layout(heap, 0, bits, 5), 0, 203);
  check_read(&bits, 5, 203);
}
END_TEST

static dusk_kind define(const dusk_kind_spec *spec)
{
  dusk_kind kind;
  ck_assert_int_eq(arena_define_kind(&heap->collector.arena, spec, &kind), 0);
  return kind;
}

START_TEST(a_bitmap_of_several_words)
{
  uint64_t bits[] = {UINT64_C(1) << 63, 1, 2};
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = bits;
  spec.period = 130;
  dusk_kind kind = define(&spec);
  for (size_t words = 1; words <= WORDS; words++) {
    memset(tracer.marks, 0, heap->collector.arena.end * (size_t)CACHE_LINE);
    tracer.packet->count = 0;
    scan(kind, 0, words);
    check_read(bits, spec.period, words);
  }
}
END_TEST

START_TEST(exact_words_may_be_null)
{
  object[1] = NULL;
  scan(fixture_layout(heap, 4 * WORD, 15, 0), 0, 4);
  ck_assert_uint_eq(tracer.packet->count, 3);
}
END_TEST

/* ---- callbacks ---- */

static struct {
  void *object;
  size_t bytes;
  void *context;
} traced;

static void trace_second(void *start, size_t bytes, dusk_tracer *with,
                         void *context)
{
  traced.object = start;
  traced.bytes = bytes;
  traced.context = context;
  dusk_trace(with, (void **)start + 1);
}

static void check_traced(size_t size, size_t words, size_t bytes)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_TRACE;
  spec.size = size;
  spec.trace = trace_second;
  spec.context = &traced;
  scan(define(&spec), 0, words);
  uint64_t second = 2;
  check_read(&second, 64, 64);
  ck_assert_ptr_eq(traced.object, object);
  ck_assert_ptr_eq(traced.context, &traced);
  ck_assert_uint_eq(traced.bytes, bytes);
}

START_TEST(a_callback_is_told_the_size_of_the_kind)
{
  check_traced(3 * WORD, 4, 3 * WORD);
}
END_TEST

START_TEST(a_callback_of_any_size_is_told_the_size_of_the_slot)
{
  check_traced(0, 20, 20 * WORD);
}
END_TEST

/* ---- pieces ---- */

START_TEST(kinds_without_a_beat_are_read_whole)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = trace_second;
  ck_assert_uint_eq(scan_piece_bytes(kind_at(DUSK_LEAF)), 0);
  ck_assert_uint_eq(scan_piece_bytes(kind_at(define(&spec))), 0);
  ck_assert_uint_eq(
      scan_piece_bytes(kind_at(fixture_layout(heap, 1 << 20, 1, 1))), 0);
}
END_TEST

/* Pieces begin with a period, and are aligned so that a tag fits below the
 * lowest bits of their address. */
START_TEST(pieces_are_whole_periods_and_granules)
{
  uint64_t bits[1 << 14] = {1};
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = bits;
  size_t periods[] = {1,    2,    3,    5,    17,   64,   100,
                      4095, 4096, 4097, 8191, 8192, 8193, 100001};
  for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
    spec.period = periods[i];
    size_t piece = scan_piece_bytes(kind_at(define(&spec)));
    ck_assert_uint_gt(piece, 0);
    ck_assert_uint_eq(piece % (periods[i] * WORD), 0);
    ck_assert_uint_eq(piece % GRANULE_BYTES, 0);
  }
  ck_assert_uint_gt(scan_piece_bytes(kind_at(DUSK_CONSERVATIVE)), 0);
  ck_assert_uint_eq(
      scan_piece_bytes(kind_at(DUSK_CONSERVATIVE)) % GRANULE_BYTES, 0);
}
END_TEST

START_TEST(a_piece_is_read_as_a_part_of_the_whole)
{
  uint64_t bits = 9;
  dusk_kind kind = fixture_layout(heap, 0, bits, 5);
  scan(kind, 100, 203);
  for (size_t i = 0; i < WORDS; i++)
    ck_assert(fixture_is_marked(heap, targets[i]) ==
              (i >= 100 && i < 203 && is_bit(&bits, i % 5)));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scan");
  TCase *cases = tcase_create("scan");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, nothing_of_a_leaf);
  tcase_add_test(cases, each_word_of_a_conservative_object);
  tcase_add_test(cases, ambiguous_words_may_point_into_an_object);
  tcase_add_test(cases, ambiguous_words_that_are_no_pointers_are_passed_over);
  tcase_add_test(cases, a_free_slot_is_no_object);
  tcase_add_test(cases, the_words_that_a_layout_names);
  tcase_add_test(cases, no_word_beyond_the_period_of_a_fixed_size);
  tcase_add_test(cases, no_word_beyond_a_fixed_size);
  tcase_add_test(cases, a_layout_repeats_up_to_the_end);
  tcase_add_test(cases, a_bitmap_of_several_words);
  tcase_add_test(cases, exact_words_may_be_null);
  tcase_add_test(cases, a_callback_is_told_the_size_of_the_kind);
  tcase_add_test(cases, a_callback_of_any_size_is_told_the_size_of_the_slot);
  tcase_add_test(cases, kinds_without_a_beat_are_read_whole);
  tcase_add_test(cases, pieces_are_whole_periods_and_granules);
  tcase_add_test(cases, a_piece_is_read_as_a_part_of_the_whole);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
