/* SPDX-License-Identifier: MIT */
/* Test of heap/markbits.c: each operation on many bits against a naive array of
 * one byte a bit, for the strides of all classes. */
#include "unit.h"

#include "fixture.h"
#include "heap/markbits.h"

#include <string.h>

enum {
  PAGES = 5,
  BITS = PAGES * PAGE_GRANULES,
  WORDS = BITS / 64,
};

static uint64_t words[WORDS];
static bool naive[BITS];

/* Random bits, of which one in `rarity` is set: 0, none. */
static void fill(uint32_t rarity)
{
  memset(words, 0, sizeof words);
  for (size_t i = 0; i < BITS; i++) {
    naive[i] = rarity && fixture_random(rarity) == 0;
    words[i / 64] |= (uint64_t)naive[i] << i % 64;
  }
}

static void expect_equal(const char *operation, size_t first, size_t stride,
                         size_t count)
{
  for (size_t i = 0; i < BITS; i++)
    if ((words[i / 64] >> i % 64 & 1) != naive[i])
      ck_abort_msg("%s(%zu, %zu, %zu): bit %zu", operation, first, stride,
                   count, i);
}

static void try_stride(size_t first, size_t stride, size_t count)
{
  fill(3);
  for (size_t i = 0; i < count; i++)
    naive[first + i * stride] = true;
  allocated_set(words, first, stride, count);
  expect_equal("allocated_set", first, stride, count);
  for (size_t i = 0; i < count; i++)
    naive[first + i * stride] = false;
  marks_drop(words, first, stride, count);
  expect_equal("marks_drop", first, stride, count);
  for (size_t i = 0; i < count; i++)
    naive[first + i * stride] = true;
  marks_set(words, first, stride, count);
  expect_equal("marks_set", first, stride, count);
}

/* From every place in a word, and with every way to end in one. */
START_TEST(operations_touch_their_stride_and_nothing_else)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    size_t stride = dusk_class_size(c) >> GRANULE_LOG2;
    for (size_t first = 0; first < 64; first += 1 + fixture_random(9)) {
      size_t most = 1 + (BITS - 1 - first) / stride;
      try_stride(first, stride, 0);
      try_stride(first, stride, 1);
      try_stride(first, stride, 1 + fixture_random((uint32_t)most));
      try_stride(first, stride, most);
    }
  }
}
END_TEST

START_TEST(neighbouring_bits_may_begin_and_end_anywhere)
{
  for (size_t first = 0; first <= 130; first++)
    for (size_t count = 0; count <= 130; count += 1 + fixture_random(7))
      try_stride(first, 1, count);
}
END_TEST

START_TEST(count_and_clear_cover_whole_pages)
{
  for (uint32_t page = 0; page < PAGES; page++)
    for (uint32_t pages = 0; page + pages <= PAGES; pages++) {
      fill(1 + fixture_random(5));
      size_t first = (size_t)page * PAGE_GRANULES;
      size_t end = first + (size_t)pages * PAGE_GRANULES;
      size_t set = 0;
      for (size_t i = first; i < end; i++) {
        set += naive[i];
        naive[i] = false;
      }
      ck_assert_uint_eq(bits_count(words, page, pages), set);
      bits_clear(words, page, pages);
      expect_equal("bits_clear", page, 0, pages);
      ck_assert_uint_eq(bits_count(words, page, pages), 0);
    }
}
END_TEST

static size_t naive_find(size_t from, size_t to)
{
  while (from < to && !naive[from])
    from++;
  return from < to ? from : to;
}

START_TEST(find_gives_the_first_bit_or_the_end)
{
  static const uint32_t rarities[] = {0, 1, 2, 20, 200};
  for (size_t r = 0; r < sizeof rarities / sizeof *rarities; r++) {
    fill(rarities[r]);
    for (size_t from = 0; from < 200; from++)
      for (size_t to = from; to < 400; to += 1 + fixture_random(5))
        if (bits_find(words, from, to) != naive_find(from, to))
          ck_abort_msg("1 in %u, [%zu, %zu): %zu", rarities[r], from, to,
                       bits_find(words, from, to));
  }
}
END_TEST

START_TEST(find_in_an_empty_range_reads_nothing)
{
  ck_assert_uint_eq(bits_find(NULL, 7, 7), 7);
  ck_assert_uint_eq(bits_find(NULL, 64, 64), 64);
}
END_TEST

/* The last word may be the last of the table. */
START_TEST(find_stops_at_the_word_of_the_end)
{
  uint64_t *table = calloc(2, sizeof *table);
  ck_assert_uint_eq(bits_find(table, 0, 128), 128);
  ck_assert_uint_eq(bits_find(table, 127, 128), 128);
  ck_assert_uint_eq(bits_find(table, 3, 64), 64);
  free(table);
}
END_TEST

START_TEST(test_sees_each_bit)
{
  fill(2);
  for (size_t i = 0; i < BITS; i++) {
    ck_assert_int_eq(bit_test(words, i), naive[i]);
    ck_assert_int_eq(bit_test_acquire(words, i), naive[i]);
  }
}
END_TEST

enum { THREADS = 4 };
static unsigned wins[THREADS];

static void win_all(unsigned index)
{
  /* From different ends: they meet somewhere. */
  for (size_t i = 0; i < BITS; i++)
    wins[index] += marks_win(words, index & 1 ? BITS - 1 - i : i);
}

START_TEST(each_bit_has_one_winner)
{
  fill(0);
  fixture_threads(THREADS, win_all);
  unsigned all = 0;
  for (unsigned i = 0; i < THREADS; i++)
    all += wins[i];
  ck_assert_uint_eq(all, BITS);
  ck_assert_uint_eq(bits_count(words, 0, PAGES), BITS);
}
END_TEST

/* Neighbours in one word are set and dropped at once: no update is lost. */
static void set_and_drop(unsigned index)
{
  for (int round = 0; round < 500; round++) {
    marks_set(words, index, THREADS, BITS / THREADS);
    marks_drop(words, index, THREADS, BITS / THREADS);
  }
  if (index & 1)
    marks_set(words, index, THREADS, BITS / THREADS);
}

START_TEST(threads_may_set_and_drop_neighbours)
{
  fill(0);
  fixture_threads(THREADS, set_and_drop);
  for (size_t i = 0; i < BITS; i++)
    naive[i] = i % THREADS & 1;
  expect_equal("set and drop", 0, THREADS, BITS);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("markbits");
  TCase *cases = tcase_create("markbits");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, operations_touch_their_stride_and_nothing_else);
  tcase_add_test(cases, neighbouring_bits_may_begin_and_end_anywhere);
  tcase_add_test(cases, count_and_clear_cover_whole_pages);
  tcase_add_test(cases, find_gives_the_first_bit_or_the_end);
  tcase_add_test(cases, find_in_an_empty_range_reads_nothing);
  tcase_add_test(cases, find_stops_at_the_word_of_the_end);
  tcase_add_test(cases, test_sees_each_bit);
  tcase_add_test(cases, each_bit_has_one_winner);
  tcase_add_test(cases, threads_may_set_and_drop_neighbours);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
