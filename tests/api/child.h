/* SPDX-License-Identifier: MIT */
/* child.h -- what the tests of fork share: a heap that several threads use in
 * every way, and a child that verifies all that it can reach
 *
 *   table (root) ---> lists of sealed nodes, some with a large object
 *
 * The child makes no use of Check, which is its parent's. */
#ifndef DUSK_TESTS_CHILD_H
#define DUSK_TESTS_CHILD_H

#include "api.h"

enum {
  SLOTS = 64,
  WRITERS = 3,
  LIST_MAX = 60,
  FORKS = 40, /* of each test */
  LARGE_WORDS = 5000,
};

struct node {
  uint64_t seal; /* of its address and number */
  uint64_t number;
  struct node *next;
  uint64_t *large; /* LARGE_WORDS times the number, or NULL */
};

static void *table[SLOTS];
static dusk_kind node_kind;
static dusk_heap *heap;
static bool stop;
static bool
    paused; /* what the others do is of no use until the child is gone */
static unsigned list_max = LIST_MAX; /* a test that forks often makes less */

/* ---- what both sides do ---- */

static inline uint64_t seal_of(const struct node *node)
{
  return ((uint64_t)(uintptr_t)node ^ node->number) *
         UINT64_C(0x9e3779b97f4a7c15);
}

/* In the child nothing else may report. */
#define require(condition)                                                     \
  do {                                                                         \
    if (!(condition))                                                          \
      give_up(__LINE__, #condition);                                           \
  } while (0)

static inline __attribute__((noreturn)) void give_up(int line, const char *what)
{
  char text[256];
  int length =
      snprintf(text, sizeof text, "child, line %d: not so: %s\n", line, what);
  ssize_t wrote = write(STDERR_FILENO, text, (size_t)length);
  (void)wrote;
  abort();
}

static inline struct node *make_node(dusk_thread *thread, uint64_t number,
                                     struct node *next)
{
  struct node *node = dusk_new(thread, node_kind);
  require(node != NULL);
  require(node->seal == 0 && node->number == 0 && !node->next && !node->large);
  node->number = number;
  node->seal = seal_of(node);
  dusk_init(thread, &node->next, next);
  if (number % 61 == 0) {
    uint64_t *large = dusk_alloc(thread, DUSK_LEAF, LARGE_WORDS * 8);
    require(large != NULL);
    for (size_t i = 0; i < LARGE_WORDS; i++)
      large[i] = number;
    dusk_store(thread, &node->large, large);
  }
  return node;
}

static inline struct node *make_list(dusk_thread *thread, uint64_t *random)
{
  struct node *list = NULL;
  unsigned length = 1 + (unsigned)(api_random(random) % list_max);
  while (length--)
    list = make_node(thread, api_random(random) >> 8, list);
  return list;
}

static inline void verify_list(const struct node *list)
{
  for (; list; list = list->next) {
    require(list->seal == seal_of(list));
    if (list->large)
      for (size_t i = 0; i < LARGE_WORDS; i += 64)
        require(list->large[i] == list->number);
  }
}

static inline void verify_table(void)
{
  for (size_t i = 0; i < SLOTS; i++)
    verify_list(dusk_load(&table[i]));
}

/* Replaces one list of [from, from + count). */
static inline void write_table(dusk_thread *thread, uint64_t *random,
                               size_t from, size_t count)
{
  size_t slot = from + api_random(random) % count;
  dusk_store(thread, &table[slot], make_list(thread, random));
}

/* ---- the parent's other threads ---- */

static inline bool is_over(void)
{
  return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* Not in the heap. */
static inline void rest(void)
{
  while (__atomic_load_n(&paused, __ATOMIC_RELAXED) && !is_over())
    api_sleep_us(200);
}

static inline void rest_in(dusk_thread *thread)
{
  if (__atomic_load_n(&paused, __ATOMIC_RELAXED)) {
    dusk_blocking_begin(thread);
    rest();
    dusk_blocking_end(thread);
  }
}

static inline void *write_without_end(void *argument)
{
  size_t writer = (size_t)(uintptr_t)argument;
  uint64_t random = 77 + writer;
  dusk_thread *thread = api_attach(heap);
  while (!is_over()) {
    write_table(thread, &random, writer * SLOTS / WRITERS, SLOTS / WRITERS);
    rest_in(thread);
  }
  dusk_detach(thread);
  return NULL;
}

static inline void *come_and_go(void *argument)
{
  uint64_t random = 5;
  (void)argument;
  while (!is_over()) {
    dusk_thread *thread = api_attach(heap);
    verify_list(make_list(thread, &random));
    dusk_blocking_begin(thread);
    dusk_blocking_end(thread);
    dusk_detach(thread);
    rest();
  }
  return NULL;
}

static inline void *collect_without_end(void *argument)
{
  dusk_thread *thread = api_attach(heap);
  (void)argument;
  while (!is_over()) {
    dusk_release_memory(thread);
    rest_in(thread);
  }
  dusk_detach(thread);
  return NULL;
}

struct others {
  pthread_t threads[WRITERS + 2];
};

static inline void start_others(struct others *others)
{
  for (size_t i = 0; i < WRITERS; i++)
    others->threads[i] = api_start(write_without_end, (void *)(uintptr_t)i);
  others->threads[WRITERS] = api_start(come_and_go, NULL);
  others->threads[WRITERS + 1] = api_start(collect_without_end, NULL);
}

static inline void stop_others(struct others *others)
{
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  for (size_t i = 0; i < WRITERS + 2; i++)
    pthread_join(others->threads[i], NULL);
}

static inline void open_heap_with(const char *debug)
{
  static const uint64_t pointers = 1 << 2 | 1 << 3;
  dusk_options options = DUSK_OPTIONS_INIT;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  setenv("DUSK_DEBUG", debug, 1);
  options.gc_percent = 50;
  heap = api_open_with(&options);
  spec.size = sizeof(struct node);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &node_kind), 0);
  ck_assert_int_eq(dusk_root_add(heap, table, sizeof table), 0);
}

static inline void open_heap(void)
{
  open_heap_with("stress=1");
}

/* ---- the child ---- */

static inline void require_identities(void)
{
  dusk_memstats stats;
  uint64_t mallocs = 0, frees = 0;
  dusk_read_memstats(heap, &stats);
  require(stats.heap_objects == stats.mallocs - stats.frees);
  require(stats.heap_alloc <= stats.total_alloc);
  require(stats.heap_idle + stats.heap_inuse == stats.heap_sys);
  require(stats.heap_released <= stats.heap_idle);
  require(stats.heap_alloc <= stats.heap_inuse);
  for (size_t i = 0; i < DUSK_SIZE_CLASSES; i++) {
    require(stats.by_size[i].mallocs >= stats.by_size[i].frees);
    mallocs += stats.by_size[i].mallocs;
    frees += stats.by_size[i].frees;
  }
  require(mallocs <= stats.mallocs && frees <= stats.frees);
}

static inline void *use_in_thread(void *argument)
{
  dusk_thread *thread;
  uint64_t random = (uint64_t)(uintptr_t)argument;
  require(dusk_attach(heap, &thread) == 0);
  for (int i = 0; i < 20; i++)
    write_table(thread, &random, 0, SLOTS);
  dusk_collect(thread);
  dusk_detach(thread);
  return NULL;
}

static inline void use_other_heap(void)
{
  dusk_heap *other;
  dusk_thread *thread;
  require(dusk_heap_open(NULL, &other) == 0);
  require(dusk_attach(other, &thread) == 0);
  require(dusk_alloc(thread, DUSK_LEAF, 100) != NULL);
  dusk_collect(thread);
  dusk_detach(thread);
  dusk_heap_close(other);
}

/* With the only thread that there is, in the heap. */
static inline void use_heap(dusk_thread *thread, uint64_t random)
{
  pthread_t threads[2];
  dusk_memstats before, after;
  require_identities();
  verify_table();
  dusk_read_memstats(heap, &before);
  for (int i = 0; i < 3; i++) {
    for (int k = 0; k < 20; k++)
      write_table(thread, &random, 0, SLOTS);
    dusk_collect(thread);
    verify_table();
    require_identities();
  }
  dusk_read_memstats(heap, &after);
  require(after.num_gc >= before.num_gc + 3);
  require(after.mallocs >= before.mallocs && after.frees >= before.frees);
  for (size_t i = 0; i < 2; i++)
    require(pthread_create(&threads[i], NULL, use_in_thread,
                           (void *)(uintptr_t)(random + i)) == 0);
  dusk_blocking_begin(thread);
  for (size_t i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  dusk_blocking_end(thread);
  verify_table();
}

/* When nothing is reachable nothing is left, but for a stack's stale words. */
static inline void let_go_of_all(dusk_thread *thread)
{
  dusk_memstats stats;
  for (size_t i = 0; i < SLOTS; i++)
    dusk_store(thread, &table[i], NULL);
  api_collect_all(thread);
  dusk_collect(thread);
  dusk_read_memstats(heap, &stats);
  require(stats.heap_objects < LIST_MAX * 20);
  require_identities();
}

static inline void await_success(pid_t pid)
{
  int status;
  require(waitpid(pid, &status, 0) == pid);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The child's whole life; the thread is attached and in the heap, or NULL. */
static inline __attribute__((noreturn)) void live(dusk_thread *thread,
                                                  uint64_t random)
{
  if (!thread)
    require(dusk_attach(heap, &thread) == 0);
  use_heap(thread, random);
  if (random % 4 == 0) {
    pid_t pid = fork();
    require(pid >= 0);
    if (pid > 0)
      await_success(pid);
    else
      use_heap(thread, random + 1);
  }
  use_other_heap();
  let_go_of_all(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  exit(0); /* not _exit(): what was run is counted then, where it is */
}

static inline void await_child(pid_t pid)
{
  int status;
  ck_assert_int_gt(pid, 0);
  __atomic_store_n(&paused, true, __ATOMIC_RELAXED);
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  __atomic_store_n(&paused, false, __ATOMIC_RELAXED);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                "the child's status is %#x", (unsigned)status);
}

/* Some other moment each time. */
static inline void wait_a_little(uint64_t *random)
{
  api_sleep_us((unsigned)(api_random(random) % 2000));
}

#endif
