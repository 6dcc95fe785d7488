/* SPDX-License-Identifier: MIT */
/* retention.c -- tests of inspect/retention.c: bytes are those of what hangs
 * from one place alone, and requests are answered */
#include "unit.h"

#include "fixture.h"

#include "inspect/retention.h"

#include "dusk/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static void *first[1], *second[1]; /* roots */

static void add_root(void **root)
{
  struct collector *collector = &heap->collector;
  ck_assert_int_eq(rootset_add(&collector->roots, &collector->arena,
                               &collector->grey, (uintptr_t)root, sizeof *root),
                   0);
}

/* What is made from now on is marked.  The test's own stack is no root. */
static void setup(void)
{
  heap = fixture_open();
  heap->collector.arena.careful = true; /* what is not handed out is free */
  thread = fixture_attach(heap);
  first[0] = second[0] = NULL;
  fixture_begin_marking(heap);
  add_root(first);
  add_root(second);
  thread->standing.stack = (struct stack_view){.sp = thread->stack_high};
}

static void teardown(void)
{
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
  fixture_close(heap);
}

static const char *report(int *error)
{
  static char text[16384];
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  *error = retention_write(heap, fileno(file));
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

/* The bytes and objects of the line with `needle`; 0: there is none. */
struct amount {
  unsigned long bytes;
  unsigned long objects;
};

static struct amount amount_of(const char *text, const char *needle)
{
  struct amount amount = {0};
  char *rest;
  const char *line = strstr(text, needle);
  while (line && line > text && line[-1] != '\n')
    line--;
  if (line) {
    amount.bytes = strtoul(line, &rest, 10);
    amount.objects = strtoul(rest, NULL, 10);
  }
  return amount;
}

static struct amount of_root(const char *text, void **root)
{
  char needle[32];
  snprintf(needle, sizeof needle, "  root 0x%zx", (size_t)root);
  return amount_of(text, needle);
}

static void check_amount(const char *text, struct amount amount,
                         unsigned long bytes, unsigned long objects)
{
  ck_assert_msg(amount.bytes == bytes && amount.objects == objects,
                "%lu bytes, %lu objects: %s", amount.bytes, amount.objects,
                text);
}

/* first -> pair -> leaf of 1024, and what is marked and hangs from nothing. */
START_TEST(test_a_root_has_all_that_it_leads_to)
{
  int error;
  void **pair = fixture_alloc(thread, fixture_layout(heap, 16, 1, 0), 16);
  dusk_init(thread, &pair[0], fixture_alloc(thread, DUSK_LEAF, 1024));
  fixture_alloc(thread, DUSK_LEAF, 512);
  first[0] = pair;
  const char *text = report(&error);
  ck_assert_int_eq(error, 0);
  ck_assert_msg(strstr(text, "retention: 1552 bytes in 3 objects") != NULL,
                "%s", text);
  check_amount(text, of_root(text, first), 1040, 2);
  check_amount(text, of_root(text, second), 0, 0);
}
END_TEST

START_TEST(test_what_two_roots_lead_to_is_no_ones)
{
  int error;
  void **pair = fixture_alloc(thread, fixture_layout(heap, 16, 1, 0), 16);
  dusk_init(thread, &pair[0], fixture_alloc(thread, DUSK_LEAF, 1024));
  first[0] = pair;
  second[0] = pair[0];
  const char *text = report(&error);
  check_amount(text, of_root(text, first), 16, 1);
  check_amount(text, of_root(text, second), 0, 0);
}
END_TEST

START_TEST(test_a_word_of_a_conservative_object_is_a_place)
{
  int error;
  void **loose = fixture_alloc(thread, DUSK_CONSERVATIVE, 32);
  dusk_init(thread, &loose[3], fixture_alloc(thread, DUSK_LEAF, 1024));
  first[0] = loose;
  const char *text = report(&error);
  check_amount(text, of_root(text, first), 1056, 2);
  check_amount(text, amount_of(text, "slot +24 of "), 1024, 1);
}
END_TEST

/* Words of the thread that stands: registers, and a frame. */
START_TEST(test_a_stack_and_registers_are_places)
{
  int error;
  uintptr_t registers[2] = {0}, frame[2] = {0};
  registers[1] = (uintptr_t)fixture_alloc(thread, DUSK_LEAF, 1024);
  frame[1] = (uintptr_t)fixture_alloc(thread, DUSK_LEAF, 512);
  uintptr_t high = thread->stack_high;
  thread->standing.stack = (struct stack_view){
      .sp = (uintptr_t)frame, .words = registers, .count = 2};
  thread->stack_high = (uintptr_t)(frame + 2);
  thread->entry_sp = (uintptr_t)frame;
  thread->standing.frame_count = 0;
  const char *text = report(&error);
  thread->stack_high = high;
  check_amount(text, amount_of(text, "thread 1, registers"), 1024, 1);
  check_amount(text, amount_of(text, "thread 1, a frame that is not known"),
               512, 1);
}
END_TEST

START_TEST(test_what_cannot_be_written_is_an_error)
{
  ck_assert_int_eq(retention_write(heap, -1), EIO);
}
END_TEST

START_TEST(test_without_memory_nothing_is_left_behind)
{
  int error;
  void **loose = fixture_alloc(thread, DUSK_CONSERVATIVE, 32);
  first[0] = loose;
  for (unsigned long n = 1;; n++) {
    fixture_vm_begin();
    fixture_vm_refuse(n, 1);
    report(&error);
    bool refused = fixture_vm.calls >= n;
    ck_assert_uint_eq(fixture_vm.mapped, 0);
    fixture_vm_end();
    ck_assert_int_eq(error, refused ? ENOMEM : 0);
    if (!refused)
      break;
  }
}
END_TEST

START_TEST(test_all_requests_are_answered_at_once)
{
  struct retention_request later = {.fd = -1, .error = ENOMEM};
  struct retention_request sooner = {
      .next = &later, .fd = STDERR_FILENO, .error = ENOMEM};
  ck_assert(!retention_is_asked(heap));
  heap->reports = &sooner;
  ck_assert(retention_is_asked(heap));
  fixture_stderr_begin();
  retention_answer(heap);
  const char *text = fixture_stderr_end();
  ck_assert_int_eq(sooner.error, 0);
  ck_assert_int_eq(later.error, EIO);
  ck_assert(!retention_is_asked(heap));
  ck_assert_msg(strstr(text, "retention: 0 bytes in 0 objects") != NULL, "%s",
                text);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("retention");
  TCase *tests = tcase_create("retention");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_a_root_has_all_that_it_leads_to);
  tcase_add_test(tests, test_what_two_roots_lead_to_is_no_ones);
  tcase_add_test(tests, test_a_word_of_a_conservative_object_is_a_place);
  tcase_add_test(tests, test_a_stack_and_registers_are_places);
  tcase_add_test(tests, test_what_cannot_be_written_is_an_error);
  tcase_add_test(tests, test_without_memory_nothing_is_left_behind);
  tcase_add_test(tests, test_all_requests_are_answered_at_once);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
