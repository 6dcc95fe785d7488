/* SPDX-License-Identifier: MIT */
/* Test of inspect/output.c: numbers, strings of JSON, and a file that takes no
 * more. */
#include "unit.h"

#include "inspect/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct output output;
static FILE *file;
static char text[1 << 20];

static void setup(void)
{
  file = tmpfile();
  ck_assert_ptr_nonnull(file);
  output_open(&output, fileno(file));
}

static void teardown(void)
{
  fclose(file);
}

static const char *written(void)
{
  ck_assert(output_close(&output));
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  return text;
}

START_TEST(numbers_are_as_printf_has_them)
{
  static const uint64_t numbers[] = {
      0, 9, 10, 99, 100, UINT32_MAX, UINT64_MAX, UINT64_MAX - 1};
  char expected[512] = "";
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    output_number(&output, numbers[i]);
    output_text(&output, ";");
    sprintf(expected + strlen(expected), "%llu;",
            (unsigned long long)numbers[i]);
  }
  ck_assert_str_eq(written(), expected);
}
END_TEST

START_TEST(nothing_is_lost_where_the_buffer_ends)
{
  char expected[16];
  for (unsigned i = 0; i < 60000; i++) {
    output_number(&output, i);
    output_text(&output, "\n");
  }
  const char *at = written();
  for (unsigned i = 0; i < 60000; i++) {
    int length = sprintf(expected, "%u\n", i);
    ck_assert_int_eq(strncmp(at, expected, (size_t)length), 0);
    at += length;
  }
  ck_assert_int_eq(*at, '\0');
}
END_TEST

START_TEST(a_text_may_be_longer_than_the_buffer)
{
  static char longer[3 * OUTPUT_BYTES + 18];
  memset(longer, 'x', sizeof longer - 1);
  output_text(&output, "<");
  output_text(&output, longer);
  ck_assert_uint_eq(strlen(written()), sizeof longer);
}
END_TEST

static const struct {
  const char *text;
  const char *json;
} strings[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a\"b\\c", "\"a\\u0022b\\u005cc\""},
    {"\n\x01", "\"\\u000a\\u0001\""},
    {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
     "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
    {"\xe9", "\"\\u00e9\""},                       /* Latin-1 */
    {"\xc3", "\"\\u00c3\""},                       /* ends early */
    {"\xc0\xaf", "\"\\u00c0\\u00af\""},            /* too long */
    {"\xe0\x80\xaf", "\"\\u00e0\\u0080\\u00af\""}, /* the same */
    {"\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\""}, /* half a surrogate */
    {"\xf5\x80\x80\x80", "\"\\u00f5\\u0080\\u0080\\u0080\""}, /* too large */
};

START_TEST(a_string_is_one_of_json)
{
  output_json(&output, strings[_i].text);
  ck_assert_str_eq(written(), strings[_i].json);
}
END_TEST

START_TEST(what_cannot_be_written_is_told)
{
  errno = 77;
  output_open(&output, -1);
  for (int i = 0; i < 100000; i++)
    output_number(&output, UINT64_MAX);
  ck_assert(!output_close(&output));
  ck_assert_int_eq(errno, 77);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("output");
  TCase *tests = tcase_create("output");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, numbers_are_as_printf_has_them);
  tcase_add_test(tests, nothing_is_lost_where_the_buffer_ends);
  tcase_add_test(tests, a_text_may_be_longer_than_the_buffer);
  tcase_add_loop_test(tests, a_string_is_one_of_json, 0,
                      (int)(sizeof strings / sizeof *strings));
  tcase_add_test(tests, what_cannot_be_written_is_told);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
