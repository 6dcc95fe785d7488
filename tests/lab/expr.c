/* SPDX-License-Identifier: MIT */
/* Test of lab/sim/expr*.c: what an expression is worth in each cycle, and what
 * is said of one that makes no sense. */
#include "lab/sim/expr.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- values ---- */

enum { DRAWS = 8 };

/* What the first draws are; NAN ends. */
static const struct {
  const char *text;
  double values[DRAWS];
} worth[] = {
    {"33", {33, 33, 33, NAN}},
    {" 2e3 ", {2000, NAN}},
    {"1.5e-1", {0.15, NAN}},
    {".5", {0.5, NAN}},
    {"0x53", {83, NAN}},
    {"0X1f + 0", {31, NAN}},
    {"-4", {-4, NAN}},
    {"128MiB", {134217728, NAN}},
    {"1.5 KiB", {1536, NAN}},
    {"2GiB-1B", {2147483647, NAN}},
    {"1TiB", {1099511627776, NAN}},
    {"1-2-3", {-4, NAN}},
    {"1 + -2", {-1, NAN}},
    {"1 - -2", {3, NAN}},
    {"-unit(2)", {-2, 0, NAN}},
    {"unit(-2)", {-2, 0, 0, NAN}},
    {"ramp(8,4)", {0, 2, 4, 6, 8, 8, 8, NAN}},
    {"2 + ramp(-1,2)", {2, 1.5, 1, 1, NAN}},
    {"ramp(1KiB,1)", {0, 1024, 1024, NAN}},
    {"delay(2,ramp(4,2))", {0, 0, 0, 2, 4, 4, NAN}},
    {"delay(0,unit(1))", {1, 0, NAN}},
    {"delay(1, unit(1) + 5)", {0, 6, 5, 5, NAN}},
    {"delay(1, delay(1, unit(3)))", {0, 0, 3, 0, NAN}},
    {"min(ramp(4,4),2)", {0, 1, 2, 2, 2, NAN}},
    {"max(ramp(4,4),2)", {2, 2, 2, 3, 4, NAN}},
    {"max(min(ramp(4,4) + 1,3),-2)", {1, 2, 3, 3, NAN}},
    {"oscillate(2,0,4)", {0, 2, 0, -2, 0, NAN}},
    {"oscillate(3,1.5707963267948966,2)", {3, -3, 3, NAN}},
    {" max\t( delay ( 1 , 7 ) , 1 )\n", {1, 7, NAN}},
};

enum { WORTH = sizeof worth / sizeof worth[0] };

static struct expr *parse(const char *text, const char *folder)
{
  struct expr_error error;
  struct expr *expr = expr_parse(text, folder, &error);
  ck_assert_msg(expr != NULL, "%s", error.text);
  return expr;
}

static double draw(struct expr *expr)
{
  struct expr_error error;
  double value = NAN;
  ck_assert_msg(expr_draw(expr, &value, &error), "%s", error.text);
  return value;
}

START_TEST(an_expression_is_worth_this)
{
  struct expr *expr = parse(worth[_i].text, NULL);
  for (unsigned i = 0; !isnan(worth[_i].values[i]); i++) {
    double value = draw(expr);
    ck_assert_msg(fabs(value - worth[_i].values[i]) < 1e-12,
                  "'%s', draw %u: %g, not %g", worth[_i].text, i + 1, value,
                  worth[_i].values[i]);
  }
  expr_free(expr);
}
END_TEST

/* 2^53 swallows a 1 that is added to it, but not two of them at once. */
START_TEST(a_sum_is_added_from_the_left_to_the_right)
{
  struct expr *small_last = parse("9007199254740992 + 1 + 1", NULL);
  struct expr *small_first = parse("1 + 1 + 9007199254740992", NULL);
  ck_assert(draw(small_last) == 0x1p53);
  ck_assert(draw(small_first) == 0x1p53 + 2);
  expr_free(small_last);
  expr_free(small_first);
}
END_TEST

START_TEST(random_numbers_depend_on_the_seed_alone)
{
  struct expr *one = parse("random(1,7)", NULL);
  struct expr *same = parse("delay(0,random(2,0x7))", NULL);
  struct expr *other = parse("random(1,8)", NULL);
  unsigned alike = 0;
  for (unsigned i = 0; i < 100; i++) {
    double x = draw(one);
    ck_assert(draw(same) == 2 * x);
    alike += draw(other) == x;
  }
  ck_assert_uint_eq(alike, 0);
  expr_free(one);
  expr_free(same);
  expr_free(other);
}
END_TEST

/* Written down, so that it stays what scenarios were tried with. */
START_TEST(seed_1_begins_like_this)
{
  struct expr *expr = parse("random(0.5,1) + 0.5", NULL);
  ck_assert_double_eq_tol(draw(expr), 0.56656158, 5e-9);
  ck_assert_double_eq_tol(draw(expr), 0.74578176, 5e-9);
  expr_free(expr);
}
END_TEST

START_TEST(random_numbers_fill_their_range_evenly)
{
  enum { PARTS = 8, EACH = 4000 };
  unsigned hits[PARTS] = {0};
  struct expr *expr = parse("random(4,12345)", NULL);
  for (unsigned i = 0; i < PARTS * EACH; i++) {
    double x = draw(expr);
    ck_assert(x >= -4 && x < 4);
    hits[(unsigned)(x + 4)]++;
  }
  for (unsigned i = 0; i < PARTS; i++)
    ck_assert_msg(hits[i] > EACH * 0.9 && hits[i] < EACH * 1.1,
                  "part %u: %u of %u", i, hits[i], EACH);
  expr_free(expr);
}
END_TEST

/* ---- files ---- */

static char folder[] = "expr-test-XXXXXX";

static void write_file(const char *name, const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *stream = fopen(path, "w");
  ck_assert_ptr_nonnull(stream);
  ck_assert_int_ge(fputs(text, stream), 0);
  ck_assert_int_eq(fclose(stream), 0);
}

static void make_folder(void)
{
  memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
  static const char *const names[] = {"good", "bad", "one", "empty", "a) b"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
}

START_TEST(a_sequence_is_a_files_numbers_about_zero)
{
  write_file("good", "# uniform\n0.5\n\n0\n 0.75 \n0.25");
  struct expr *expr = parse("10 + seq(4, good )", folder);
  ck_assert(draw(expr) == 10);
  ck_assert(draw(expr) == 6);
  ck_assert(draw(expr) == 12);
  ck_assert(draw(expr) == 8);
  expr_free(expr);
}
END_TEST

START_TEST(a_sequence_that_runs_out_says_in_which_cycle)
{
  write_file("one", "0.5\n");
  struct expr *expr = parse("delay(2,seq(1,one))", folder);
  for (unsigned i = 0; i < 3; i++)
    ck_assert(draw(expr) == 0);
  struct expr_error error;
  double value;
  ck_assert(!expr_draw(expr, &value, &error));
  ck_assert_str_eq(error.text, "'delay(2,seq(1,one))': one has 1 numbers, and "
                               "cycle 4 needs one more");
  expr_free(expr);
}
END_TEST

START_TEST(a_name_in_quotes_may_hold_a_parenthesis)
{
  write_file("a) b", "0.75\n");
  struct expr *expr = parse("seq(2,\"a) b\") + 1", folder);
  ck_assert(draw(expr) == 2);
  expr_free(expr);
}
END_TEST

START_TEST(a_file_is_looked_for_in_the_folder_and_then_here)
{
  char text[256];
  write_file("one", "0.5\n");
  snprintf(text, sizeof text, "seq(1,%s/one)", folder);
  expr_free(parse(text, folder));
  expr_free(parse(text, NULL));
  struct expr_error error;
  ck_assert_ptr_null(expr_parse("seq(1,one)", NULL, &error));
  ck_assert_str_eq(error.text, "'seq(1,one)', column 7: cannot read one: No "
                               "such file or directory");
}
END_TEST

START_TEST(a_line_that_is_no_uniform_number_is_named)
{
  static const char *const lines[] = {"1", "-0.1", "x", "0.5 0.5", "nan"};
  for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
    char text[64];
    struct expr_error error;
    snprintf(text, sizeof text, "0.5\n%s\n", lines[i]);
    write_file("bad", text);
    ck_assert_ptr_null(expr_parse("seq(1,bad)", folder, &error));
    snprintf(text, sizeof text, "and found '%s'", lines[i]);
    ck_assert_ptr_nonnull(strstr(error.text, "column 7: bad:2: expected a "));
    ck_assert_ptr_nonnull(strstr(error.text, text));
  }
}
END_TEST

START_TEST(a_file_without_numbers_is_none)
{
  struct expr_error error;
  write_file("empty", "# nothing\n\n");
  ck_assert_ptr_null(expr_parse("seq(1,empty)", folder, &error));
  ck_assert_str_eq(error.text,
                   "'seq(1,empty)', column 7: empty has no numbers");
}
END_TEST

/* ---- mistakes ---- */

static const struct {
  const char *text;
  unsigned column;
  const char *says;
} wrong[] = {
    {"", 1, "expected a number or a function, and found the end"},
    {"  ", 3, "expected a number or a function, and found the end"},
    {"1 +", 4, "expected a number or a function, and found the end"},
    {"+1", 1, "expected a number or a function, and found '+'"},
    {"1 2", 3, "expected '+', '-' or the end, and found '2'"},
    {"2*3", 2, "expected '+', '-' or the end, and found '*'"},
    {"(1)", 1, "expected a number or a function, and found '('"},
    {"33 + rmap(1,2)", 6, "there is no 'rmap'"},
    {"ramp", 5, "expected '(' as in ramp(h,n), and found the end"},
    {"ramp 3", 6, "expected '(' as in ramp(h,n), and found '3'"},
    {"ramp(1)", 7, "expected ',' as in ramp(h,n), and found ')'"},
    {"ramp(1,2", 9, "expected ')' as in ramp(h,n), and found the end"},
    {"ramp(1,2,3)", 9, "expected ')' as in ramp(h,n), and found ','"},
    {"ramp(1,0)", 8, "expected a whole number, 1 or more"},
    {"ramp(1,1.5)", 8, "expected a whole number, 1 or more"},
    {"ramp(1,-2)", 8, "expected a whole number, 1 or more"},
    {"ramp(1,1e99)", 8, "expected a whole number, 1 or more"},
    {"oscillate(1,0,0)", 15, "expected a whole number, 1 or more"},
    {"random(1,-1)", 10, "expected a whole number, 0 or more"},
    {"delay(x,1)", 7, "expected a whole number, and found 'x'"},
    {"delay(1,)", 9, "expected a number or a function, and found ')'"},
    {"min(1,unit(2))", 7, "expected a number, and found 'u'"},
    {"unit()", 6, "expected a number, and found ')'"},
    {"seq(1,)", 7, "expected the name of a FILE"},
    {"seq(1,\"x)", 10, "expected '\"' behind the FILE, and found the end"},
    {"33k", 3, "'k' is no unit; B, KiB, MiB, GiB and TiB are"},
    {"33 mib", 4, "'mib' is no unit"},
    {"1e", 2, "'e' is no unit"},
    {"0x", 2, "'x' is no unit"},
    {"1e999", 1, "the number is too large"},
    {"0x11111111111111111", 1, "the number is too large"},
    {"inf", 1, "there is no 'inf'"},
    {"1\x01", 2, "expected '+', '-' or the end, and found '?'"},
    {"1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15 + ?", 67,
     "expected a number or a function, and found '?'"},
};

enum { WRONG = sizeof wrong / sizeof wrong[0] };

START_TEST(a_mistake_is_named_with_its_place)
{
  struct expr_error error = {.text = ""};
  char where[80];
  ck_assert_ptr_null(expr_parse(wrong[_i].text, NULL, &error));
  snprintf(where, sizeof where, "column %u: %.60s", wrong[_i].column,
           wrong[_i].says);
  ck_assert_msg(strstr(error.text, where) != NULL, "'%s' is not in: %s", where,
                error.text);
  ck_assert_ptr_null(strchr(error.text, '\n'));
}
END_TEST

static char *nested(unsigned depth)
{
  char *text = calloc(depth + 1, sizeof "delay(1,)");
  ck_assert_ptr_nonnull(text);
  char *at = text;
  for (unsigned i = 0; i < depth; i++)
    at = stpcpy(at, "delay(1,");
  *at++ = '5';
  memset(at, ')', depth);
  return text;
}

START_TEST(depth_has_a_bound)
{
  struct expr_error error;
  char *deep = nested(EXPR_DEPTH_MAX - 1);
  char *deeper = nested(EXPR_DEPTH_MAX);
  struct expr *expr = parse(deep, NULL);
  for (unsigned i = 1; i < EXPR_DEPTH_MAX; i++)
    ck_assert(draw(expr) == 0);
  ck_assert(draw(expr) == 5);
  expr_free(expr);
  ck_assert_ptr_null(expr_parse(deeper, NULL, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "more than 64 expressions"));
  free(deep);
  free(deeper);
}
END_TEST

START_TEST(length_has_a_bound)
{
  char text[EXPR_LENGTH_MAX + 2];
  struct expr_error error;
  memset(text, ' ', sizeof text);
  text[0] = '1';
  text[EXPR_LENGTH_MAX] = '\0';
  expr_free(parse(text, NULL));
  text[EXPR_LENGTH_MAX] = ' ';
  text[EXPR_LENGTH_MAX + 1] = '\0';
  ck_assert_ptr_null(expr_parse(text, NULL, &error));
  ck_assert_ptr_nonnull(strstr(error.text, "more than 4096 characters"));
}
END_TEST

/* Any text parses or does not; none does harm. */
START_TEST(no_text_does_harm)
{
  static const char *const pieces[] = {
      "1",          "0x",         "2.5",  "e",       "MiB",  "+",     "-",
      "(",          ")",          ",",    "ramp",    "min",  "delay", "seq",
      "unit(",      "\"",         " ",    "random(", "max(", "1,",    ".",
      "9999999999", "oscillate(", "\xff", "\t",
  };
  enum { PIECES = sizeof pieces / sizeof pieces[0] };
  uint64_t dice = 1;
  for (unsigned i = 0; i < 20000; i++) {
    char text[256] = "";
    for (unsigned n = 0; n < 12; n++) {
      dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
      strcat(text, pieces[(dice >> 33) % PIECES]);
    }
    struct expr_error error = {.text = ""};
    double value;
    struct expr *expr = expr_parse(text, NULL, &error);
    if (expr)
      ck_assert(expr_draw(expr, &value, &error));
    else
      ck_assert(error.text[0]);
    expr_free(expr);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("expressions");
  TCase *values = tcase_create("values");
  tcase_add_loop_test(values, an_expression_is_worth_this, 0, WORTH);
  tcase_add_test(values, a_sum_is_added_from_the_left_to_the_right);
  tcase_add_test(values, random_numbers_depend_on_the_seed_alone);
  tcase_add_test(values, seed_1_begins_like_this);
  tcase_add_test(values, random_numbers_fill_their_range_evenly);
  suite_add_tcase(suite, values);
  TCase *files = tcase_create("files");
  tcase_add_checked_fixture(files, make_folder, remove_folder);
  tcase_add_test(files, a_sequence_is_a_files_numbers_about_zero);
  tcase_add_test(files, a_sequence_that_runs_out_says_in_which_cycle);
  tcase_add_test(files, a_name_in_quotes_may_hold_a_parenthesis);
  tcase_add_test(files, a_file_is_looked_for_in_the_folder_and_then_here);
  tcase_add_test(files, a_line_that_is_no_uniform_number_is_named);
  tcase_add_test(files, a_file_without_numbers_is_none);
  suite_add_tcase(suite, files);
  TCase *mistakes = tcase_create("mistakes");
  tcase_add_loop_test(mistakes, a_mistake_is_named_with_its_place, 0, WRONG);
  tcase_add_test(mistakes, depth_has_a_bound);
  tcase_add_test(mistakes, length_has_a_bound);
  tcase_add_test(mistakes, no_text_does_harm);
  suite_add_tcase(suite, mistakes);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
