/* SPDX-License-Identifier: MIT */
/* why.c -- tests of dusk_why_alive(): the path to an object is the one that was
 * made, and a shortest one */
#include "api.h"

#include <fcntl.h>

enum { LONG = 1000 };

static void *root[4];

static char *why(dusk_heap *heap, const void *pointer)
{
  static char text[32768];
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(dusk_why_alive(heap, pointer, fileno(file)), 0);
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static dusk_heap *open_rooted(dusk_thread **thread)
{
  dusk_heap *heap = api_open_manual();
  *thread = api_attach(heap);
  ck_assert_int_eq(dusk_root_add(heap, root, sizeof root), 0);
  return heap;
}

static void close_rooted(dusk_heap *heap, dusk_thread *thread)
{
  dusk_root_remove(heap, root);
  api_close(heap, thread);
}

static void *make_list(dusk_thread *thread, int length)
{
  void **list = NULL;
  for (int i = 0; i < length; i++) {
    void **link = api_alloc(thread, DUSK_CONSERVATIVE, 32);
    dusk_init(thread, &link[2], list);
    list = link;
  }
  return list;
}

/* The lines "-> object", in order, name these. */
static void check_steps(const char *text, void *const *steps, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    char step[64];
    snprintf(step, sizeof step, "-> object %p ", steps[i]);
    text = strstr(text, step);
    ck_assert_msg(text != NULL, "%s is not there", step);
  }
}

START_TEST(test_a_path_is_shown)
{
  dusk_thread *thread;
  dusk_heap *heap = open_rooted(&thread);
  dusk_store(thread, &root[2], make_list(thread, 3));
  void **first = root[2];
  void **second = first[2];
  char *text = why(heap, (char *)second[2] + 5);
  ck_assert_msg(strstr(text, "alive, reached from the root 0x") &&
                    strstr(text, "+16 (root+16 (why))"),
                "%s", text);
  check_steps(text, (void *[]){first, second, second[2]}, 3);
  ck_assert_uint_eq(api_lines_with(text, ", slot +16"), 2);
  ck_assert_uint_eq(api_lines_with(text, "-> object"), 3);
  close_rooted(heap, thread);
}
END_TEST

START_TEST(test_a_shortest_path_is_shown)
{
  dusk_thread *thread;
  dusk_heap *heap = open_rooted(&thread);
  dusk_store(thread, &root[0], make_list(thread, 30));
  void **list = root[0];
  for (int i = 0; i < 20; i++)
    list = list[2];
  void **shorter = make_list(thread, 2);
  dusk_store(thread, shorter[2], list);
  dusk_store(thread, &root[1], shorter);
  char *text = why(heap, list);
  check_steps(text, (void *[]){shorter, shorter[2], list}, 3);
  ck_assert_uint_eq(api_lines_with(text, "-> object"), 3);
  close_rooted(heap, thread);
}
END_TEST

/* Of a long one the ends. */
START_TEST(test_a_long_path_is_cut)
{
  dusk_thread *thread;
  dusk_heap *heap = open_rooted(&thread);
  dusk_store(thread, &root[0], make_list(thread, LONG));
  void **list = root[0];
  void **before = NULL;
  for (int i = 0; i < LONG - 1; i++) {
    before = list;
    list = list[2];
  }
  char *text = why(heap, list);
  check_steps(text, (void *[]){root[0], ((void **)root[0])[2], before, list},
              4);
  const char *more = strstr(text, "-> ");
  unsigned left_out = 0;
  unsigned shown = api_lines_with(text, "-> object");
  while (more && sscanf(more, "-> %u more objects", &left_out) != 1)
    more = strstr(more + 1, "-> ");
  ck_assert_msg(shown + left_out == LONG, "%u + %u: %s", shown, left_out, text);
  close_rooted(heap, thread);
}
END_TEST

START_TEST(test_a_variable_is_named_by_its_function)
{
  dusk_thread *thread;
  dusk_heap *heap = open_rooted(&thread);
  void *volatile mine = api_alloc(thread, DUSK_LEAF, 16);
  char *text = why(heap, mine);
  ck_assert_msg(strstr(text, " of thread 1"), "%s", text);
  ck_assert_uint_eq(api_lines_with(text, "-> object"), 1);
  close_rooted(heap, thread);
}
END_TEST

static void make_garbage(dusk_thread *thread, uintptr_t *hidden)
{
  *hidden = ~(uintptr_t)api_alloc(thread, DUSK_LEAF, 40000);
}

static void *die(void *argument)
{
  uintptr_t *hidden = argument;
  dusk_thread *thread = api_attach((dusk_heap *)hidden[0]);
  make_garbage(thread, &hidden[1]);
  dusk_detach(thread);
  return NULL;
}

START_TEST(test_what_is_not_alive_is_said)
{
  dusk_thread *thread;
  dusk_heap *heap = open_rooted(&thread);
  uintptr_t hidden[2] = {(uintptr_t)heap};
  dusk_blocking_begin(thread);
  pthread_join(api_start(die, hidden), NULL);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  char *text = why(heap, (void *)~hidden[1]);
  ck_assert_msg(strstr(text, "in no object that is alive"), "%s", text);
  text = why(heap, &text);
  ck_assert_msg(strstr(text, "no address in the heap"), "%s", text);
  text = why(heap, NULL);
  ck_assert_msg(strstr(text, "no address in the heap"), "%s", text);
  close_rooted(heap, thread);
}
END_TEST

START_TEST(test_failures_are_answers)
{
  dusk_thread *thread;
  dusk_heap *heap = open_rooted(&thread);
  int full = open("/dev/full", O_WRONLY);
  ck_assert_int_eq(dusk_why_alive(NULL, root, 1), EINVAL);
  ck_assert_int_eq(dusk_why_alive(heap, root, -1), EIO);
  if (full >= 0)
    ck_assert_int_eq(dusk_why_alive(heap, root, full), EIO);
  close_rooted(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("why");
  TCase *tests = api_case(suite, "why");
  tcase_add_test(tests, test_a_path_is_shown);
  tcase_add_test(tests, test_a_shortest_path_is_shown);
  tcase_add_test(tests, test_a_long_path_is_cut);
  tcase_add_test(tests, test_a_variable_is_named_by_its_function);
  tcase_add_test(tests, test_what_is_not_alive_is_said);
  tcase_add_test(tests, test_failures_are_answers);
  return api_run(suite);
}
