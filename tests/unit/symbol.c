/* SPDX-License-Identifier: MIT */
/* Tests of os/symbol: function, file and line of a return address. */
#include "os/symbol.h"
#include "os/unwind.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static NOINLINE uintptr_t returns_here(void)
{
  return CALLER_PC();
}

static int line;

static NOINLINE uintptr_t somewhere(void)
{
  line = __LINE__ + 1;
  uintptr_t pc = returns_here();
  __asm__ volatile("" : "+r"(pc));
  return pc;
}

/* Line tables need a tool that may be missing, and -g. */
static bool has_lines(void)
{
  return system("addr2line --version >/dev/null 2>&1") == 0;
}

START_TEST(a_call_has_its_file_and_line)
{
  char text[256], wanted[64];
  symbol_print(somewhere(), text, sizeof text);
  ck_assert_msg(strncmp(text, "somewhere", 9) == 0, "%s", text);
  snprintf(wanted, sizeof wanted, "somewhere at symbol.c:%d (", line);
  if (has_lines() && !strchr(text, '+'))
    ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
}
END_TEST

START_TEST(without_the_tool_there_is_the_offset)
{
  char text[256], name[256];
  uintptr_t pc = somewhere();
  setenv("PATH", "/nonexistent", 1);
  symbol_print(pc, text, sizeof text);
  unwind_name(pc, name, sizeof name);
  ck_assert_str_eq(text, name);
}
END_TEST

/* A tool that says nothing, that fails, or that talks without end. */
static const char *const tools[] = {
    "true",
    "exit 1",
    "echo '?? ??:0'",
    "kill -9 $$",
};

static void plant_tool(const char *folder, const char *body)
{
  char path[128];
  snprintf(path, sizeof path, "%s/addr2line", folder);
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fprintf(file, "#!/bin/sh\n%s\n", body);
  fclose(file);
  ck_assert_int_eq(chmod(path, 0755), 0);
}

static void remove_tool(const char *folder)
{
  char path[128];
  snprintf(path, sizeof path, "%s/addr2line", folder);
  unlink(path);
  rmdir(folder);
}

/* What symbol_print() says where the tool is this shell script. */
static void print_with(const char *body, uintptr_t pc, char *text, size_t size)
{
  char folder[] = "/tmp/dusk-symbol-XXXXXX", path[256];
  ck_assert_ptr_nonnull(mkdtemp(folder));
  plant_tool(folder, body);
  snprintf(path, sizeof path, "%s:/usr/bin:/bin", folder);
  setenv("PATH", path, 1);
  errno = ERANGE;
  symbol_print(pc, text, size);
  ck_assert_int_eq(errno, ERANGE);
  remove_tool(folder);
}

START_TEST(a_tool_that_does_not_know_costs_nothing_but_the_line)
{
  char text[256], name[256];
  uintptr_t pc = somewhere();
  print_with(tools[_i], pc, text, sizeof text);
  unwind_name(pc, name, sizeof name);
  ck_assert_str_eq(text, name);
}
END_TEST

START_TEST(inlined_functions_are_joined_without_ours)
{
  char text[256];
  print_with("echo 'dusk_alloc at alloc.h:43'\n"
             "echo ' (inlined by) make at a.c:3 (discriminator 2)'\n"
             "echo ' (inlined by) work at a.c:9'",
             somewhere(), text, sizeof text);
  static const char wanted[] = "make at a.c:3, in work at a.c:9 (";
  ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "%s", text);
}
END_TEST

START_TEST(a_long_answer_is_cut)
{
  char text[64];
  print_with("yes 'f at a.c:1' | head -n 100000", somewhere(), text,
             sizeof text);
  ck_assert_uint_eq(strlen(text), sizeof text - 1);
}
END_TEST

START_TEST(a_number_that_is_no_code)
{
  char text[64];
  symbol_print(1, text, sizeof text);
  ck_assert_str_eq(text, "0x1");
  symbol_print(0, text, sizeof text);
  ck_assert_str_eq(text, "0x0");
}
END_TEST

START_TEST(no_child_is_left)
{
  char text[256];
  symbol_print(somewhere(), text, sizeof text);
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("symbol");
  TCase *names = tcase_create("names");
  tcase_set_timeout(names, 120);
  tcase_add_test(names, a_call_has_its_file_and_line);
  tcase_add_test(names, without_the_tool_there_is_the_offset);
  tcase_add_loop_test(names,
                      a_tool_that_does_not_know_costs_nothing_but_the_line, 0,
                      (int)(sizeof tools / sizeof *tools));
  tcase_add_test(names, inlined_functions_are_joined_without_ours);
  tcase_add_test(names, a_long_answer_is_cut);
  tcase_add_test(names, a_number_that_is_no_code);
  tcase_add_test(names, no_child_is_left);
  suite_add_tcase(suite, names);
  return unit_run(suite);
}
