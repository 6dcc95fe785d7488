/* SPDX-License-Identifier: MIT */
/* retention.c -- tests of dusk_retention_report(): what hangs from one place
 * alone is told with its bytes, and nothing else is */
#include "api.h"

#include <fcntl.h>

enum { BIG = 100 << 10, BIGGER = 300 << 10 };

static void *root[2];

static char *report(dusk_thread *thread)
{
  static char text[65536];
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(dusk_retention_report(thread, fileno(file)), 0);
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

/* The bytes of the first line with `needle`; 0: there is none. */
static size_t bytes_of(const char *text, const char *needle)
{
  const char *found = strstr(text, needle);
  while (found && found > text && found[-1] != '\n')
    found--;
  return found ? strtoul(found, NULL, 10) : 0;
}

/* On a thread that ends: no word of it stays on a stack that is read. */
static void *make_roots(void *argument)
{
  dusk_thread *thread = api_attach(argument);
  void **list = api_alloc(thread, DUSK_CONSERVATIVE, 32);
  dusk_init(thread, &list[3], api_alloc(thread, DUSK_LEAF, BIG));
  dusk_store(thread, &root[0], list);
  dusk_store(thread, &root[1], api_alloc(thread, DUSK_LEAF, BIGGER));
  dusk_detach(thread);
  return NULL;
}

static void fill_root(dusk_heap *heap, dusk_thread *thread)
{
  ck_assert_int_eq(dusk_root_add(heap, root, sizeof root), 0);
  pthread_t maker = api_start(make_roots, heap);
  dusk_blocking_begin(thread);
  pthread_join(maker, NULL);
  dusk_blocking_end(thread);
}

START_TEST(test_what_a_root_retains_is_told)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  fill_root(heap, thread);
  char *text = report(thread);
  size_t bytes = bytes_of(text, "  root 0x");
  ck_assert_msg(bytes >= BIG + BIGGER && bytes < BIG + BIGGER + (32 << 10),
                "%zu: %s", bytes, text);
  /* The largest word first. */
  bytes = bytes_of(text, "   word at 0x");
  ck_assert_msg(bytes >= BIGGER && bytes < BIGGER + (16 << 10), "%s", text);
  dusk_root_remove(heap, root);
  api_close(heap, thread);
}
END_TEST

START_TEST(test_what_a_conservative_word_retains_is_told)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  fill_root(heap, thread);
  char *text = report(thread);
  size_t bytes = bytes_of(text, "slot +24 of ");
  ck_assert_msg(bytes >= BIG && bytes < BIG + (16 << 10), "%zu: %s", bytes,
                text);
  dusk_root_remove(heap, root);
  api_close(heap, thread);
}
END_TEST

/* Two roots, one object: neither retains it alone. */
START_TEST(test_what_two_places_hold_is_no_ones)
{
  static void *second[1];
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  fill_root(heap, thread);
  ck_assert_int_eq(dusk_root_add(heap, second, sizeof second), 0);
  dusk_store(thread, &second[0], root[1]);
  api_scrub_stack();
  char *text = report(thread);
  size_t bytes = bytes_of(text, "  root 0x");
  ck_assert_msg(bytes >= BIG && bytes < BIGGER, "%zu: %s", bytes, text);
  dusk_root_remove(heap, root);
  dusk_root_remove(heap, second);
  api_close(heap, thread);
}
END_TEST

START_TEST(test_an_empty_heap_has_a_report)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  ck_assert_ptr_nonnull(strstr(report(thread), "retention: 0 bytes in 0"));
  api_close(heap, thread);
}
END_TEST

static int report_wrongly(const void *argument)
{
  (void)argument;
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  int full = open("/dev/full", O_WRONLY);
  if (dusk_retention_report(NULL, 1) != EINVAL)
    return 2;
  if (full >= 0 && dusk_retention_report(thread, full) != EIO)
    return 3;
  if (dusk_retention_report(thread, -1) != EIO)
    return 4;
  api_close(heap, thread);
  return 0;
}

START_TEST(test_failures_are_answers)
{
  struct api_child child;
  api_fork(&child, report_wrongly, NULL);
  api_assert_one_line(&child, "dusk_retention_report: the handle is NULL");
}
END_TEST

static int report_by_itself(const void *argument)
{
  (void)argument;
  setenv("DUSK_DEBUG", "retention=1", 1);
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 2;
  dusk_collect(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(test_the_switch_reports_each_forced_cycle)
{
  struct api_child child;
  api_fork(&child, report_by_itself, NULL);
  ck_assert_int_eq(child.exit_code, 0);
  ck_assert_uint_eq(api_lines_with(child.text, "retention: "), 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("retention");
  TCase *tests = api_case(suite, "retention");
  tcase_add_test(tests, test_what_a_root_retains_is_told);
  tcase_add_test(tests, test_what_a_conservative_word_retains_is_told);
  tcase_add_test(tests, test_what_two_places_hold_is_no_ones);
  tcase_add_test(tests, test_an_empty_heap_has_a_report);
  tcase_add_test(tests, test_failures_are_answers);
  tcase_add_test(tests, test_the_switch_reports_each_forced_cycle);
  return api_run(suite);
}
