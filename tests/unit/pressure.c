/* SPDX-License-Identifier: MIT */
/* Test of pace/pressure.c: levels rise at once and fall late. */
#include "unit.h"

#include "pace/pressure.h"

#define LIMIT UINT64_C(12800)

static uint64_t percent(unsigned n)
{
  return LIMIT / 100 * n;
}

START_TEST(levels_rise_with_what_is_needed)
{
  ck_assert_int_eq(pressure_next(PRESSURE_NONE, 0, LIMIT), PRESSURE_NONE);
  ck_assert_int_eq(pressure_next(PRESSURE_NONE, percent(74), LIMIT),
                   PRESSURE_NONE);
  ck_assert_int_eq(pressure_next(PRESSURE_NONE, percent(75), LIMIT),
                   PRESSURE_MODERATE);
  ck_assert_int_eq(pressure_next(PRESSURE_NONE, percent(90), LIMIT),
                   PRESSURE_HIGH);
  ck_assert_int_eq(pressure_next(PRESSURE_NONE, percent(97), LIMIT),
                   PRESSURE_CRITICAL);
  ck_assert_int_eq(pressure_next(PRESSURE_MODERATE, 10 * LIMIT, LIMIT),
                   PRESSURE_CRITICAL);
}
END_TEST

START_TEST(a_level_is_left_well_below_where_it_was_entered)
{
  ck_assert_int_eq(pressure_next(PRESSURE_MODERATE, percent(70), LIMIT),
                   PRESSURE_MODERATE);
  ck_assert_int_eq(pressure_next(PRESSURE_MODERATE, percent(68), LIMIT),
                   PRESSURE_NONE);
  ck_assert_int_eq(pressure_next(PRESSURE_CRITICAL, percent(92), LIMIT),
                   PRESSURE_CRITICAL);
  ck_assert_int_eq(pressure_next(PRESSURE_CRITICAL, percent(85), LIMIT),
                   PRESSURE_HIGH);
  ck_assert_int_eq(pressure_next(PRESSURE_HIGH, percent(10), LIMIT),
                   PRESSURE_NONE);
}
END_TEST

START_TEST(without_a_limit_there_is_no_pressure)
{
  ck_assert_int_eq(pressure_next(PRESSURE_CRITICAL, UINT64_MAX, UINT64_MAX),
                   PRESSURE_NONE);
}
END_TEST

START_TEST(a_limit_of_nothing_is_always_critical)
{
  ck_assert_int_eq(pressure_next(PRESSURE_NONE, 0, 0), PRESSURE_CRITICAL);
}
END_TEST

/* From any level, more need is never a lower level. */
START_TEST(need_and_level_grow_together)
{
  static const uint64_t limits[] = {1, 127, 128, 1000, INT64_MAX};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    for (unsigned level = PRESSURE_NONE; level <= PRESSURE_CRITICAL; level++) {
      unsigned last = PRESSURE_NONE;
      for (uint64_t part = 0; part <= 200; part++) {
        uint64_t needed = limits[i] / 100 * part;
        unsigned next = pressure_next((enum pressure)level, needed, limits[i]);
        ck_assert_uint_ge(next, last);
        last = next;
      }
    }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pressure");
  TCase *pressure = tcase_create("pressure");
  tcase_add_test(pressure, levels_rise_with_what_is_needed);
  tcase_add_test(pressure, a_level_is_left_well_below_where_it_was_entered);
  tcase_add_test(pressure, without_a_limit_there_is_no_pressure);
  tcase_add_test(pressure, a_limit_of_nothing_is_always_critical);
  tcase_add_test(pressure, need_and_level_grow_together);
  suite_add_tcase(suite, pressure);
  return unit_run(suite);
}
