/* SPDX-License-Identifier: MIT */
/* root.c -- memory outside the heap that keeps objects alive
 *
 * <dusk/root.h>, and DUSK_ROOTS_DATA_SEGMENTS.  Objects are made on a thread
 * that ends, so that nothing but the root knows them. */
#include "cycle.h"

#include <sys/mman.h>

enum { OBJECTS = 1000 };

struct filling {
  dusk_heap *heap;
  void **slots;
  size_t count;
  size_t offset; /* added to each address */
};

static void *fill_body(void *argument)
{
  const struct filling *filling = argument;
  dusk_thread *thread = api_attach(filling->heap);
  for (size_t i = 0; i < filling->count; i++) {
    char *object = api_alloc(thread, DUSK_LEAF, 64);
    memset(object, (int)(i % 251), 64);
    dusk_store(thread, &filling->slots[i], object + filling->offset);
  }
  dusk_detach(thread);
  return NULL;
}

static void fill(dusk_heap *heap, void **slots, size_t count, size_t offset)
{
  struct filling filling = {heap, slots, count, offset};
  pthread_join(api_start(fill_body, &filling), NULL);
}

static void check_filled(void *const *slots, size_t count, size_t offset)
{
  for (size_t i = 0; i < count; i++) {
    const unsigned char *object = (unsigned char *)slots[i] - offset;
    api_check(object[0] == i % 251);
    api_check(object[63] == i % 251);
  }
}

/* Bad input */

START_TEST(a_bad_root_is_refused)
{
  static void *words[8];
  dusk_heap *heap = api_open();
  char *bytes = (char *)words;
  ck_assert_int_eq(dusk_root_add(NULL, words, sizeof(words)), EINVAL);
  ck_assert_int_eq(dusk_root_add(heap, NULL, sizeof(words)), EINVAL);
  ck_assert_int_eq(dusk_root_add(heap, words, 0), EINVAL);
  ck_assert_int_eq(dusk_root_add(heap, words, SIZE_MAX), EINVAL);
  ck_assert_int_eq(dusk_root_add(heap, words, SIZE_MAX - (uintptr_t)words + 2),
                   EINVAL);
  for (int i = 1; i < 8; i++)
    ck_assert_int_eq(dusk_root_add(heap, bytes + i, 32), EINVAL);
  ck_assert_int_eq(dusk_root_remove(heap, words), ENOENT);
  ck_assert_int_eq(dusk_root_remove(NULL, words), EINVAL);
  ck_assert_int_eq(dusk_root_remove(heap, NULL), EINVAL);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(a_root_is_added_once_and_removed_once)
{
  static void *words[8];
  dusk_heap *heap = api_open();
  ck_assert_int_eq(dusk_root_add(heap, words, sizeof(words)), 0);
  ck_assert_int_eq(dusk_root_add(heap, words, sizeof(words)), EEXIST);
  ck_assert_int_eq(dusk_root_add(heap, words, 8), EEXIST);
  ck_assert_int_eq(dusk_root_remove(heap, words + 1), ENOENT);
  ck_assert_int_eq(dusk_root_remove(heap, words), 0);
  ck_assert_int_eq(dusk_root_remove(heap, words), ENOENT);
  ck_assert_int_eq(dusk_root_add(heap, words, 8), 0);
  ck_assert_int_eq(dusk_root_remove(heap, words), 0);
  dusk_heap_close(heap);
}
END_TEST

/* The refused call must not have touched the root that was there. */
START_TEST(a_refused_root_changes_nothing)
{
  static void *slots[OBJECTS];
  dusk_heap *heap = api_open_manual();
  ck_assert_int_eq(dusk_root_add(heap, slots, sizeof(slots)), 0);
  ck_assert_int_eq(dusk_root_add(heap, slots, 8), EEXIST);
  fill(heap, slots, OBJECTS, 0);
  dusk_thread *thread = api_attach(heap);
  api_collect_all(thread);
  ck_assert_uint_ge(api_objects(heap), OBJECTS);
  check_filled(slots, OBJECTS, 0);
  api_close(heap, thread);
}
END_TEST

/* What a root keeps */

START_TEST(a_root_keeps_what_it_points_into)
{
  static const size_t offsets[] = {0, 1, 32, 63};
  static void *slots[OBJECTS];
  dusk_heap *heap = api_open_manual();
  ck_assert_int_eq(dusk_root_add(heap, slots, sizeof(slots)), 0);
  fill(heap, slots, OBJECTS, offsets[_i]);
  dusk_thread *thread = api_attach(heap);
  api_collect_all(thread);
  ck_assert_uint_eq(api_objects(heap), OBJECTS);
  check_filled(slots, OBJECTS, offsets[_i]);
  ck_assert_int_eq(dusk_root_remove(heap, slots), 0);
  api_collect_all(thread);
  ck_assert_uint_le(api_objects(heap), HANDFUL);
  api_close(heap, thread);
}
END_TEST

START_TEST(a_root_may_grow_and_shrink)
{
  static void *slots[OBJECTS];
  dusk_heap *heap = api_open_manual();
  ck_assert_int_eq(dusk_root_add(heap, slots, sizeof(slots)), 0);
  fill(heap, slots, OBJECTS, 0);
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_root_remove(heap, slots), 0);
  /* Half, and some bytes that are no whole word. */
  ck_assert_int_eq(dusk_root_add(heap, slots, sizeof(slots) / 2 + 7), 0);
  api_collect_all(thread);
  uint64_t left = api_objects(heap);
  ck_assert_uint_ge(left, OBJECTS / 2);
  ck_assert_uint_le(left, OBJECTS / 2 + HANDFUL);
  check_filled(slots, OBJECTS / 2, 0);
  api_close(heap, thread);
}
END_TEST

START_TEST(roots_may_overlap)
{
  static void *slots[OBJECTS];
  dusk_heap *heap = api_open_manual();
  ck_assert_int_eq(dusk_root_add(heap, slots, sizeof(slots)), 0);
  ck_assert_int_eq(dusk_root_add(heap, slots + OBJECTS / 2, sizeof(slots) / 2),
                   0);
  fill(heap, slots, OBJECTS, 0);
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_root_remove(heap, slots), 0);
  api_collect_all(thread);
  uint64_t left = api_objects(heap);
  ck_assert_uint_ge(left, OBJECTS / 2);
  ck_assert_uint_le(left, OBJECTS / 2 + HANDFUL);
  api_close(heap, thread);
}
END_TEST

START_TEST(there_may_be_many_roots)
{
  static void *slots[OBJECTS];
  dusk_heap *heap = api_open_manual();
  for (int i = 0; i < OBJECTS; i++)
    ck_assert_int_eq(dusk_root_add(heap, &slots[i * 7 % OBJECTS], 8), 0);
  fill(heap, slots, OBJECTS, 0);
  dusk_thread *thread = api_attach(heap);
  api_collect_all(thread);
  ck_assert_uint_ge(api_objects(heap), OBJECTS);
  for (int i = 0; i < OBJECTS; i += 2)
    ck_assert_int_eq(dusk_root_remove(heap, &slots[i]), 0);
  api_collect_all(thread);
  uint64_t left = api_objects(heap);
  ck_assert_uint_ge(left, OBJECTS / 2);
  ck_assert_uint_le(left, OBJECTS / 2 + HANDFUL);
  for (int i = 1; i < OBJECTS; i += 2)
    ck_assert_int_eq(dusk_root_remove(heap, &slots[i]), 0);
  api_collect_all(thread);
  ck_assert_uint_le(api_objects(heap), HANDFUL);
  api_close(heap, thread);
}
END_TEST

/* Roots and cycles */

/* A root that comes while a cycle stands keeps what it is given. */
START_TEST(a_root_added_in_a_cycle_counts)
{
  void **slots = calloc(OBJECTS, sizeof(void *));
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct hold hold;
  hold_begin(&hold, heap, thread, (enum hold_place)_i);
  ck_assert_int_eq(dusk_root_add(heap, slots, OBJECTS * sizeof(void *)), 0);
  fill(heap, slots, OBJECTS, 0);
  hold_end(&hold, thread);
  check_filled(slots, OBJECTS, 0);
  api_collect_all(thread);
  for (int i = 0; i < 4 * OBJECTS; i++)
    memset(api_alloc(thread, DUSK_LEAF, 64), 0xff, 64);
  check_filled(slots, OBJECTS, 0);
  ck_assert_int_eq(dusk_root_remove(heap, slots), 0);
  free(slots);
  api_close(heap, thread);
}
END_TEST

/* The memory is gone right after it was removed: a collector that still reads
 * it dies. */
static void *map_and_unmap(void *argument)
{
  dusk_heap *heap = argument;
  dusk_thread *thread = api_attach(heap);
  for (int round = 0; round < 300; round++) {
    size_t bytes = KIB(64) << round % 4;
    void **slots = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(slots, MAP_FAILED);
    ck_assert_int_eq(dusk_root_add(heap, slots, bytes), 0);
    for (size_t i = 0; i < bytes / sizeof(void *); i += 64) {
      uintptr_t *object = api_alloc(thread, DUSK_LEAF, 32);
      *object = (uintptr_t)object ^ i;
      dusk_store(thread, &slots[i], object);
    }
    for (size_t i = 0; i < bytes / sizeof(void *); i += 64) {
      uintptr_t *object = dusk_load(&slots[i]);
      api_check(*object == ((uintptr_t)object ^ i));
    }
    ck_assert_int_eq(dusk_root_remove(heap, slots), 0);
    munmap(slots, bytes);
  }
  dusk_detach(thread);
  return NULL;
}

START_TEST(roots_come_and_go_while_cycles_run)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct cycler cycler;
  cycler_start(&cycler, heap);
  pthread_t threads[3];
  dusk_blocking_begin(thread);
  for (int i = 0; i < 3; i++)
    threads[i] = api_start(map_and_unmap, heap);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  dusk_blocking_end(thread);
  cycler_stop(&cycler, thread);
  api_close(heap, thread);
}
END_TEST

/* Static data */

static void *in_bss[OBJECTS];
static void *in_data[OBJECTS] = {(void *)1};

START_TEST(data_segments_are_roots_if_asked)
{
  dusk_options options = api_options();
  options.gc_percent = -1;
  options.flags |= _i ? DUSK_ROOTS_DATA_SEGMENTS : 0;
  dusk_heap *heap = api_open_with(&options);
  fill(heap, in_bss, OBJECTS, 0);
  fill(heap, in_data, OBJECTS, 0);
  dusk_thread *thread = api_attach(heap);
  api_collect_all(thread);
  if (_i) {
    ck_assert_uint_ge(api_objects(heap), 2 * OBJECTS);
    check_filled(in_bss, OBJECTS, 0);
    check_filled(in_data, OBJECTS, 0);
  } else {
    ck_assert_uint_le(api_objects(heap), HANDFUL);
  }
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("root");
  TCase *input = api_case(suite, "input");
  tcase_add_test(input, a_bad_root_is_refused);
  tcase_add_test(input, a_root_is_added_once_and_removed_once);
  tcase_add_test(input, a_refused_root_changes_nothing);

  TCase *keeping = api_case(suite, "keeping");
  tcase_add_loop_test(keeping, a_root_keeps_what_it_points_into, 0, 4);
  tcase_add_test(keeping, a_root_may_grow_and_shrink);
  tcase_add_test(keeping, roots_may_overlap);
  tcase_add_test(keeping, there_may_be_many_roots);

  TCase *cycles = api_case(suite, "cycles");
  tcase_add_loop_test(cycles, a_root_added_in_a_cycle_counts, 0, HOLD_PLACES);
  tcase_add_test(cycles, roots_come_and_go_while_cycles_run);

  TCase *data = api_case(suite, "data segments");
  tcase_add_loop_test(data, data_segments_are_roots_if_asked, 0, 2);
  return api_run(suite);
}
