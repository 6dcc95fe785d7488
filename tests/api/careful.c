/* SPDX-License-Identifier: MIT */
/* Tests of the debug switches that look at each object: a program that is
 * right runs as ever under each of them and under all at once, and one that
 * uses what is dead is stopped, or sees it. */
#include "api.h"

enum { NODES = 3000, GARBAGE = 1000, WORDS = 7 };

/* As dusk(7) says. */
static const uint64_t poison_word = UINT64_C(0xdeadd05cdeadd05c);

struct node {
  struct node *next;
  uint64_t words[WORDS];
};

static dusk_heap *heap;
static dusk_thread *thread;
static dusk_kind kind;

static void open_with(const char *debug, size_t reserve)
{
  static const uint64_t pointers = 1;
  dusk_options options = DUSK_OPTIONS_INIT;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  options.reserve_bytes = reserve;
  spec.size = sizeof(struct node);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  setenv("DUSK_DEBUG", debug, 1);
  heap = api_open_with(&options);
  thread = api_attach(heap);
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &kind), 0);
}

/* A list that is cut, refilled and read, with garbage in between. */
static int use_heap(void)
{
  struct node *list = NULL;
  for (uint64_t i = 0; i < NODES; i++) {
    struct node *node = dusk_new(thread, kind);
    char *leaf = dusk_alloc(thread, DUSK_LEAF, i % 50 ? i % 200 : 40000);
    if (!node || !leaf)
      return 1;
    for (int w = 0; w < WORDS; w++)
      if (node->words[w])
        return 2;
    if (i % 200 && leaf[i % 200 - 1])
      return 3;
    node->words[0] = i;
    dusk_init(thread, &node->next, list);
    list = i % 700 ? node : NULL;
    if (i % 1000 == 0)
      dusk_collect(thread);
  }
  uint64_t expected = NODES - 1;
  for (; list; list = dusk_load(&list->next))
    if (list->words[0] != expected--)
      return 4;
  return expected == NODES / 700 * 700 ? 0 : 5;
}

static int run_with(const void *debug)
{
  open_with(debug, 0);
  int result = use_heap();
  api_close(heap, thread);
  return result;
}

static const char *const switches[] = {
    "origins=1", "poison=1", "efence=1", "verify=1", "checkmark=1", "stress=40",
};
enum { SWITCHES = sizeof switches / sizeof *switches };

/* Each bit of the number is a switch: every combination. */
START_TEST(a_program_that_is_right_runs)
{
  char debug[256] = "";
  struct api_child child;
  for (int i = 0; i < SWITCHES; i++)
    if (_i >> i & 1) {
      strcat(debug, switches[i]);
      strcat(debug, ",");
    }
  api_fork(&child, run_with, debug);
  ck_assert_msg(child.exit_code == 0 && !child.text[0], "%s: exit %d, %s",
                debug, child.exit_code, child.text);
}
END_TEST

/* Threads that clear large objects stand in the middle of it when the heap is
 * walked: those pages are taken, and in no span. */
enum { USERS = 3, LARGES = 150 };

static void *use_large_objects(void *argument)
{
  dusk_thread *own;
  uint64_t random = (uint64_t)(uintptr_t)argument;
  if (dusk_attach(heap, &own))
    _exit(11);
  for (int i = 0; i < LARGES; i++) {
    size_t bytes = MIB(1) + (api_random(&random) % MIB(3) & ~(size_t)7);
    uint64_t *object = dusk_alloc(own, DUSK_LEAF, bytes + 8);
    if (!object || object[0] || object[bytes / 8])
      _exit(12);
    object[0] = object[bytes / 8] = 1;
    if (!dusk_alloc(own, DUSK_CONSERVATIVE, 100))
      _exit(13);
  }
  dusk_detach(own);
  return NULL;
}

static int run_large(const void *debug)
{
  pthread_t users[USERS];
  open_with(debug, 0);
  dusk_blocking_begin(thread);
  for (uintptr_t i = 0; i < USERS; i++)
    users[i] = api_start(use_large_objects, (void *)(i + 1));
  for (int i = 0; i < USERS; i++)
    pthread_join(users[i], NULL);
  dusk_blocking_end(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(a_heap_that_stands_still_is_walked)
{
  struct api_child child;
  api_fork(&child, run_large, "verify=1,checkmark=1,stress=2,tools=0");
  ck_assert_msg(child.exit_code == 0 && !child.text[0], "exit %d, %s",
                child.exit_code, child.text);
}
END_TEST

/* The child of a fork goes on with the heap, whatever is closed in it. */
static int run_in_child(const void *debug)
{
  int status = 99;
  open_with(debug, 0);
  int result = use_heap();
  pid_t child = result ? -1 : fork();
  if (child == 0)
    _exit(use_heap());
  if (child < 0 || waitpid(child, &status, 0) != child)
    return result ? result : 98;
  api_close(heap, thread);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static const char *const in_children[] = {
    "efence=1,verify=1",
    "poison=1,verify=1",
    "origins=1,poison=1,efence=1,verify=1",
};

START_TEST(so_does_the_child_of_a_fork)
{
  struct api_child child;
  api_fork(&child, run_in_child, in_children[_i]);
  ck_assert_msg(child.exit_code == 0 && !child.text[0], "exit %d, %s",
                child.exit_code, child.text);
}
END_TEST

/* ---- what is dead ---- */

static uintptr_t hidden[GARBAGE]; /* inverted: no pointers */

static __attribute__((noinline)) void make_garbage(void)
{
  for (int i = 0; i < GARBAGE; i++)
    hidden[i] = ~(uintptr_t)api_alloc(thread, DUSK_LEAF, 64);
}

/* One that no stray word has kept. */
static volatile uint64_t *dead_object(void)
{
  make_garbage();
  api_collect_all(thread);
  for (int i = 0; i < GARBAGE; i++)
    if (dusk_size_of(heap, (void *)~hidden[i]) == 0)
      return (volatile uint64_t *)~hidden[i];
  ck_abort_msg("nothing has died");
}

enum { SURVIVED = 77, FILLED = 78 };

static int read_dead(const void *debug)
{
  open_with(debug, 0);
  volatile uint64_t *dead = dead_object();
  return dead[3] == poison_word ? FILLED : SURVIVED;
}

static int write_dead(const void *debug)
{
  open_with(debug, 0);
  volatile uint64_t *dead = dead_object();
  dead[3] = 1;
  return SURVIVED;
}

/* A sanitizer that is told of our objects stops both by itself: not asked. */
START_TEST(poison_shows)
{
  struct api_child child;
  api_fork(&child, read_dead, "poison=1,tools=0");
  ck_assert_int_eq(child.exit_code, FILLED);
}
END_TEST

START_TEST(the_fence_stops)
{
  struct api_child child;
  api_fork(&child, read_dead, "efence=1,tools=0");
  ck_assert_int_ne(child.exit_code, SURVIVED);
  ck_assert(SANITIZED || child.exit_code == -1);
  api_fork(&child, write_dead, "efence=1,poison=1,tools=0");
  ck_assert_int_ne(child.exit_code, SURVIVED);
  ck_assert(SANITIZED || child.exit_code == -1);
}
END_TEST

/* Behind the fence address space is used once: when there is no more, there is
 * no memory, and what is alive lives on. */
static int use_up(const void *debug)
{
  open_with(debug, MIB(16));
  uint64_t *kept = api_alloc(thread, DUSK_LEAF, 8);
  *kept = 5;
  uint64_t made = 0;
  while (dusk_alloc(thread, DUSK_LEAF, 8))
    made++;
  int error = errno;
  return error == ENOMEM && made > 1500 && made < 2048 && *kept == 5 ? 0 : 1;
}

START_TEST(behind_the_fence_address_space_ends)
{
  struct api_child child;
  api_fork(&child, use_up, "efence=1");
  ck_assert_msg(child.exit_code == 0, "%s", child.text);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("careful");
  TCase *right = api_case(suite, "right");
  tcase_add_loop_test(right, a_program_that_is_right_runs, 0, 1 << SWITCHES);
  tcase_add_test(right, a_heap_that_stands_still_is_walked);
  if (!THREADS_MAY_NOT_FOLLOW_A_FORK)
    tcase_add_loop_test(right, so_does_the_child_of_a_fork, 0, 3);
  TCase *wrong = api_case(suite, "wrong");
  tcase_add_test(wrong, poison_shows);
  tcase_add_test(wrong, the_fence_stops);
  tcase_add_test(wrong, behind_the_fence_address_space_ends);
  return api_run(suite);
}
