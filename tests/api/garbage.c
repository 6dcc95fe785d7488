/* SPDX-License-Identifier: MIT */
/* garbage.c -- garbage does not stay, and what is not garbage does
 *
 * Structures of every kind are made on threads that end, dropped, and
 * collected twice: nothing is left that a conservative stack could not
 * explain.  The threads' own stacks are gone, so that is next to nothing, and
 * a structure's size does not matter. */
#include "cycle.h"

enum { NODES = 20000 };

struct workshop {
  dusk_heap *heap;
  dusk_kind pair;   /* two words, both pointers, by layout */
  dusk_kind record; /* word 0 says how many pointers follow, by trace */
  void *root;       /* registered */
  void *spare;      /* registered */
};

static void trace_record(void *object, size_t bytes, dusk_tracer *tracer,
                         void *context)
{
  (void)context;
  uintptr_t count = __atomic_load_n((uintptr_t *)object, __ATOMIC_RELAXED);
  ck_assert_uint_le((count + 1) * sizeof(void *), bytes);
  for (uintptr_t i = 1; i <= count; i++)
    dusk_trace(tracer, (void *const *)object + i);
}

static void workshop_open(struct workshop *shop, int gc_percent)
{
  static const uint64_t both = 3;
  dusk_options options = api_options();
  options.gc_percent = gc_percent;
  *shop = (struct workshop){.heap = api_open_with(&options)};
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "pair";
  spec.size = 16;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &both;
  ck_assert_int_eq(dusk_kind_define(shop->heap, &spec, &shop->pair), 0);
  spec = (dusk_kind_spec)DUSK_KIND_INIT;
  spec.name = "record";
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = trace_record;
  ck_assert_int_eq(dusk_kind_define(shop->heap, &spec, &shop->record), 0);
  ck_assert_int_eq(dusk_root_add(shop->heap, &shop->root, 2 * sizeof(void *)),
                   0);
}

/* Structures */

static void *make_list(const struct workshop *shop, dusk_thread *thread)
{
  void **list = NULL;
  for (int i = 0; i < NODES; i++) {
    void **node = dusk_new(thread, shop->pair);
    dusk_init(thread, &node[0], list);
    dusk_init(thread, &node[1], node);
    list = node;
  }
  return list;
}

/* A ring in both directions: everything is reachable from everywhere. */
static void *make_ring(const struct workshop *shop, dusk_thread *thread)
{
  void **first = dusk_new(thread, shop->pair);
  void **last = first;
  for (int i = 1; i < NODES; i++) {
    void **node = dusk_new(thread, shop->pair);
    dusk_init(thread, &node[1], last);
    dusk_store(thread, &last[0], node);
    last = node;
  }
  dusk_store(thread, &last[0], first);
  dusk_store(thread, &first[1], last);
  return first;
}

static void *make_tree_below(const struct workshop *shop, dusk_thread *thread,
                             int depth)
{
  if (depth == 0)
    return NULL;
  void *left = make_tree_below(shop, thread, depth - 1);
  void *right = make_tree_below(shop, thread, depth - 1);
  uintptr_t *node = api_alloc(thread, shop->record, 3 * sizeof(void *));
  __atomic_store_n(&node[0], 2, __ATOMIC_RELAXED);
  dusk_init(thread, &node[1], left);
  dusk_init(thread, &node[2], right);
  return node;
}

static void *make_tree(const struct workshop *shop, dusk_thread *thread)
{
  return make_tree_below(shop, thread, 14);
}

/* Every size up to 300 KiB, of every kind, hanging from one large array. */
static void *make_mixture(const struct workshop *shop, dusk_thread *thread)
{
  enum { COUNT = 3000 };
  void **array = api_alloc(thread, DUSK_CONSERVATIVE, COUNT * sizeof(void *));
  uint64_t random = 4711;
  for (int i = 0; i < COUNT; i++) {
    const dusk_kind kinds[] = {DUSK_LEAF, DUSK_CONSERVATIVE, shop->record};
    size_t limit = i % 100 == 0 ? KIB(300) : i % 10 == 0 ? 8192 : 256;
    void **object =
        api_alloc(thread, kinds[i % 3], 16 + api_random(&random) % limit);
    if (i % 3 == 1)
      dusk_init(thread, &object[1], array);
    dusk_store(thread, &array[i], object);
  }
  return array;
}

typedef void *make(const struct workshop *shop, dusk_thread *thread);

static make *const makers[] = {make_list, make_ring, make_tree, make_mixture};
static const uint64_t made_objects[] = {NODES, NODES, (1 << 14) - 1, 3001};

enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

struct job {
  struct workshop *shop;
  int maker;
};

static void *make_body(void *argument)
{
  const struct job *job = argument;
  dusk_thread *thread = api_attach(job->shop->heap);
  dusk_store(thread, &job->shop->root, makers[job->maker](job->shop, thread));
  dusk_detach(thread);
  return NULL;
}

static void make_on_a_thread(struct workshop *shop, int maker)
{
  struct job job = {shop, maker};
  pthread_join(api_start(make_body, &job), NULL);
}

/* Tests */

START_TEST(a_dropped_structure_is_free)
{
  struct workshop shop;
  workshop_open(&shop, -1);
  make_on_a_thread(&shop, _i);
  dusk_thread *thread = api_attach(shop.heap);
  api_collect_all(thread);
  ck_assert_uint_eq(api_objects(shop.heap), made_objects[_i]);
  dusk_store(thread, &shop.root, NULL);
  api_collect_all(thread);
  dusk_memstats stats;
  dusk_read_memstats(shop.heap, &stats);
  ck_assert_uint_le(stats.heap_objects, HANDFUL);
  ck_assert_uint_le(stats.heap_alloc, MIB(1));
  ck_assert_uint_le(stats.heap_inuse, MIB(1)); /* empty spans went back */
  ck_assert_uint_ge(stats.heap_idle, stats.heap_sys - MIB(1));
  api_close(shop.heap, thread);
}
END_TEST

/* Dropped in the middle of a cycle: that one may keep it, the next may not. */
START_TEST(what_is_dropped_in_a_cycle_goes_with_the_next)
{
  struct workshop shop;
  workshop_open(&shop, -1);
  make_on_a_thread(&shop, _i % MAKERS);
  dusk_thread *thread = api_attach(shop.heap);
  struct hold hold;
  hold_begin(&hold, shop.heap, thread, (enum hold_place)(1 + _i / MAKERS));
  dusk_store(thread, &shop.root, NULL);
  hold_end(&hold, thread);
  api_scrub_stack();
  dusk_collect(thread);
  ck_assert_uint_le(api_objects(shop.heap), HANDFUL);
  api_close(shop.heap, thread);
}
END_TEST

/* All on one thread, with its own stack and registers to explain. */
static __attribute__((noinline)) void make_leaves(dusk_thread *thread)
{
  void *volatile last[100];
  for (int i = 0; i < 100 * NODES; i++)
    last[i % 100] = api_alloc(thread, DUSK_LEAF, 32);
  api_keep(last[99]);
}

START_TEST(a_stack_explains_a_handful)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  make_leaves(thread);
  api_collect_all(thread);
  ck_assert_uint_le(api_objects(heap), HANDFUL);
  api_close(heap, thread);
}
END_TEST

/* Half of them go, the other half must not notice. */
static void *make_sealed(void *argument)
{
  const struct workshop *shop = argument;
  dusk_thread *thread = api_attach(shop->heap);
  for (int i = 0; i < NODES; i++) {
    uintptr_t *object = api_alloc(thread, DUSK_LEAF, 16 + (size_t)i % 500);
    object[0] = (uintptr_t)object ^ (uintptr_t)i;
    dusk_store(thread, (void **)shop->root + i, object);
  }
  dusk_detach(thread);
  return NULL;
}

START_TEST(every_second_object_stays)
{
  struct workshop shop;
  workshop_open(&shop, -1);
  dusk_thread *thread = api_attach(shop.heap);
  void **index = api_alloc(thread, DUSK_CONSERVATIVE, NODES * sizeof(void *));
  dusk_store(thread, &shop.root, index);
  dusk_blocking_begin(thread);
  pthread_join(api_start(make_sealed, &shop), NULL);
  dusk_blocking_end(thread);
  for (int i = 0; i < NODES; i += 2)
    dusk_store(thread, &index[i], NULL);
  api_collect_all(thread);
  uint64_t left = api_objects(shop.heap);
  ck_assert_uint_ge(left, NODES / 2 + 1);
  ck_assert_uint_le(left, NODES / 2 + 1 + HANDFUL);
  for (int i = 0; i < NODES; i++)
    memset(api_alloc(thread, DUSK_LEAF, 16 + (size_t)i % 500), 0xff, 16);
  for (int i = 1; i < NODES; i += 2) {
    const uintptr_t *object = dusk_load(&index[i]);
    ck_assert_uint_eq(object[0], (uintptr_t)object ^ (uintptr_t)i);
  }
  api_close(shop.heap, thread);
}
END_TEST

/* Nothing leaks from round to round, of the heap or of what describes it. */
START_TEST(rounds_of_garbage_need_no_more_memory)
{
  enum { ROUNDS = 40, EARLY = 8 };
  struct workshop shop;
  workshop_open(&shop, 100);
  dusk_memstats early = {0}, late = {0};
  for (int round = 0; round < ROUNDS; round++) {
    make_on_a_thread(&shop, round % MAKERS);
    dusk_thread *thread = api_attach(shop.heap);
    dusk_store(thread, &shop.root, NULL);
    api_collect_all(thread);
    dusk_read_memstats(shop.heap, round < EARLY ? &early : &late);
    dusk_detach(thread);
  }
  ck_assert_uint_le(late.heap_sys, early.heap_sys * 5 / 4);
  ck_assert_uint_le(late.heap_inuse, MIB(1));
  ck_assert_uint_le(late.mspan_sys, early.mspan_sys * 5 / 4);
  ck_assert_uint_le(late.gc_sys, early.gc_sys * 5 / 4);
  ck_assert_uint_le(late.other_sys, early.other_sys * 5 / 4);
  dusk_heap_close(shop.heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("garbage");
  TCase *goes = api_case(suite, "goes");
  tcase_add_loop_test(goes, a_dropped_structure_is_free, 0, MAKERS);
  tcase_add_loop_test(goes, what_is_dropped_in_a_cycle_goes_with_the_next, 0,
                      (HOLD_PLACES - 1) * MAKERS);
  tcase_add_test(goes, a_stack_explains_a_handful);

  TCase *stays = api_case(suite, "stays");
  tcase_add_test(stays, every_second_object_stays);
  tcase_add_test(stays, rounds_of_garbage_need_no_more_memory);
  return api_run(suite);
}
