/* SPDX-License-Identifier: MIT */
/* Test of heap/sizeclass.c and of the formulas in <dusk/abi.h>: what each size
 * costs, and every division that span_slot() will ever do. */
#include "unit.h"

#include "heap/sizeclass.h"

static struct sizeclass classes[DUSK_SIZE_CLASSES];

static void set_up(void)
{
  sizeclass_fill(classes);
}

static size_t span_bytes_of(unsigned c)
{
  return (size_t)classes[c].pages * PAGE_BYTES;
}

START_TEST(classes_rise_from_a_granule_to_the_largest_small_object)
{
  ck_assert_uint_eq(classes[0].size, GRANULE_BYTES);
  for (unsigned c = 1; c < DUSK_SIZE_CLASSES; c++)
    ck_assert_uint_gt(classes[c].size, classes[c - 1].size);
  ck_assert_uint_eq(classes[DUSK_SIZE_CLASSES - 1].size, DUSK_SMALL_MAX);
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    ck_assert_uint_eq(classes[c].size % GRANULE_BYTES, 0);
    ck_assert_uint_eq(classes[c].size, dusk_class_size(c));
  }
}
END_TEST

START_TEST(every_size_gets_the_smallest_class_that_holds_it)
{
  unsigned c = 0;
  for (size_t bytes = 0; bytes <= DUSK_SMALL_MAX; bytes++) {
    while (classes[c].size < bytes)
      c++;
    if (dusk_size_class(bytes) != c ||
        dusk_round_size(bytes) != classes[c].size)
      ck_abort_msg("%zu bytes: class %u of %zu, not %u of %u", bytes,
                   dusk_size_class(bytes), dusk_round_size(bytes), c,
                   classes[c].size);
  }
}
END_TEST

START_TEST(an_object_of_128_bytes_or_more_wastes_an_eighth_at_most)
{
  for (size_t bytes = 128; bytes <= DUSK_SMALL_MAX; bytes++) {
    size_t wasted = dusk_round_size(bytes) - bytes;
    if (wasted * 8 > bytes)
      ck_abort_msg("%zu bytes waste %zu", bytes, wasted);
  }
}
END_TEST

static bool is_enough(uint32_t size, size_t bytes)
{
  return bytes / size >= 4 && bytes % size <= bytes / 16;
}

START_TEST(a_span_is_the_shortest_with_4_objects_and_a_short_tail)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    ck_assert_uint_eq(classes[c].slots, span_bytes_of(c) / classes[c].size);
    ck_assert(is_enough(classes[c].size, span_bytes_of(c)));
    for (uint32_t pages = 1; pages < classes[c].pages; pages++)
      ck_assert(!is_enough(classes[c].size, (size_t)pages * PAGE_BYTES));
  }
}
END_TEST

/* Up to and with the offset of the span's end: run_next() asks for that. */
START_TEST(slot_is_exact_for_every_offset_of_every_class)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    struct span span = {.size = classes[c].size,
                        .reciprocal = classes[c].reciprocal};
    for (size_t offset = 0; offset <= span_bytes_of(c); offset++)
      if (span_slot(&span, offset) != offset / span.size)
        ck_abort_msg("class %u, offset %zu: slot %u", c, offset,
                     span_slot(&span, offset));
  }
}
END_TEST

START_TEST(stride_is_the_size_in_granules)
{
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    struct span span = {.size = classes[c].size};
    ck_assert_uint_eq(span_stride(&span) * GRANULE_BYTES, classes[c].size);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("sizeclass");
  TCase *cases = tcase_create("sizeclass");
  tcase_add_checked_fixture(cases, set_up, NULL);
  tcase_add_test(cases,
                 classes_rise_from_a_granule_to_the_largest_small_object);
  tcase_add_test(cases, every_size_gets_the_smallest_class_that_holds_it);
  tcase_add_test(cases,
                 an_object_of_128_bytes_or_more_wastes_an_eighth_at_most);
  tcase_add_test(cases, a_span_is_the_shortest_with_4_objects_and_a_short_tail);
  tcase_add_test(cases, slot_is_exact_for_every_offset_of_every_class);
  tcase_add_test(cases, stride_is_the_size_in_granules);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
