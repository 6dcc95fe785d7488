/* SPDX-License-Identifier: MIT */
/* alloc.c -- objects of every size: where they are, what is in them, and
 * which sizes there are none of
 *
 * <dusk/alloc.h>, and the size classes that <dusk/abi.h> makes public. */
#include "api.h"

static bool is_zero(const unsigned char *bytes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (bytes[i])
      return false;
  return true;
}

static void check_new_object(dusk_heap *heap, unsigned char *object,
                             size_t bytes)
{
  ck_assert_msg(object != NULL, "no object of %zu bytes", bytes);
  ck_assert_uint_eq((uintptr_t)object % 16, 0);
  size_t usable = dusk_size_of(heap, object);
  ck_assert_msg(usable >= bytes, "%zu of %zu bytes", usable, bytes);
  ck_assert_ptr_eq(dusk_base_of(heap, object), object);
  ck_assert_ptr_eq(dusk_base_of(heap, object + usable / 2), object);
  ck_assert_ptr_eq(dusk_base_of(heap, object + usable - 1), object);
  ck_assert_ptr_ne(dusk_base_of(heap, object + usable), object);
  ck_assert_uint_eq(dusk_size_of(heap, object + 1), 0);
  ck_assert_msg(is_zero(object, usable), "%zu bytes, not zero", bytes);
}

/* Sizes */

START_TEST(a_size_class_holds_its_sizes)
{
  for (size_t bytes = 0; bytes <= DUSK_SMALL_MAX; bytes++) {
    unsigned size_class = dusk_size_class(bytes);
    size_t size = dusk_round_size(bytes);
    ck_assert_uint_lt(size_class, DUSK_SIZE_CLASSES);
    ck_assert_uint_eq(dusk_class_size(size_class), size);
    ck_assert_uint_ge(size, bytes);
    ck_assert_uint_eq(size % 16, 0);
    if (bytes >= 128)
      ck_assert_uint_le((size - bytes) * 8, size); /* lost inside: 12.5 % */
    if (size_class > 0)
      ck_assert_uint_lt(dusk_class_size(size_class - 1), bytes);
  }
}
END_TEST

/* All small sizes at once, each filled to its end: none overlaps another. */
START_TEST(small_objects_are_apart)
{
  enum { SIZES = 4100 };
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  static const dusk_kind kinds[] = {DUSK_LEAF, DUSK_CONSERVATIVE};
  void **objects = api_alloc(thread, DUSK_CONSERVATIVE, SIZES * sizeof(void *));
  for (size_t bytes = 0; bytes < SIZES; bytes++) {
    unsigned char *object = dusk_alloc(thread, kinds[_i], bytes);
    check_new_object(heap, object, bytes);
    memset(object, (int)(bytes % 251), dusk_size_of(heap, object));
    dusk_store(thread, &objects[bytes], object);
  }
  dusk_collect(thread);
  for (size_t bytes = 0; bytes < SIZES; bytes++) {
    unsigned char *object = dusk_load(&objects[bytes]);
    size_t usable = dusk_size_of(heap, object);
    for (size_t i = 0; i < usable; i++)
      api_check(object[i] == bytes % 251);
  }
  api_close(heap, thread);
}
END_TEST

START_TEST(large_objects_are_apart)
{
  static const size_t sizes[] = {DUSK_SMALL_MAX - 1,
                                 DUSK_SMALL_MAX,
                                 DUSK_SMALL_MAX + 1,
                                 40959,
                                 40960,
                                 40961,
                                 100000,
                                 MIB(1) - 1,
                                 MIB(1),
                                 MIB(1) + 1,
                                 MIB(4),
                                 MIB(4) + 1,
                                 MIB(64) + 12345};
  enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  unsigned char *volatile objects[2 * SIZES];
  for (int i = 0; i < 2 * SIZES; i++) {
    size_t bytes = sizes[i % SIZES];
    unsigned char *object = dusk_alloc(thread, (dusk_kind)(i / SIZES), bytes);
    check_new_object(heap, object, bytes);
    memset(object, i + 1, bytes);
    objects[i] = object;
  }
  dusk_collect(thread);
  for (int i = 0; i < 2 * SIZES; i++)
    for (size_t byte = 0; byte < sizes[i % SIZES]; byte += 97)
      api_check(objects[i][byte] == i + 1);
  api_close(heap, thread);
}
END_TEST

START_TEST(constant_and_variable_sizes_are_the_same)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  volatile size_t bytes = 72;
  for (int i = 0; i < 10000; i++) {
    void *constant = dusk_alloc(thread, DUSK_LEAF, 72);
    void *variable = dusk_alloc(thread, DUSK_LEAF, bytes);
    ck_assert_ptr_ne(constant, variable);
    ck_assert_uint_eq(dusk_size_of(heap, constant), 80);
    ck_assert_uint_eq(dusk_size_of(heap, variable), 80);
  }
  api_close(heap, thread);
}
END_TEST

/* Zero */

static const size_t reused_sizes[] = {16,    48,    1000,   8192,
                                      32768, 50000, 3 << 20};

enum { REUSED_SIZES = sizeof(reused_sizes) / sizeof(reused_sizes[0]) };

/* Dirty memory comes back clean, from whole spans and from gaps in them. */
START_TEST(an_object_is_zero_wherever_it_comes_from)
{
  enum { KEPT = 200, ROUND_BYTES = 8 << 20 };
  size_t bytes = reused_sizes[_i];
  int per_round = (int)(ROUND_BYTES / bytes);
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  void **kept = api_alloc(thread, DUSK_CONSERVATIVE, KEPT * sizeof(void *));
  uint64_t random = 0x5eed;
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < per_round; i++) {
      unsigned char *object = api_alloc(thread, DUSK_LEAF, bytes);
      api_check(is_zero(object, bytes));
      memset(object, 0xd1, bytes);
      /* A few stay, so that the next round finds spans with gaps. */
      if (api_random(&random) % 8 == 0)
        dusk_store(thread, &kept[api_random(&random) % KEPT], object);
    }
    dusk_collect(thread);
  }
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  /* The memory was in fact used again. */
  ck_assert_uint_lt(stats.heap_sys, 5u * ROUND_BYTES + 2 * KEPT * bytes);
  api_close(heap, thread);
}
END_TEST

/* A kind's dirty memory serves another kind, and released memory anyone. */
START_TEST(an_object_is_zero_whatever_was_there_before)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  for (int round = 0; round < 12; round++) {
    size_t bytes = reused_sizes[round % REUSED_SIZES];
    for (size_t done = 0; done < MIB(8); done += bytes) {
      dusk_kind kind = round % 2 ? DUSK_LEAF : DUSK_CONSERVATIVE;
      unsigned char *object = api_alloc(thread, kind, bytes);
      api_check(is_zero(object, bytes));
      memset(object, 0xd2, bytes);
    }
    if (round % 3 == 2)
      dusk_release_memory(thread);
    else
      dusk_collect(thread);
  }
  api_close(heap, thread);
}
END_TEST

/* What there is none of */

START_TEST(an_absurd_size_is_no_memory_and_no_change)
{
  static const size_t sizes[] = {
      SIZE_MAX,         SIZE_MAX - 7,        SIZE_MAX - 4095, SIZE_MAX - 8191,
      SIZE_MAX / 2 + 1, (size_t)PTRDIFF_MAX, (size_t)1 << 47, MIB(64) + 1};
  dusk_options options = api_options();
  options.reserve_bytes = MIB(64);
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  unsigned char *object = api_alloc(thread, DUSK_LEAF, 100);
  memset(object, 9, 100);
  dusk_memstats before, after;
  dusk_collect(thread);
  dusk_read_memstats(heap, &before);
  for (dusk_kind kind = DUSK_LEAF; kind <= DUSK_CONSERVATIVE; kind++) {
    errno = 0;
    ck_assert_ptr_null(dusk_alloc(thread, kind, sizes[_i]));
    ck_assert_int_eq(errno, ENOMEM);
  }
  dusk_read_memstats(heap, &after);
  ck_assert_uint_eq(after.mallocs, before.mallocs);
  ck_assert_uint_eq(after.total_alloc, before.total_alloc);
  ck_assert_uint_eq(after.heap_sys, before.heap_sys);
  ck_assert_uint_eq(after.heap_inuse, before.heap_inuse);
  ck_assert_uint_eq(after.heap_objects, before.heap_objects);
  ck_assert_int_eq(object[99], 9);
  api_alloc(thread, DUSK_LEAF, MIB(4));
  api_close(heap, thread);
}
END_TEST

START_TEST(an_unknown_kind_is_refused)
{
  dusk_heap *heap = api_open();
  dusk_heap *other = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_kind foreign;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  ck_assert_int_eq(dusk_kind_define(other, &spec, &foreign), 0);
  const dusk_kind kinds[] = {foreign, DUSK_KINDS_MAX - 1, DUSK_KINDS_MAX,
                             UINT32_MAX};
  static const size_t sizes[] = {0, 16, DUSK_SMALL_MAX, 100000};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      errno = 0;
      ck_assert_ptr_null(dusk_alloc(thread, kinds[i], sizes[j]));
      ck_assert_int_eq(errno, EINVAL);
    }
  api_close(heap, thread);
  dusk_heap_close(other);
}
END_TEST

static char in_data[64];

START_TEST(what_is_no_object_has_no_size_and_no_base)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  char *object = api_alloc(thread, DUSK_LEAF, 64);
  char *large = api_alloc(thread, DUSK_LEAF, 100000);
  char on_stack[64];
  char *on_heap = malloc(64);
  const char *const strangers[] = {NULL,
                                   (char *)1,
                                   on_stack,
                                   on_heap,
                                   in_data,
                                   (char *)heap,
                                   (char *)thread,
                                   (char *)UINTPTR_MAX,
                                   object - MIB(512)};
  for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
    ck_assert_uint_eq(dusk_size_of(heap, strangers[i]), 0);
    ck_assert_ptr_null(dusk_base_of(heap, strangers[i]));
  }
  for (int i = 1; i < 64; i++)
    ck_assert_uint_eq(dusk_size_of(heap, object + i), 0);
  for (int i = 16; i < 100000; i += 16)
    ck_assert_uint_eq(dusk_size_of(heap, large + i), 0);
  ck_assert_uint_eq(dusk_size_of(NULL, object), 0);
  ck_assert_ptr_null(dusk_base_of(NULL, object));
  free(on_heap);
  api_close(heap, thread);
}
END_TEST

/* A reader asks about an object while its owner allocates and cycles run. */
struct asker {
  dusk_heap *heap;
  char *object;
  size_t usable;
  bool stop;
  bool wrong;
};

static void *ask(void *argument)
{
  struct asker *asker = argument;
  while (!__atomic_load_n(&asker->stop, __ATOMIC_RELAXED))
    for (size_t i = 0; i < asker->usable; i += 8)
      if (dusk_base_of(asker->heap, asker->object + i) != asker->object ||
          dusk_size_of(asker->heap, asker->object) != asker->usable)
        asker->wrong = true;
  return NULL;
}

START_TEST(any_thread_may_ask_at_any_time)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  char *object = api_alloc(thread, DUSK_LEAF, 200);
  struct asker asker = {
      .heap = heap, .object = object, .usable = dusk_size_of(heap, object)};
  pthread_t asking = api_start(ask, &asker);
  for (int i = 0; i < 20; i++) {
    for (int j = 0; j < 10000; j++)
      api_alloc(thread, DUSK_LEAF, 200);
    dusk_collect(thread);
  }
  __atomic_store_n(&asker.stop, true, __ATOMIC_RELAXED);
  pthread_join(asking, NULL);
  ck_assert(!asker.wrong);
  api_keep(object);
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("alloc");
  TCase *sizes = api_case(suite, "sizes");
  tcase_add_test(sizes, a_size_class_holds_its_sizes);
  tcase_add_loop_test(sizes, small_objects_are_apart, 0, 2);
  tcase_add_test(sizes, large_objects_are_apart);
  tcase_add_test(sizes, constant_and_variable_sizes_are_the_same);

  TCase *zero = api_case(suite, "zero");
  tcase_add_loop_test(zero, an_object_is_zero_wherever_it_comes_from, 0,
                      REUSED_SIZES);
  tcase_add_test(zero, an_object_is_zero_whatever_was_there_before);

  TCase *refused = api_case(suite, "refused");
  tcase_add_loop_test(refused, an_absurd_size_is_no_memory_and_no_change, 0, 8);
  tcase_add_test(refused, an_unknown_kind_is_refused);
  tcase_add_test(refused, what_is_no_object_has_no_size_and_no_base);
  tcase_add_test(refused, any_thread_may_ask_at_any_time);
  return api_run(suite);
}
