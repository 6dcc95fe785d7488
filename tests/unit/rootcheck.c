/* SPDX-License-Identifier: MIT */
/* rootcheck.c -- tests of inspect/rootcheck.c: whoever still names what dies is
 * asked about, and nobody whom the heap knows */
#include "unit.h"

#include "fixture.h"

#include "inspect/rootcheck.h"
#include "os/vm.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static struct dusk_heap *heap;
static struct dusk_thread *thread;
static void *forgotten[16];
static uintptr_t hidden[16]; /* complements */

static void setup(void)
{
  heap = fixture_open();
  heap->collector.scavenging.thread = pthread_self();
  thread = fixture_attach(heap);
  for (int i = 0; i < 16; i++) { /* with neighbours that nobody names */
    fixture_alloc(thread, DUSK_LEAF, 64);
    hidden[i] = ~(uintptr_t)fixture_alloc(thread, DUSK_LEAF, 64);
  }
  fixture_begin_marking(heap);
}

static void teardown(void)
{
  memset(forgotten, 0, sizeof forgotten);
  rootcheck_close(heap);
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
  fixture_close(heap);
}

static void *object(int i)
{
  return (void *)~hidden[i];
}

static const char *run(void)
{
  fixture_stderr_begin();
  rootcheck_run(heap);
  return fixture_stderr_end();
}

static unsigned lines_with(const char *text, const char *needle)
{
  unsigned count = 0;
  for (; (text = strstr(text, needle)); text += strlen(needle))
    count++;
  return count;
}

START_TEST(test_a_static_variable_is_named)
{
  char address[32];
  forgotten[3] = object(0);
  const char *text = run();
  snprintf(address, sizeof address, "object %p (", object(0));
  ck_assert_msg(lines_with(text, address) == 1, "%s", text);
  ck_assert_msg(lines_with(text, "the static variable forgotten+24") == 1, "%s",
                text);
  ck_assert_msg(lines_with(text, "rootcheck: ") == 1, "%s", text);
}
END_TEST

START_TEST(test_what_is_marked_does_not_die)
{
  const void *const found[] = {object(0)};
  forgotten[3] = object(0);
  fixture_hand_over(heap, found, 1);
  fixture_mark(heap);
  ck_assert_str_eq(run(), "");
}
END_TEST

/* Words beyond the end of a reference, and numbers: the heap has seen them. */
START_TEST(test_a_root_is_known)
{
  struct collector *collector = &heap->collector;
  forgotten[3] = object(0);
  ck_assert_int_eq(rootset_add(&collector->roots, &collector->arena,
                               &collector->grey, (uintptr_t)forgotten,
                               sizeof forgotten),
                   0);
  grey_discard(&collector->grey); /* it did not mark what it names */
  ck_assert_str_eq(run(), "");
}
END_TEST

START_TEST(test_other_memory_is_named_by_its_address)
{
  char address[32];
  void **memory = malloc(64);
  ck_assert_ptr_nonnull(memory);
  memory[2] = object(1);
  snprintf(address, sizeof address, "memory at %p (", (void *)&memory[2]);
  const char *text = run();
  ck_assert_msg(lines_with(text, address) == 1, "%s", text);
  memory[2] = NULL;
  free(memory);
}
END_TEST

START_TEST(test_the_rest_is_counted)
{
  for (int i = 0; i < 12; i++)
    forgotten[i] = object(i);
  const char *text = run();
  ck_assert_msg(lines_with(text, "points to it") == 8, "%s", text);
  ck_assert_msg(lines_with(text, "and 4 more words") == 1, "%s", text);
}
END_TEST

/* A stack as the system makes them: a closed page, and what is above it. */
START_TEST(test_a_child_asks_about_no_stack_of_its_parent)
{
  size_t page = vm_page_size();
  char *map =
      mmap(NULL, 4 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(map, MAP_FAILED);
  ck_assert_int_eq(mprotect(map + page, 2 * page, PROT_READ | PROT_WRITE), 0);
  *(void **)(void *)(map + 2 * page) = object(0);
  const char *text = run();
  ck_assert_msg(lines_with(text, "memory at ") == 1, "%s", text);

  struct dusk_thread *other = fixture_attach(heap);
  fixture_detach(other);
  other->stack_low = (uintptr_t)map + page;
  other->stack_high = (uintptr_t)map + 3 * page;
  rootcheck_revive(heap);
  rootcheck_revive(heap); /* a child's child */
  ck_assert_str_eq(run(), "");
  /* What is something else by now is looked at. */
  ck_assert_int_eq(mprotect(map, page, PROT_READ | PROT_WRITE), 0);
  text = run();
  ck_assert_msg(lines_with(text, "memory at ") == 1, "%s", text);
  munmap(map, 4 * page);
}
END_TEST

START_TEST(test_without_memory_it_says_so)
{
  fixture_vm_begin();
  fixture_vm_refuse(1, 1);
  const char *text = run();
  fixture_vm_end();
  ck_assert_msg(lines_with(text, "no memory for it") == 1, "%s", text);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("rootcheck");
  TCase *tests = tcase_create("rootcheck");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, test_a_static_variable_is_named);
  tcase_add_test(tests, test_what_is_marked_does_not_die);
  tcase_add_test(tests, test_a_root_is_known);
  tcase_add_test(tests, test_other_memory_is_named_by_its_address);
  tcase_add_test(tests, test_the_rest_is_counted);
  tcase_add_test(tests, test_a_child_asks_about_no_stack_of_its_parent);
  tcase_add_test(tests, test_without_memory_it_says_so);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
