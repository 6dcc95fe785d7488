/* SPDX-License-Identifier: MIT */
/* forkmodes.c -- the child of a fork under each switch of DUSK_DEBUG: a correct
 * program is told nothing, and a wrong one is found out, as in its parent
 *
 *   threads use the heap --> main forks --> a child that does as it should
 *                                       --> the last one makes a mistake
 *
 * What is to be found is asked of a process of its own first: so a machine on
 * which a switch cannot find it (no unwinder, a sanitizer) expects as much of
 * the child. */
#include "child.h"

enum { RIGHT_CHILDREN = 4, GARBAGE = 500, LIST_SHORT = 8 };

/* As dusk(7) says. */
static const uint64_t poison_word = UINT64_C(0xdeadd05cdeadd05c);

/* ---- mistakes ---- */

static void store_plainly(dusk_thread *thread)
{
  void **object = dusk_alloc(thread, DUSK_CONSERVATIVE, 64);
  void **other = dusk_alloc(thread, DUSK_CONSERVATIVE, 64);
  dusk_collect(thread);
  object[5] = other;
  dusk_collect(thread);
  api_keep(object);
}

static void point_into(dusk_thread *thread)
{
  struct node *other = make_node(thread, 1, NULL);
  struct node *node = make_node(thread, 2, NULL);
  dusk_store(thread, &node->next, (char *)other + 8);
  dusk_collect(thread);
  api_keep(node);
}

static void *forgotten[GARBAGE]; /* no root */
static uintptr_t hidden[GARBAGE];

static __attribute__((noinline)) void make_garbage(dusk_thread *thread,
                                                   bool hides)
{
  for (int i = 0; i < GARBAGE; i++) {
    void *object = dusk_alloc(thread, DUSK_LEAF, 64);
    require(object != NULL);
    if (hides)
      hidden[i] = ~(uintptr_t)object;
    else
      forgotten[i] = object;
  }
}

static void forget_a_root(dusk_thread *thread)
{
  make_garbage(thread, false);
  api_collect_all(thread);
}

static volatile uint64_t *dead_object(dusk_thread *thread)
{
  make_garbage(thread, true);
  api_collect_all(thread);
  for (int i = 0; i < GARBAGE; i++)
    if (dusk_size_of(heap, (void *)~hidden[i]) == 0)
      return (volatile uint64_t *)~hidden[i];
  require(!"nothing has died");
  return NULL;
}

static void read_dead(dusk_thread *thread)
{
  volatile uint64_t *dead = dead_object(thread);
  if (dead[3] == poison_word)
    fprintf(stderr, "filled\n");
}

static void collect(dusk_thread *thread)
{
  dusk_collect(thread);
}

static void release(dusk_thread *thread)
{
  for (int i = 0; i < 64; i++)
    require(dusk_alloc(thread, DUSK_LEAF, KIB(64)) != NULL);
  dusk_release_memory(thread);
  dusk_collect(thread);
}

static bool is_late;

/* Comes to no safepoint before that has been said, which it hears. */
static void *be_late(void *argument)
{
  int *ends = argument;
  dusk_thread *thread;
  char text[4096];
  require(dusk_attach(heap, &thread) == 0);
  __atomic_store_n(&is_late, true, __ATOMIC_RELEASE);
  ssize_t got = read(ends[0], text, sizeof text);
  require(got > 0);
  require(write(ends[1], text, (size_t)got) == got);
  dusk_detach(thread);
  return NULL;
}

static void let_one_be_late(dusk_thread *thread)
{
  pthread_t late;
  int pipe_ends[2];
  require(pipe(pipe_ends) == 0);
  int ends[] = {pipe_ends[0], dup(STDERR_FILENO)};
  require(dup2(pipe_ends[1], STDERR_FILENO) == STDERR_FILENO);
  require(pthread_create(&late, NULL, be_late, ends) == 0);
  while (!__atomic_load_n(&is_late, __ATOMIC_ACQUIRE))
    api_sleep_us(100);
  dusk_collect(thread);
  dusk_blocking_begin(thread);
  pthread_join(late, NULL);
  dusk_blocking_end(thread);
}

/* ---- modes ---- */

struct mode {
  const char *debug;
  const char *told; /* of the mistake; NULL: nothing is */
  void (*mistake)(dusk_thread *thread);
  bool talks; /* to who does right, too */
};

static const struct mode modes[] = {
    {"barriercheck=1", "without a barrier", store_plainly, false},
    {"barriercheck=2", "without a barrier", store_plainly, false},
    {"barriercheck=2,poison=1", "changed by", store_plainly, false},
    {"checkmark=1", "8 bytes into object", point_into, false},
    {"rootcheck=1", "the static variable", forget_a_root, false},
    {"rootcheck=1,origins=1", "allocated by", forget_a_root, false},
    {"retention=1", "retention: ", collect, true},
    {"poison=1,tools=0", "filled", read_dead, false},
    {"efence=1,tools=0", NULL, read_dead, false},
    {"verify=1", NULL, collect, false},
    {"gctrace=1", "gc ", collect, true},
    {"scavtrace=1", "scav ", release, true},
    {"slowsafepoint=20", "has not reached a safepoint", let_one_be_late, false},
    {"origins=1,poison=1,efence=1,verify=1,checkmark=1,rootcheck=1,tools=0",
     "the static variable", forget_a_root, false},
    {"barriercheck=1,checkmark=1,verify=1,poison=1,tools=0",
     "without a barrier", store_plainly, false},
};
enum { MODES = sizeof modes / sizeof *modes };

/* ---- */

static const struct mode *mode; /* that is tested */

static int make_mistake(const void *argument)
{
  (void)argument;
  open_heap_with(mode->debug);
  dusk_thread *thread = api_attach(heap);
  mode->mistake(thread);
  return 0;
}

static int do_right(dusk_thread *thread, const struct node *mine,
                    uint64_t random)
{
  pthread_t other;
  verify_list(mine);
  verify_table();
  require_identities();
  for (int i = 0; i < 20; i++)
    write_table(thread, &random, 0, SLOTS);
  dusk_collect(thread);
  verify_list(mine);
  verify_table();
  require(pthread_create(&other, NULL, use_in_thread,
                         (void *)(uintptr_t)(random | 1)) == 0);
  dusk_blocking_begin(thread);
  pthread_join(other, NULL);
  dusk_blocking_end(thread);
  verify_table();
  require_identities();
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

/* Forks in the heap, and hears what the child says, while the others rest. */
static void fork_and_hear(struct api_child *child, dusk_thread *thread,
                          bool right, uint64_t random)
{
  int ends[2];
  struct node *mine = make_list(thread, &random);
  ck_assert_int_eq(pipe(ends), 0);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    if (right)
      _exit(do_right(thread, mine, random));
    mode->mistake(thread);
    _exit(0);
  }
  dusk_blocking_begin(thread);
  __atomic_store_n(&paused, true, __ATOMIC_RELAXED);
  api_hear(child, pid, ends);
  __atomic_store_n(&paused, false, __ATOMIC_RELAXED);
  dusk_blocking_end(thread);
  verify_list(mine);
}

static void fork_children(dusk_thread *thread, const struct api_child *clean)
{
  struct api_child child;
  for (uint64_t i = 0; i < RIGHT_CHILDREN; i++) {
    fork_and_hear(&child, thread, true, i + 1);
    ck_assert_msg(child.exit_code == 0 && (mode->talks || !*child.text),
                  "%s: exit %d, %s", mode->debug, child.exit_code, child.text);
  }
  fork_and_hear(&child, thread, false, 99);
  ck_assert_msg(child.exit_code == clean->exit_code, "%s: exit %d, not %d: %s",
                mode->debug, child.exit_code, clean->exit_code, child.text);
  if (mode->told)
    ck_assert_msg(
        !strstr(child.text, mode->told) == !strstr(clean->text, mode->told),
        "%s: %s\ninstead of: %s", mode->debug, child.text, clean->text);
}

START_TEST(test_a_child_is_checked_like_its_parent)
{
  struct api_child clean;
  pthread_t writer, comer;
  char debug[128];
  mode = &modes[_i];
  list_max = LIST_SHORT;
  api_fork(&clean, make_mistake, NULL);
  snprintf(debug, sizeof debug, "%s,stress=50", mode->debug);
  open_heap_with(debug);
  dusk_thread *thread = api_attach(heap);
  writer = api_start(write_without_end, NULL);
  comer = api_start(come_and_go, NULL);
  fork_children(thread, &clean);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  dusk_blocking_begin(thread);
  pthread_join(writer, NULL);
  pthread_join(comer, NULL);
  dusk_blocking_end(thread);
  verify_table();
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("forkmodes");
  TCase *tests = api_case(suite, "forkmodes");
  if (THREADS_MAY_NOT_FOLLOW_A_FORK)
    return 77;
  tcase_add_loop_test(tests, test_a_child_is_checked_like_its_parent, 0, MODES);
  return api_run(suite);
}
