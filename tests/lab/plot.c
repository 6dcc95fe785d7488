/* SPDX-License-Identifier: MIT */
/* Test of lab/show: plot.c, plot_axis.c and page.c: ticks, places, text. */
#include "../unit/unit.h"

#include "lab/show/page.h"
#include "lab/show/plot.h"

#include <math.h>
#include <string.h>

static struct plot_axis axis_over(double low, double high, bool log)
{
  struct plot_axis axis = plot_axis_empty("", PLOT_NUMBER, log);
  plot_axis_include(&axis, low);
  plot_axis_include(&axis, high);
  plot_axis_round(&axis);
  return axis;
}

START_TEST(an_axis_holds_its_data_and_ends_at_round_numbers)
{
  struct plot_axis axis = axis_over(24.2, 43.1, false);
  ck_assert_double_eq_tol(axis.low, 20, 1e-9);
  ck_assert_double_eq_tol(axis.high, 45, 1e-9);
  axis = axis_over(3, 4200, true);
  ck_assert_double_eq_tol(axis.low, 1, 1e-9);
  ck_assert_double_eq_tol(axis.high, 10000, 1e-6);
  axis = axis_over(10, 10, true);
  ck_assert_double_eq_tol(axis.low, 10, 1e-9);
  ck_assert_double_eq_tol(axis.high, 100, 1e-9);
}
END_TEST

START_TEST(ticks_are_round_and_within_the_axis)
{
  static const double ranges[][2] = {{0, 1},     {0.3, 0.7},  {-5, 12},
                                     {24, 4300}, {7, 7},      {0, 0},
                                     {1e9, 3e9}, {1e-6, 3e-6}};
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    for (int log = 0; log < 2; log++) {
      struct plot_axis axis = axis_over(ranges[i][0], ranges[i][1], log);
      double ticks[PLOT_TICKS_MAX];
      size_t count = plot_axis_ticks(&axis, 6, ticks);
      double room = (axis.high - axis.low) * 1e-6;
      ck_assert_uint_ge(count, 2);
      ck_assert_uint_le(count, 16);
      for (size_t j = 0; j < count; j++) {
        ck_assert_double_ge(ticks[j], axis.low - room);
        ck_assert_double_le(ticks[j], axis.high + room);
        if (j)
          ck_assert_double_gt(ticks[j], ticks[j - 1]);
      }
    }
  }
}
END_TEST

START_TEST(what_is_no_number_takes_no_room)
{
  struct plot_axis axis = plot_axis_empty("", PLOT_NUMBER, true);
  plot_axis_include(&axis, NAN);
  plot_axis_include(&axis, INFINITY);
  plot_axis_include(&axis, 0);
  plot_axis_include(&axis, -3);
  plot_axis_round(&axis);
  ck_assert_double_eq(axis.low, 1);
  ck_assert_double_eq(axis.high, 10);
}
END_TEST

START_TEST(times_have_their_unit)
{
  static const struct {
    double ns;
    const char *text;
  } rows[] = {{0, "0"},          {50, "50 ns"}, {999.7, "1 µs"},
              {1234, "1.23 µs"}, {1e6, "1 ms"}, {2.5e9, "2.5 s"},
              {7e12, "7e+03 s"}};
  struct plot_axis axis = {.unit = PLOT_NS};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char text[32];
    plot_axis_text(&axis, rows[i].ns, text, sizeof text);
    ck_assert_str_eq(text, rows[i].text);
  }
}
END_TEST

START_TEST(places_are_within_the_frame)
{
  struct plot plot = {.left = 10, .right = 110, .top = 0, .bottom = 50};
  plot.x = axis_over(1, 100, true);
  plot.y = axis_over(0, 10, false);
  ck_assert_double_eq_tol(plot_x(&plot, 10), 60, 1e-9);
  ck_assert_double_eq(plot_x(&plot, 0), 10);
  ck_assert_double_eq(plot_x(&plot, 1e9), 110);
  ck_assert_double_eq_tol(plot_y(&plot, 10), 0, 1e-9);
  ck_assert_double_eq(plot_y(&plot, -1), 50);
}
END_TEST

START_TEST(text_cannot_end_the_markup)
{
  char *text;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  page_text(to, "<a href=\"x\">&\x01\xc2\xb5</a>");
  fclose(to);
  ck_assert_str_eq(text,
                   "&lt;a href=&quot;x&quot;&gt;&amp; \xc2\xb5&lt;/a&gt;");
  free(text);
}
END_TEST

START_TEST(a_line_is_broken_where_there_is_no_value)
{
  char *text;
  size_t size;
  struct plot plot = {.left = 0, .right = 10, .top = 0, .bottom = 10};
  struct plot_point points[] = {{0, 0}, {1, 1}, {NAN, 1}, {3, 3}, {4, 4}};
  plot.x = plot.y = (struct plot_axis){"", PLOT_NUMBER, false, 0, 10};
  plot.to = open_memstream(&text, &size);
  plot_line(&plot, points, 5, 0, false);
  fclose(plot.to);
  ck_assert_ptr_nonnull(
      strstr(text, "d=\"M0.0 10.0L1.0 9.0M3.0 7.0L4.0 6.0\""));
  free(text);
}
END_TEST

START_TEST(a_full_disk_is_found_out)
{
  FILE *page = page_open("/dev/full");
  ck_assert_ptr_nonnull(page);
  page_begin(page, "title", "lead");
  ck_assert_int_ne(page_close(page), 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("plot");
  TCase *cases = tcase_create("plot");
  tcase_add_test(cases, an_axis_holds_its_data_and_ends_at_round_numbers);
  tcase_add_test(cases, ticks_are_round_and_within_the_axis);
  tcase_add_test(cases, what_is_no_number_takes_no_room);
  tcase_add_test(cases, times_have_their_unit);
  tcase_add_test(cases, places_are_within_the_frame);
  tcase_add_test(cases, text_cannot_end_the_markup);
  tcase_add_test(cases, a_line_is_broken_where_there_is_no_value);
  tcase_add_test(cases, a_full_disk_is_found_out);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
