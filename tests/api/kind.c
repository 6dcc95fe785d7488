/* SPDX-License-Identifier: MIT */
/* kind.c -- what each kind of object keeps alive, and what is no kind
 *
 * <dusk/kind.h>.  Whether an object is kept is asked by counting: a holder
 * refers to LEAVES leaf objects, with pointers that its kind names or with
 * words that it does not.  The leaves hang from nothing else, and are made on
 * a thread that ends, so that no stack remembers them. */
#include "api.h"

enum { LEAVES = 3000 };

/* Bad input */

static bool trace_nothing_called;

static void trace_nothing(void *object, size_t bytes, dusk_tracer *tracer,
                          void *context)
{
  (void)object, (void)bytes, (void)tracer, (void)context;
  __atomic_store_n(&trace_nothing_called, true, __ATOMIC_RELAXED);
}

static uint64_t words_bitmap[MIB(1) / 8 + 1];

struct bad_spec {
  const char *what;
  dusk_kind_spec spec;
};

#define SPEC(...)                                                              \
  {                                                                            \
    .struct_size = sizeof(dusk_kind_spec), __VA_ARGS__                         \
  }

static const uint64_t bit_3 = 8;
static const uint64_t bit_2 = 4;

static const struct bad_spec bad_specs[] = {
    {"struct_size 0", {.struct_size = 0}},
    {"struct_size 1", {.struct_size = 1}},
    {"struct_size too large", {.struct_size = sizeof(dusk_kind_spec) + 1}},
    {"scan", SPEC(.scan = (dusk_scan)4)},
    {"scan below", SPEC(.scan = (dusk_scan)-1)},
    {"no bitmap", SPEC(.scan = DUSK_SCAN_LAYOUT, .size = 32)},
    {"any size, no period", SPEC(.scan = DUSK_SCAN_LAYOUT, .pointers = &bit_2)},
    {"bit beyond", SPEC(.scan = DUSK_SCAN_LAYOUT, .size = 24,
                        .pointers = &bit_3, .period = 4)},
    {"bit half beyond", SPEC(.scan = DUSK_SCAN_LAYOUT, .size = 20,
                             .pointers = &bit_2, .period = 3)},
    {"large size", SPEC(.scan = DUSK_SCAN_LAYOUT, .size = MIB(1) + 8,
                        .pointers = words_bitmap)},
    {"large bitmap", SPEC(.scan = DUSK_SCAN_LAYOUT, .pointers = words_bitmap,
                          .period = MIB(8) + 1)},
    {"no callback", SPEC(.scan = DUSK_SCAN_TRACE)},
};

enum { BAD_SPECS = sizeof(bad_specs) / sizeof(bad_specs[0]) };

START_TEST(a_bad_spec_is_refused)
{
  dusk_heap *heap = api_open();
  dusk_kind kind = 12345;
  int error = dusk_kind_define(heap, &bad_specs[_i].spec, &kind);
  ck_assert_msg(error == EINVAL, "%s: %d", bad_specs[_i].what, error);
  ck_assert_uint_eq(kind, 12345);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(null_arguments_are_refused)
{
  dusk_heap *heap = api_open();
  dusk_kind kind = 12345;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  ck_assert_int_eq(dusk_kind_define(NULL, &spec, &kind), EINVAL);
  ck_assert_int_eq(dusk_kind_define(heap, NULL, &kind), EINVAL);
  ck_assert_int_eq(dusk_kind_define(heap, &spec, NULL), EINVAL);
  ck_assert_uint_eq(kind, 12345);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(a_heap_has_so_many_kinds_and_no_more)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.size = 40;
  bool seen[DUSK_KINDS_MAX] = {true, true};
  dusk_kind kind = 0;
  for (int i = 2; i < DUSK_KINDS_MAX; i++) {
    ck_assert_int_eq(dusk_kind_define(heap, &spec, &kind), 0);
    ck_assert_uint_lt(kind, DUSK_KINDS_MAX);
    ck_assert(!seen[kind]);
    seen[kind] = true;
    ck_assert_ptr_nonnull(dusk_new(thread, kind));
  }
  dusk_kind last = kind;
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &kind), ENOSPC);
  ck_assert_uint_eq(kind, last);
  dusk_collect(thread);
  ck_assert_uint_ge(dusk_size_of(heap, dusk_new(thread, last)), 40);
  api_close(heap, thread);
}
END_TEST

/* Sizes */

START_TEST(objects_of_a_fixed_size_have_it)
{
  static const size_t sizes[] = {1,    8,     16,    24,     40,     1000,
                                 8192, 32768, 32769, 100000, 3000000};
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.size = sizes[_i];
  spec.scan = DUSK_SCAN_CONSERVATIVE;
  dusk_kind kind;
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &kind), 0);
  for (int i = 0; i < 20; i++) {
    unsigned char *object =
        i % 2 ? dusk_new(thread, kind) : dusk_alloc(thread, kind, spec.size);
    ck_assert_ptr_nonnull(object);
    ck_assert_uint_eq((uintptr_t)object % 16, 0);
    ck_assert_uint_ge(dusk_size_of(heap, object), spec.size);
    ck_assert_uint_eq(object[0], 0);
    ck_assert_uint_eq(object[spec.size - 1], 0);
    memset(object, 0xee, spec.size);
  }
  /* Twice over: the second call finds what the first one set up. */
  for (int i = 0; i < 2; i++) {
    errno = 0;
    ck_assert_ptr_null(dusk_alloc(thread, kind, 2 * spec.size + 16));
    ck_assert_int_eq(errno, EINVAL);
  }
  api_close(heap, thread);
}
END_TEST

START_TEST(new_needs_a_fixed_size)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  static const dusk_kind kinds[] = {
      DUSK_LEAF,          DUSK_CONSERVATIVE, 2,
      DUSK_KINDS_MAX - 1, DUSK_KINDS_MAX,    UINT32_MAX};
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    errno = 0;
    ck_assert_ptr_null(dusk_new(thread, kinds[i]));
    ck_assert_int_eq(errno, EINVAL);
  }
  api_close(heap, thread);
}
END_TEST

/* What is kept */

struct holding {
  dusk_heap *heap;
  dusk_kind kind;
  size_t words;             /* of one holder */
  bool (*refers)(size_t i); /* its word i takes an address */
  bool hidden;              /* ... which its kind does not name */
  size_t offset;            /* added to the address of a leaf */
  void *root;               /* registered: a chain of holders */
  unsigned leaves;
};

/* Holders hang from one conservative object.  Every leaf is in one word. */
static void *fill_holders(void *argument)
{
  struct holding *holding = argument;
  dusk_thread *thread = api_attach(holding->heap);
  size_t count = LEAVES;
  void **index = api_alloc(thread, DUSK_CONSERVATIVE, count * sizeof(void *));
  dusk_store(thread, &holding->root, index);
  while (holding->leaves < LEAVES) {
    void **holder =
        api_alloc(thread, holding->kind, holding->words * sizeof(void *));
    dusk_store(thread, index++, holder);
    for (size_t i = 0; i < holding->words; i++)
      if (holding->refers(i)) {
        char *leaf = api_alloc(thread, DUSK_LEAF, 48);
        dusk_store(thread, &holder[i], leaf + holding->offset);
        holding->leaves++;
      }
  }
  dusk_detach(thread);
  return NULL;
}

static void check_holding(struct holding *holding)
{
  ck_assert_int_eq(
      dusk_root_add(holding->heap, &holding->root, sizeof(holding->root)), 0);
  pthread_join(api_start(fill_holders, holding), NULL);
  dusk_thread *thread = api_attach(holding->heap);
  dusk_memstats before, after;
  dusk_read_memstats(holding->heap, &before);
  api_collect_all(thread);
  dusk_read_memstats(holding->heap, &after);
  uint64_t lost = before.heap_objects - after.heap_objects;
  if (holding->hidden)
    ck_assert_uint_ge(lost + HANDFUL, holding->leaves);
  else
    ck_assert_uint_eq(lost, 0);
  ck_assert_int_eq(dusk_root_remove(holding->heap, &holding->root), 0);
  holding->root = NULL;
  api_close(holding->heap, thread);
}

static bool every_word(size_t i)
{
  (void)i;
  return true;
}

static bool word_1_of_3(size_t i)
{
  return i % 3 == 1;
}

static bool not_word_1_of_3(size_t i)
{
  return i % 3 != 1;
}

static bool words_2_and_5(size_t i)
{
  return i == 2 || i == 5;
}

static bool not_words_2_and_5(size_t i)
{
  return i != 2 && i != 5;
}

static bool word_70(size_t i)
{
  return i == 70;
}

static bool not_word_70(size_t i)
{
  return i != 70;
}

START_TEST(a_leaf_keeps_nothing)
{
  struct holding holding = {.heap = api_open_manual(),
                            .kind = DUSK_LEAF,
                            .words = 10,
                            .refers = every_word,
                            .hidden = true};
  check_holding(&holding);
}
END_TEST

START_TEST(a_conservative_object_keeps_all_it_points_into)
{
  static const size_t offsets[] = {0, 1, 16, 47};
  struct holding holding = {.heap = api_open_manual(),
                            .kind = DUSK_CONSERVATIVE,
                            .words = 10,
                            .refers = every_word,
                            .offset = offsets[_i]};
  check_holding(&holding);
}
END_TEST

/* A layout, tried with pointers in the words that it names, or in the others.
 * The bitmap is the library's own copy: this one is overwritten. */
static void check_layout(size_t size, const uint64_t *bits, size_t period,
                         size_t words, bool (*refers)(size_t), bool hidden)
{
  struct holding holding = {.heap = api_open_manual(),
                            .words = words,
                            .refers = refers,
                            .hidden = hidden};
  uint64_t bitmap[2] = {bits[0], bits[1]};
  char name[] = "layout";
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = name;
  spec.size = size;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = bitmap;
  spec.period = period;
  ck_assert_int_eq(dusk_kind_define(holding.heap, &spec, &holding.kind), 0);
  memset(bitmap, hidden ? 0xff : 0, sizeof(bitmap));
  memset(name, 0, sizeof(name));
  check_holding(&holding);
}

struct layout {
  size_t size;
  uint64_t bits[2];
  size_t period;
  size_t words; /* of the object made */
  bool (*named)(size_t);
  bool (*others)(size_t);
};

static const struct layout layouts[] = {
    {64, {0x24, 0}, 0, 8, words_2_and_5, not_words_2_and_5},
    /* The bitmap covers six words, the object has eight. */
    {64, {0x24, 0}, 6, 8, words_2_and_5, not_words_2_and_5},
    {600, {0, 1 << 6}, 0, 75, word_70, not_word_70},
    /* Of any size: whole periods, and one cut off in the middle. */
    {0, {2, 0}, 3, 30, word_1_of_3, not_word_1_of_3},
    {0, {2, 0}, 3, 32, word_1_of_3, not_word_1_of_3},
    {0, {2, 0}, 3, 2000, word_1_of_3, not_word_1_of_3},
    /* Large objects; the second is read in pieces. */
    {0, {2, 0}, 3, 5000, word_1_of_3, not_word_1_of_3},
    {0, {2, 0}, 3, 70000, word_1_of_3, not_word_1_of_3},
};

enum { LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };

START_TEST(a_layout_keeps_what_it_names)
{
  const struct layout *layout = &layouts[_i];
  check_layout(layout->size, layout->bits, layout->period, layout->words,
               layout->named, false);
}
END_TEST

START_TEST(a_layout_keeps_nothing_else)
{
  const struct layout *layout = &layouts[_i];
  check_layout(layout->size, layout->bits, layout->period, layout->words,
               layout->others, true);
}
END_TEST

struct traced {
  size_t words;
  unsigned calls;
  bool bad_size;
};

static void trace_word_1_of_3(void *object, size_t bytes, dusk_tracer *tracer,
                              void *context)
{
  struct traced *traced = context;
  __atomic_fetch_add(&traced->calls, 1, __ATOMIC_RELAXED);
  if (bytes < traced->words * sizeof(void *))
    __atomic_store_n(&traced->bad_size, true, __ATOMIC_RELAXED);
  for (size_t i = 1; i < traced->words; i += 3)
    dusk_trace(tracer, (void *const *)object + i);
}

START_TEST(a_trace_callback_says_what_is_kept)
{
  struct traced traced = {.words = 31};
  struct holding holding = {.heap = api_open_manual(),
                            .words = traced.words,
                            .refers = _i ? not_word_1_of_3 : word_1_of_3,
                            .hidden = _i};
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = trace_word_1_of_3;
  spec.context = &traced;
  ck_assert_int_eq(dusk_kind_define(holding.heap, &spec, &holding.kind), 0);
  check_holding(&holding);
  ck_assert_uint_ge(traced.calls, LEAVES / traced.words);
  ck_assert(!traced.bad_size);
}
END_TEST

/* A slot may be NULL, and an object still all zero. */
START_TEST(empty_objects_are_traced)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct traced traced = {.words = 4};
  dusk_kind kinds[2];
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_TRACE;
  spec.size = 32;
  spec.trace = trace_word_1_of_3;
  spec.context = &traced;
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &kinds[0]), 0);
  spec.trace = trace_nothing;
  ck_assert_int_eq(dusk_kind_define(heap, &spec, &kinds[1]), 0);
  void *volatile empty[2];
  for (int i = 0; i < 2; i++)
    empty[i] = dusk_new(thread, kinds[i]);
  dusk_collect(thread);
  ck_assert_uint_eq(dusk_size_of(heap, empty[0]), 32);
  ck_assert_uint_eq(dusk_size_of(heap, empty[1]), 32);
  ck_assert_uint_ge(traced.calls, 1);
  ck_assert(trace_nothing_called);
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("kind");
  TCase *input = api_case(suite, "input");
  tcase_add_loop_test(input, a_bad_spec_is_refused, 0, BAD_SPECS);
  tcase_add_test(input, null_arguments_are_refused);
  tcase_add_test(input, a_heap_has_so_many_kinds_and_no_more);
  tcase_add_loop_test(input, objects_of_a_fixed_size_have_it, 0, 11);
  tcase_add_test(input, new_needs_a_fixed_size);

  TCase *kept = api_case(suite, "kept");
  tcase_add_test(kept, a_leaf_keeps_nothing);
  tcase_add_loop_test(kept, a_conservative_object_keeps_all_it_points_into, 0,
                      4);
  tcase_add_loop_test(kept, a_layout_keeps_what_it_names, 0, LAYOUTS);
  tcase_add_loop_test(kept, a_layout_keeps_nothing_else, 0, LAYOUTS);
  tcase_add_loop_test(kept, a_trace_callback_says_what_is_kept, 0, 2);
  tcase_add_test(kept, empty_objects_are_traced);
  return api_run(suite);
}
