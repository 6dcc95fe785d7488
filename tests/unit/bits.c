/* SPDX-License-Identifier: MIT */
/* Test of base/bits.h: each function against the plain way to say it. */
#include "unit.h"

#include "base/bits.h"

static bool bit_is_set(uint64_t word, unsigned bit)
{
  return word >> bit & 1;
}

START_TEST(power_of_two)
{
  ck_assert(!is_power_of_two(0));
  ck_assert(!is_power_of_two(SIZE_MAX));
  for (unsigned bit = 0; bit < 64; bit++) {
    size_t power = (size_t)1 << bit;
    ck_assert(is_power_of_two(power));
    ck_assert(bit == 0 || !is_power_of_two(power | 1));
    ck_assert(bit < 2 || !is_power_of_two(power - 1));
  }
}
END_TEST

START_TEST(align)
{
  for (size_t alignment = 1; alignment <= 64; alignment *= 2)
    for (size_t value = 0; value < 200; value++) {
      size_t below = value - value % alignment;
      size_t above = below == value ? value : below + alignment;
      ck_assert_uint_eq(align_down(value, alignment), below);
      ck_assert_uint_eq(align_up(value, alignment), above);
    }
  ck_assert_uint_eq(align_down(SIZE_MAX, 4096), SIZE_MAX - 4095);
  ck_assert_uint_eq(align_up(SIZE_MAX - 4095, 4096), SIZE_MAX - 4095);
}
END_TEST

START_TEST(divide)
{
  for (size_t by = 1; by < 40; by++)
    for (size_t value = 0; value < 200; value++) {
      size_t parts = divide_up(value, by);
      ck_assert_uint_ge(parts * by, value);
      ck_assert(parts == 0 || (parts - 1) * by < value);
    }
}
END_TEST

START_TEST(lowest)
{
  for (unsigned bit = 0; bit < 64; bit++) {
    ck_assert_uint_eq(bit_lowest(UINT64_C(1) << bit), bit);
    ck_assert_uint_eq(bit_lowest(~UINT64_C(0) << bit), bit);
  }
}
END_TEST

START_TEST(count)
{
  ck_assert_uint_eq(bit_count(0), 0);
  ck_assert_uint_eq(bit_count(~UINT64_C(0)), 64);
  uint64_t word = UINT64_C(0x9e3779b97f4a7c15);
  for (int round = 0; round < 64;
       round++, word *= UINT64_C(0x5851f42d4c957f2d)) {
    unsigned bits = 0;
    for (unsigned bit = 0; bit < 64; bit++)
      bits += bit_is_set(word, bit);
    ck_assert_uint_eq(bit_count(word), bits);
  }
}
END_TEST

START_TEST(range)
{
  for (unsigned from = 0; from <= 64; from++)
    for (unsigned to = from; to <= 64; to++) {
      uint64_t word = bit_range(from, to);
      for (unsigned bit = 0; bit < 64; bit++)
        ck_assert_msg(bit_is_set(word, bit) == (bit >= from && bit < to),
                      "bit %u of [%u, %u)", bit, from, to);
    }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("bits");
  TCase *cases = tcase_create("bits");
  tcase_add_test(cases, power_of_two);
  tcase_add_test(cases, align);
  tcase_add_test(cases, divide);
  tcase_add_test(cases, lowest);
  tcase_add_test(cases, count);
  tcase_add_test(cases, range);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
