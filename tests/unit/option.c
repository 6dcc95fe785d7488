/* SPDX-License-Identifier: MIT */
/* Test of api/option.c: what parses and what does not, to the byte; what the
 * environment overrides; and what a mistake there costs. */
#include "unit.h"

#include "fixture.h"
#include "api/option.h"
#include "os/machine.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* ---- numbers ---- */

START_TEST(counts)
{
  uint64_t n = 77;
  errno = ERANGE; /* somebody else's */
  ck_assert(option_parse_count("0", 10, &n) && n == 0);
  ck_assert(option_parse_count("10", 10, &n) && n == 10);
  ck_assert(option_parse_count("0010", 10, &n) && n == 10);
  ck_assert(option_parse_count("18446744073709551615", UINT64_MAX, &n));
  ck_assert_uint_eq(n, UINT64_MAX);
}
END_TEST

static const char *const no_numbers[] = {
    "",
    " ",
    " 1",
    "1 ",
    "-1",
    "+1",
    "x",
    "1x",
    "0x10",
    "1.5",
    "1,",
    "off",
    "18446744073709551616",
    "99999999999999999999999",
};

START_TEST(no_counts)
{
  uint64_t n = 77;
  ck_assert_msg(!option_parse_count(no_numbers[_i], UINT64_MAX, &n), "'%s'",
                no_numbers[_i]);
  ck_assert(!option_parse_count("11", 10, &n));
  ck_assert_uint_eq(n, 77);
}
END_TEST

START_TEST(percents)
{
  int percent = 77;
  ck_assert(option_parse_percent("0", &percent) && percent == 0);
  ck_assert(option_parse_percent("100", &percent) && percent == 100);
  ck_assert(option_parse_percent("off", &percent) && percent == -1);
  ck_assert(option_parse_percent("2147483647", &percent) && percent == INT_MAX);
  static const char *const wrong[] = {"2147483648", "-1",   "OFF", "off ",
                                      "of",         "100%", "",    "auto"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ck_assert_msg(!option_parse_percent(wrong[i], &percent), "'%s'", wrong[i]);
  ck_assert_int_eq(percent, INT_MAX);
}
END_TEST

static const struct {
  const char *text;
  int64_t bytes;
} sizes[] = {
    {"0", 0},
    {"1", 1},
    {"17B", 17},
    {"3KiB", 3 << 10},
    {"5MiB", 5 << 20},
    {"7GiB", INT64_C(7) << 30},
    {"9TiB", INT64_C(9) << 40},
    {"0TiB", 0},
    {"off", INT64_MAX},
    {"9223372036854775807", INT64_MAX},
    {"9007199254740991KiB", INT64_C(9007199254740991) << 10},
    {"8388607TiB", INT64_C(8388607) << 40},
};

START_TEST(bytes)
{
  int64_t n = 77;
  errno = ERANGE; /* somebody else's */
  ck_assert_msg(option_parse_bytes(sizes[_i].text, &n), "%s", sizes[_i].text);
  ck_assert_int_eq(n, sizes[_i].bytes);
}
END_TEST

static const char *const no_sizes[] = {
    "",
    " 1",
    "1 ",
    "-1",
    "+1",
    "x",
    "KiB",
    "1KB",
    "1K",
    "1kib",
    "1 KiB",
    "1KiBx",
    "1PiB",
    "1.5GiB",
    "Off",
    "offs",
    "autos",
    "9223372036854775808",
    "9007199254740992KiB",
    "8388608TiB",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551616KiB",
};

START_TEST(no_bytes)
{
  int64_t n = 77;
  ck_assert_msg(!option_parse_bytes(no_sizes[_i], &n), "'%s'", no_sizes[_i]);
  ck_assert_int_eq(n, 77);
}
END_TEST

START_TEST(bytes_of_the_machine)
{
  int64_t n = 77;
  ck_assert(option_parse_bytes("auto", &n));
  ck_assert_int_eq(n, machine_memory_limit());
}
END_TEST

/* ---- DUSK_DEBUG ---- */

static struct debug_options debug;

static const char *parse_debug(const char *text)
{
  debug = (struct debug_options){.slowsafepoint = 10000};
  fixture_stderr_begin();
  option_parse_debug(text, &debug);
  return fixture_stderr_end();
}

START_TEST(debug_keys)
{
  ck_assert_str_eq(
      parse_debug("gctrace=1,checkmark=2,stress=30,slowsafepoint=0"), "");
  ck_assert_uint_eq(debug.gctrace, 1);
  ck_assert_uint_eq(debug.checkmark, 2);
  ck_assert_uint_eq(debug.stress, 30);
  ck_assert_uint_eq(debug.slowsafepoint, 0);
}
END_TEST

START_TEST(debug_commas_may_be_too_many_and_the_last_key_holds)
{
  ck_assert_str_eq(parse_debug(",,gctrace=1,,gctrace=3,"), "");
  ck_assert_uint_eq(debug.gctrace, 3);
  ck_assert_uint_eq(debug.slowsafepoint, 10000);
  ck_assert_str_eq(parse_debug(""), "");
}
END_TEST

START_TEST(debug_texts)
{
  ck_assert_str_eq(
      parse_debug("heapprofile=/tmp/a=b %p,gctrace=1,heapprofilesig=10"), "");
  ck_assert_str_eq(debug.heapprofile, "/tmp/a=b %p");
  ck_assert_uint_eq(debug.heapprofilesig, 10);
  ck_assert_uint_eq(debug.gctrace, 1);
  ck_assert_str_eq(parse_debug("heapprofile=,heapprofile,lifetimeprofile=x"),
                   "dusk: DUSK_DEBUG: heapprofile= is ignored: nothing "
                   "follows\n"
                   "dusk: DUSK_DEBUG: heapprofile= is ignored: nothing "
                   "follows\n");
  ck_assert_str_eq(debug.heapprofile, "");
  ck_assert_str_eq(debug.lifetimeprofile, "x");
}
END_TEST

START_TEST(debug_mistakes_cost_a_line_each)
{
  ck_assert_str_eq(
      parse_debug("gctrac=1,gctrace,checkmark=,stress=-3,slowsafepoint=5s,"
                  "Gctrace=1,stress=9223372036855"),
      "dusk: DUSK_DEBUG: 'gctrac' is ignored: there is no such key\n"
      "dusk: DUSK_DEBUG: gctrace= is ignored: it is not a number\n"
      "dusk: DUSK_DEBUG: checkmark= is ignored: it is not a number\n"
      "dusk: DUSK_DEBUG: stress=-3 is ignored: it is not a number\n"
      "dusk: DUSK_DEBUG: slowsafepoint=5s is ignored: it is not a number\n"
      "dusk: DUSK_DEBUG: 'Gctrace' is ignored: there is no such key\n"
      "dusk: DUSK_DEBUG: stress=9223372036855 is ignored: it is not a "
      "number\n");
  ck_assert_uint_eq(debug.gctrace, 0);
  ck_assert_uint_eq(debug.checkmark, 0);
  ck_assert_uint_eq(debug.stress, 0);
  ck_assert_uint_eq(debug.slowsafepoint, 10000);
}
END_TEST

START_TEST(debug_text_has_a_longest)
{
  char text[1025];
  memset(text, ',', sizeof text);
  memcpy(text, "gctrace=1", 9);
  text[1024] = '\0';
  ck_assert_str_eq(
      parse_debug(text),
      "dusk: DUSK_DEBUG is ignored: it is longer than 1023 characters\n");
  ck_assert_uint_eq(debug.gctrace, 0);
  text[1023] = '\0';
  ck_assert_str_eq(parse_debug(text), "");
  ck_assert_uint_eq(debug.gctrace, 1);
}
END_TEST

/* ---- assists and the wall ---- */

static const struct {
  const char *text;
  struct assist_rule rule;
} good_rules[] = {
    {"full", {DUSK_ASSIST_FULL, {0, 0}}},
    {"exempt", {DUSK_ASSIST_EXEMPT, {0, 0}}},
    {"capped:1", {DUSK_ASSIST_CAPPED, {1, 0}}},
    {"capped:16KiB", {DUSK_ASSIST_CAPPED, {16 << 10, 0}}},
    {"capped:50us", {DUSK_ASSIST_CAPPED, {0, 50}}},
    {"capped:4294967295us", {DUSK_ASSIST_CAPPED, {0, UINT32_MAX}}},
};

START_TEST(rules_that_parse)
{
  struct assist_rule rule;
  memset(&rule, 0x55, sizeof rule);
  ck_assert(option_parse_assist(good_rules[_i].text, &rule));
  ck_assert_int_eq(rule.policy, good_rules[_i].rule.policy);
  ck_assert_uint_eq(rule.cap.bytes, good_rules[_i].rule.cap.bytes);
  ck_assert_uint_eq(rule.cap.microseconds,
                    good_rules[_i].rule.cap.microseconds);
}
END_TEST

static const char *const bad_rules[] = {
    "",
    "Full",
    "full ",
    "capped",
    "capped:",
    "capped:0",
    "capped:0us",
    "capped:us",
    "capped:-5",
    "capped:auto",
    "capped:off",
    "capped:12XB",
    "capped:50 us",
    "capped:50ms",
    "capped:4294967296us",
    "capped:00000000000000000000000000000000001us",
};

START_TEST(rules_that_do_not)
{
  struct assist_rule rule = {.policy = DUSK_ASSIST_EXEMPT, .cap.bytes = 7};
  ck_assert(!option_parse_assist(bad_rules[_i], &rule));
  ck_assert_int_eq(rule.policy, DUSK_ASSIST_EXEMPT);
  ck_assert_uint_eq(rule.cap.bytes, 7);
}
END_TEST

START_TEST(walls)
{
  uint64_t wall = 7;
  ck_assert(!option_parse_wall("auto", &wall));
  ck_assert(!option_parse_wall("", &wall));
  ck_assert(!option_parse_wall("5us", &wall));
  ck_assert_uint_eq(wall, 7);
  ck_assert(option_parse_wall("3MiB", &wall));
  ck_assert_uint_eq(wall, 3 << 20);
  ck_assert(option_parse_wall("off", &wall));
  ck_assert_uint_eq(wall, UINT64_MAX);
}
END_TEST

/* ---- all together ---- */

static struct collector_setup setup;

static void clear_environment(void)
{
  unsetenv("DUSK_GCPERCENT");
  unsetenv("DUSK_MEMLIMIT");
  unsetenv("DUSK_POLICY");
  unsetenv("DUSK_WORKERS");
  unsetenv("DUSK_IDLE_WORKERS");
  unsetenv("DUSK_ASSIST");
  unsetenv("DUSK_WALL");
  unsetenv("DUSK_DEBUG");
}

static const char *resolve(const dusk_options *options)
{
  fixture_stderr_begin();
  ck_assert_int_eq(option_resolve(options, &setup, &debug), 0);
  return fixture_stderr_end();
}

START_TEST(defaults)
{
  ck_assert_str_eq(resolve(NULL), "");
  ck_assert_uint_eq(setup.reserve_bytes, 0);
  ck_assert_int_eq(setup.gc_percent, 100);
  ck_assert_int_eq(setup.memory_limit, INT64_MAX);
  ck_assert_uint_eq(setup.workers, 0);
  ck_assert_uint_ge(setup.idle_workers, 16);
  ck_assert_int_eq(setup.policy, PACER_GO);
  ck_assert_uint_eq(setup.trigger_low, 0);
  ck_assert_uint_eq(setup.trigger_high, 0);
  ck_assert(!setup.data_segments);
  ck_assert_uint_eq(debug.checkmark, 0);
  ck_assert_uint_eq(setup.slow_ms, 10000);
  ck_assert_uint_eq(debug.gctrace, 0);
}
END_TEST

static dusk_options some_options(void)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  options.reserve_bytes = (size_t)8 << 20;
  options.gc_percent = 50;
  options.memory_limit = 1 << 30;
  options.workers = 1024;
  options.flags = DUSK_ROOTS_DATA_SEGMENTS | DUSK_NO_IDLE_WORKERS;
  options.policy = DUSK_POLICY_BALANCE;
  options.trigger_low = 10;
  options.trigger_high = 90;
  return options;
}

START_TEST(options_hold_where_the_environment_is_silent)
{
  dusk_options options = some_options();
  ck_assert_str_eq(resolve(&options), "");
  ck_assert_uint_eq(setup.reserve_bytes, 8 << 20);
  ck_assert_int_eq(setup.gc_percent, 50);
  ck_assert_int_eq(setup.memory_limit, 1 << 30);
  ck_assert_uint_eq(setup.workers, 1024);
  ck_assert_uint_eq(setup.idle_workers, 0);
  ck_assert_int_eq(setup.policy, PACER_BALANCE);
  ck_assert_uint_eq(setup.trigger_low, 10);
  ck_assert_uint_eq(setup.trigger_high, 90);
  ck_assert(setup.data_segments);
  options.memory_limit = 0;
  resolve(&options);
  ck_assert_int_eq(setup.memory_limit, machine_memory_limit());
}
END_TEST

/* Whatever stands behind the fields of that version is not read. */
START_TEST(options_of_version_0_1_mean_0_for_later_fields)
{
  dusk_options options = some_options();
  options.struct_size = offsetof(dusk_options, policy);
  options.trigger_low = 1000;
  ck_assert_str_eq(resolve(&options), "");
  ck_assert_int_eq(setup.gc_percent, 50);
  ck_assert_uint_eq(setup.workers, 1024);
  ck_assert(setup.data_segments);
  ck_assert_int_eq(setup.policy, PACER_GO);
  ck_assert_uint_eq(setup.trigger_low, 0);
  ck_assert_uint_eq(setup.trigger_high, 0);
}
END_TEST

static void fill_environment(void)
{
  setenv("DUSK_POLICY", "dusk", 1);
  setenv("DUSK_GCPERCENT", "off", 1);
  setenv("DUSK_MEMLIMIT", "3MiB", 1);
  setenv("DUSK_WORKERS", "2", 1);
  setenv("DUSK_IDLE_WORKERS", "3", 1);
  setenv("DUSK_DEBUG", "checkmark=1,slowsafepoint=7", 1);
}

START_TEST(the_environment_overrides)
{
  dusk_options options = some_options();
  fill_environment();
  ck_assert_str_eq(resolve(&options), "");
  ck_assert_int_eq(setup.gc_percent, -1);
  ck_assert_int_eq(setup.memory_limit, 3 << 20);
  ck_assert_uint_eq(setup.workers, 2);
  ck_assert_uint_eq(setup.idle_workers, 3);
  ck_assert_int_eq(setup.policy, PACER_DUSK);
  ck_assert_uint_eq(debug.checkmark, 1);
  ck_assert_uint_eq(setup.slow_ms, 7);
}
END_TEST

START_TEST(unless_the_program_forbids_it)
{
  dusk_options options = some_options();
  options.flags |= DUSK_NO_ENV;
  fill_environment();
  ck_assert_str_eq(resolve(&options), "");
  ck_assert_int_eq(setup.gc_percent, 50);
  ck_assert_int_eq(setup.memory_limit, 1 << 30);
  ck_assert_uint_eq(setup.workers, 1024);
  ck_assert_int_eq(setup.policy, PACER_BALANCE);
  ck_assert_uint_eq(debug.checkmark, 0);
  ck_assert_uint_eq(setup.slow_ms, 10000);
}
END_TEST

START_TEST(mistakes_in_the_environment_cost_a_line_each)
{
  dusk_options options = some_options();
  setenv("DUSK_GCPERCENT", "-5", 1);
  setenv("DUSK_MEMLIMIT", "3MB", 1);
  setenv("DUSK_POLICY", "Go", 1);
  setenv("DUSK_WORKERS", "1025", 1);
  setenv("DUSK_IDLE_WORKERS", "none", 1);
  ck_assert_str_eq(
      resolve(&options),
      "dusk: DUSK_GCPERCENT=-5 is ignored: it is not a number of percent, or "
      "off\n"
      "dusk: DUSK_MEMLIMIT=3MB is ignored: it is not a number of bytes (KiB, "
      "MiB, GiB, TiB), off or auto\n"
      "dusk: DUSK_POLICY=Go is ignored: it is not go, dusk or balance\n"
      "dusk: DUSK_WORKERS=1025 is ignored: it is not a number from 0 to "
      "1024\n"
      "dusk: DUSK_IDLE_WORKERS=none is ignored: it is not a number from 0 to "
      "1024\n");
  ck_assert_int_eq(setup.gc_percent, 50);
  ck_assert_int_eq(setup.memory_limit, 1 << 30);
  ck_assert_uint_eq(setup.workers, 1024);
}
END_TEST

START_TEST(invalid_options)
{
  enum { CASES = 13 };
  dusk_options wrong[CASES];
  for (int i = 0; i < CASES; i++)
    wrong[i] = some_options();
  wrong[0].struct_size--;
  wrong[1].struct_size++;
  wrong[2].flags |= 1u << 3;
  wrong[3].gc_percent = -2;
  wrong[4].memory_limit = -1;
  wrong[5].workers = 1025;
  wrong[6].reserve_bytes--;
  wrong[7].reserve_bytes = SIZE_MAX / 4 + 1;
  wrong[8].policy = (dusk_policy)(DUSK_POLICY_BALANCE + 1);
  wrong[9].trigger_low = 91;
  wrong[10].trigger_high = 101;
  wrong[11].trigger_high = 0;
  wrong[11].trigger_low = 101;
  wrong[12].struct_size = 0;
  for (int i = 0; i < CASES; i++)
    ck_assert_msg(option_resolve(&wrong[i], &setup, &debug) == EINVAL,
                  "case %d", i);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("option");
  TCase *cases = tcase_create("option");
  tcase_add_checked_fixture(cases, clear_environment, NULL);
  tcase_add_test(cases, counts);
  tcase_add_loop_test(cases, no_counts, 0,
                      sizeof no_numbers / sizeof *no_numbers);
  tcase_add_test(cases, percents);
  tcase_add_loop_test(cases, bytes, 0, sizeof sizes / sizeof *sizes);
  tcase_add_loop_test(cases, no_bytes, 0, sizeof no_sizes / sizeof *no_sizes);
  tcase_add_test(cases, bytes_of_the_machine);
  tcase_add_test(cases, debug_keys);
  tcase_add_test(cases, debug_commas_may_be_too_many_and_the_last_key_holds);
  tcase_add_test(cases, debug_texts);
  tcase_add_test(cases, debug_mistakes_cost_a_line_each);
  tcase_add_test(cases, debug_text_has_a_longest);
  tcase_add_test(cases, defaults);
  tcase_add_test(cases, options_hold_where_the_environment_is_silent);
  tcase_add_test(cases, options_of_version_0_1_mean_0_for_later_fields);
  tcase_add_test(cases, the_environment_overrides);
  tcase_add_test(cases, unless_the_program_forbids_it);
  tcase_add_test(cases, mistakes_in_the_environment_cost_a_line_each);
  tcase_add_test(cases, invalid_options);
  suite_add_tcase(suite, cases);

  TCase *assists = tcase_create("assists");
  tcase_add_loop_test(assists, rules_that_parse, 0,
                      sizeof good_rules / sizeof *good_rules);
  tcase_add_loop_test(assists, rules_that_do_not, 0,
                      sizeof bad_rules / sizeof *bad_rules);
  tcase_add_test(assists, walls);
  suite_add_tcase(suite, assists);
  return unit_run(suite);
}
