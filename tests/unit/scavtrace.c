/* SPDX-License-Identifier: MIT */
/* Test of report/scavtrace.c: the line, and when there is one. */
#include "unit.h"

#include "fixture.h"
#include "heap/scavenge.h"
#include "report/scavtrace.h"

#include <string.h>

START_TEST(a_line_is_in_gos_form)
{
  char line[SCAVTRACE_LINE];
  struct scavenged since = {
      .bytes = {[SCAVENGE_BACKGROUND] = 70000, [SCAVENGE_EAGER] = 8192}};
  struct pages_figures pages = {
      .committed = 4 << 20, .in_use = 1 << 20, .released = 2 << 20};
  size_t length = scavtrace_format(line, &since, &pages);
  ck_assert_str_eq(line, "scav 68 KiB work (bg), 8 KiB work (eager), 2048 KiB "
                         "now, 50% util\n");
  ck_assert_uint_eq(length, strlen(line));
  since.bytes[SCAVENGE_ASKED] = 1;
  scavtrace_format(line, &since, &pages);
  ck_assert_ptr_nonnull(strstr(line, "% util (forced)\n"));
}
END_TEST

START_TEST(there_is_a_line_only_if_memory_was_returned_since_the_last)
{
  struct dusk_heap *heap = fixture_open();
  struct arena *arena = &heap->collector.arena;
  bool needs_zero;
  uint32_t page = pages_take(arena, 64, &needs_zero);
  memset(arena_page(arena, page), 1, 64 * PAGE_BYTES);
  pages_give(arena, page, 64);
  fixture_stderr_begin();
  scavtrace_print(heap);
  ck_assert_str_eq(fixture_stderr_end(), "");
  ck_assert_uint_gt(scavenge_all(arena), 0);
  fixture_stderr_begin();
  scavtrace_print(heap);
  scavtrace_print(heap);
  const char *text = fixture_stderr_end();
  ck_assert_ptr_nonnull(strstr(text, "% util (forced)\n"));
  ck_assert_ptr_eq(strchr(text, '\n'), strrchr(text, '\n'));
  fixture_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scavtrace");
  TCase *cases = tcase_create("scavtrace");
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, a_line_is_in_gos_form);
  tcase_add_test(cases,
                 there_is_a_line_only_if_memory_was_returned_since_the_last);
  return unit_run(suite);
}
