/* SPDX-License-Identifier: MIT */
/* heap.c -- opening and closing heaps: options, environment, bad input
 *
 * <dusk/heap.h>.  What a heap says on stderr is read from a child process. */
#include "api.h"

/* Options */

static void expect_refused(const dusk_options *options)
{
  dusk_heap *const untouched = (dusk_heap *)&untouched;
  dusk_heap *heap = untouched;
  ck_assert_int_eq(dusk_heap_open(options, &heap), EINVAL);
  ck_assert_ptr_eq(heap, untouched);
}

START_TEST(a_heap_opens_without_options)
{
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  ck_assert_ptr_nonnull(dusk_alloc(thread, DUSK_LEAF, 100));
  api_close(heap, thread);
}
END_TEST

START_TEST(a_null_result_is_refused)
{
  dusk_options options = api_options();
  ck_assert_int_eq(dusk_heap_open(&options, NULL), EINVAL);
  ck_assert_int_eq(dusk_heap_open(NULL, NULL), EINVAL);
}
END_TEST

START_TEST(an_unknown_struct_size_is_refused)
{
  static const size_t sizes[] = {0, 1, sizeof(dusk_options) - 1,
                                 sizeof(dusk_options) + 1, SIZE_MAX};
  dusk_options options = api_options();
  options.struct_size = sizes[_i];
  expect_refused(&options);
}
END_TEST

/* What version 0.1 had, and nothing behind it. */
START_TEST(the_options_of_an_older_version_are_taken)
{
  struct {
    size_t struct_size, reserve_bytes;
    int gc_percent;
    int64_t memory_limit;
    unsigned workers, flags;
  } options = {sizeof(options), 0, 70, INT64_C(1) << 40, 1, DUSK_NO_ENV};
  dusk_heap *heap;
  ck_assert_int_eq(dusk_heap_open((const void *)&options, &heap), 0);
  ck_assert_int_eq(dusk_set_gc_percent(heap, 100), 70);
  ck_assert_int_eq(dusk_set_memory_limit(heap, -1), INT64_C(1) << 40);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(an_unknown_flag_is_refused)
{
  dusk_options options = api_options();
  for (unsigned bit = 3; bit < 32; bit++) {
    options.flags = DUSK_NO_ENV | 1u << bit;
    expect_refused(&options);
  }
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
  dusk_options options = api_options();
  options.gc_percent = -2;
  expect_refused(&options);
  options.gc_percent = INT_MIN;
  expect_refused(&options);

  options = api_options();
  options.memory_limit = -1;
  expect_refused(&options);
  options.memory_limit = INT64_MIN;
  expect_refused(&options);

  options = api_options();
  options.workers = 1025;
  expect_refused(&options);
  options.workers = UINT_MAX;
  expect_refused(&options);

  options = api_options();
  options.reserve_bytes = 1;
  expect_refused(&options);
  options.reserve_bytes = MIB(8) - 1;
  expect_refused(&options);
}
END_TEST

START_TEST(the_smallest_reservation_works)
{
  dusk_options options = api_options();
  options.reserve_bytes = MIB(8);
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < 100000; i++)
    api_alloc(thread, DUSK_LEAF, 1000);
  api_close(heap, thread);
}
END_TEST

START_TEST(any_number_of_workers_works)
{
  static const unsigned workers[] = {1, 2, 7, 16};
  dusk_options options = api_options();
  options.workers = workers[_i];
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  void **list = NULL;
  for (int i = 0; i < 100000; i++) {
    void **node = api_alloc(thread, DUSK_CONSERVATIVE, 32);
    dusk_init(thread, node, list);
    list = node;
  }
  dusk_collect(thread);
  int length = 0;
  for (void **node = list; node; node = dusk_load(node))
    length++;
  ck_assert_int_eq(length, 100000);
  api_close(heap, thread);
}
END_TEST

START_TEST(options_are_what_the_control_calls_report)
{
  dusk_options options = api_options();
  options.gc_percent = 73;
  options.memory_limit = (int64_t)MIB(300);
  dusk_heap *heap = api_open_with(&options);
  ck_assert_int_eq(dusk_set_gc_percent(heap, 100), 73);
  ck_assert_int_eq(dusk_set_memory_limit(heap, -1), (int64_t)MIB(300));
  dusk_heap_close(heap);

  options.gc_percent = -1;
  options.memory_limit = INT64_MAX;
  heap = api_open_with(&options);
  ck_assert_int_eq(dusk_set_gc_percent(heap, 100), -1);
  ck_assert_int_eq(dusk_set_memory_limit(heap, -1), INT64_MAX);
  dusk_heap_close(heap);
}
END_TEST

/* Several heaps, and closing */

START_TEST(heaps_know_nothing_of_each_other)
{
  dusk_heap *one = api_open();
  dusk_heap *two = api_open();
  dusk_thread *in_one = api_attach(one);
  dusk_thread *in_two = api_attach(two);
  char *first = api_alloc(in_one, DUSK_LEAF, 64);
  char *second = api_alloc(in_two, DUSK_LEAF, 64);
  ck_assert_ptr_eq(dusk_base_of(one, first + 5), first);
  ck_assert_ptr_null(dusk_base_of(two, first + 5));
  ck_assert_uint_eq(dusk_size_of(one, second), 0);
  ck_assert_uint_eq(dusk_size_of(two, second), 64);
  uint64_t cycles = api_cycles(two);
  dusk_collect(in_one);
  ck_assert_uint_eq(api_cycles(two), cycles);
  api_close(one, in_one);
  memset(second, 7, 64);
  dusk_collect(in_two);
  ck_assert_int_eq(second[63], 7);
  api_close(two, in_two);
}
END_TEST

static void *open_use_close(void *unused)
{
  for (int i = 0; i < 8; i++) {
    dusk_options options = api_options();
    options.reserve_bytes = MIB(64);
    dusk_heap *heap = api_open_with(&options);
    dusk_thread *thread = api_attach(heap);
    for (int j = 0; j < 20000; j++)
      api_alloc(thread, DUSK_CONSERVATIVE, 128);
    dusk_collect(thread);
    api_close(heap, thread);
  }
  return unused;
}

START_TEST(heaps_open_and_close_on_many_threads)
{
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    threads[i] = api_start(open_use_close, NULL);
  for (int i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
}
END_TEST

static size_t address_space_bytes(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

START_TEST(closing_gives_the_address_space_back)
{
  dusk_options options = api_options();
  options.reserve_bytes = MIB(1024);
  size_t before = 0;
  for (int i = 0; i < 10; i++) {
    /* The first rounds also pay for the C library's arenas and stacks. */
    if (i == 2)
      before = address_space_bytes();
    dusk_heap *heap = api_open_with(&options);
    dusk_thread *thread = api_attach(heap);
    api_alloc(thread, DUSK_LEAF, MIB(8));
    api_close(heap, thread);
  }
  ck_assert_uint_lt(address_space_bytes(), before + options.reserve_bytes);
}
END_TEST

static int close_null(const void *unused)
{
  (void)unused;
  dusk_heap_close(NULL);
  return 0;
}

static int close_with_thread(const void *unused)
{
  (void)unused;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  void **object = api_alloc(thread, DUSK_CONSERVATIVE, 64);
  dusk_heap_close(heap); /* refused, with a line */
  dusk_store(thread, object, api_alloc(thread, DUSK_LEAF, 48));
  dusk_collect(thread);
  ck_assert_uint_eq(dusk_size_of(heap, dusk_load(object)), 48);
  api_close(heap, thread);
  return 0;
}

START_TEST(closing_null_does_nothing)
{
  struct api_child child;
  api_fork(&child, close_null, NULL);
  api_assert_silent(&child);
}
END_TEST

START_TEST(closing_with_a_thread_attached_changes_nothing)
{
  struct api_child child;
  api_fork(&child, close_with_thread, NULL);
  api_assert_one_line(&child, "1 thread");
}
END_TEST

/* Environment */

struct variable {
  const char *name;
  const char *value;
  int percent;   /* what the heap must then have; 0: not asked */
  int64_t limit; /* likewise; 0: not asked */
  unsigned option_flags;
};

static int open_with_variable(const void *argument)
{
  const struct variable *variable = argument;
  setenv(variable->name, variable->value, 1);
  dusk_options options = DUSK_OPTIONS_INIT;
  options.flags = variable->option_flags;
  dusk_heap *heap = api_open_with(&options);
  int percent = dusk_set_gc_percent(heap, 100);
  int64_t limit = dusk_set_memory_limit(heap, -1);
  dusk_heap_close(heap);
  return (variable->percent && percent != variable->percent) ||
         (variable->limit && limit != variable->limit);
}

static const struct variable good_variables[] = {
    {"DUSK_GCPERCENT", "50", 50, 0, 0},
    {"DUSK_GCPERCENT", "off", -1, 0, 0},
    {"DUSK_GCPERCENT", "800", 800, 0, 0},
    {"DUSK_MEMLIMIT", "100000000", 0, 100000000, 0},
    {"DUSK_MEMLIMIT", "300KiB", 0, INT64_C(300) << 10, 0},
    {"DUSK_MEMLIMIT", "64MiB", 0, INT64_C(64) << 20, 0},
    {"DUSK_MEMLIMIT", "3GiB", 0, INT64_C(3) << 30, 0},
    {"DUSK_MEMLIMIT", "2TiB", 0, INT64_C(2) << 40, 0},
    {"DUSK_MEMLIMIT", "off", 0, INT64_MAX, 0},
    {"DUSK_MEMLIMIT", "auto", 0, 0, 0},
    {"DUSK_WORKERS", "2", 0, 0, 0},
    {"DUSK_DEBUG", "gctrace=0", 0, 0, 0},
    {"DUSK_DEBUG", "gctrace=0,slowsafepoint=500", 0, 0, 0},
    {"DUSK_ASSIST", "full", 0, 0, 0},
    {"DUSK_ASSIST", "exempt", 0, 0, 0},
    {"DUSK_ASSIST", "capped:16KiB", 0, 0, 0},
    {"DUSK_ASSIST", "capped:50us", 0, 0, 0},
    {"DUSK_WALL", "16MiB", 0, 0, 0},
    {"DUSK_WALL", "off", 0, 0, 0},
    {"DUSK_ASSIST", "nonsense", 0, 0, DUSK_NO_ENV},
    {"DUSK_WALL", "nonsense", 0, 0, DUSK_NO_ENV},
    {"DUSK_GCPERCENT", "nonsense", 100, INT64_MAX, DUSK_NO_ENV},
    {"DUSK_GCPERCENT", "50", 100, INT64_MAX, DUSK_NO_ENV},
    {"DUSK_MEMLIMIT", "64MiB", 100, INT64_MAX, DUSK_NO_ENV},
    {"DUSK_WORKERS", "nonsense", 100, INT64_MAX, DUSK_NO_ENV},
    {"DUSK_DEBUG", "nonsense", 100, INT64_MAX, DUSK_NO_ENV},
};

static const struct variable bad_variables[] = {
    {"DUSK_GCPERCENT", "lots", 100, 0, 0},
    {"DUSK_GCPERCENT", "50%", 100, 0, 0},
    {"DUSK_GCPERCENT", "99999999999999999999", 100, 0, 0},
    {"DUSK_MEMLIMIT", "12XB", 0, INT64_MAX, 0},
    {"DUSK_MEMLIMIT", "-5", 0, INT64_MAX, 0},
    {"DUSK_MEMLIMIT", "MiB", 0, INT64_MAX, 0},
    {"DUSK_MEMLIMIT", "9999999999TiB", 0, INT64_MAX, 0},
    {"DUSK_WORKERS", "some", 0, 0, 0},
    {"DUSK_WORKERS", "-3", 0, 0, 0},
    {"DUSK_WORKERS", "1000000", 0, 0, 0},
    {"DUSK_ASSIST", "capped", 0, 0, 0},
    {"DUSK_ASSIST", "capped:0", 0, 0, 0},
    {"DUSK_WALL", "auto", 0, 0, 0},
    {"DUSK_DEBUG", "nonsense=1", 0, 0, 0},
    {"DUSK_DEBUG", "gctrace=loud", 0, 0, 0},
};

enum {
  GOOD_VARIABLES = sizeof(good_variables) / sizeof(good_variables[0]),
  BAD_VARIABLES = sizeof(bad_variables) / sizeof(bad_variables[0]),
};

START_TEST(a_good_environment_is_followed_in_silence)
{
  struct api_child child;
  api_fork(&child, open_with_variable, &good_variables[_i]);
  api_assert_silent(&child);
}
END_TEST

START_TEST(a_bad_environment_is_one_line_and_the_default)
{
  struct api_child child;
  api_fork(&child, open_with_variable, &bad_variables[_i]);
  api_assert_one_line(&child, bad_variables[_i].name);
}
END_TEST

/* 0 in the options and `auto` in the environment both mean the cgroup's. */
static int open_with_automatic_limit(const void *unused)
{
  (void)unused;
  dusk_options options = DUSK_OPTIONS_INIT;
  options.memory_limit = 0;
  dusk_heap *heap = api_open_with(&options);
  int64_t by_option = dusk_set_memory_limit(heap, -1);
  dusk_heap_close(heap);
  setenv("DUSK_MEMLIMIT", "auto", 1);
  heap = api_open_with(NULL);
  int64_t by_environment = dusk_set_memory_limit(heap, -1);
  dusk_heap_close(heap);
  return by_option <= 0 || by_option != by_environment;
}

START_TEST(an_automatic_limit_is_the_same_both_ways)
{
  struct api_child child;
  api_fork(&child, open_with_automatic_limit, NULL);
  api_assert_silent(&child);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("heap");
  TCase *options = api_case(suite, "options");
  tcase_add_test(options, a_heap_opens_without_options);
  tcase_add_test(options, a_null_result_is_refused);
  tcase_add_loop_test(options, an_unknown_struct_size_is_refused, 0, 5);
  tcase_add_test(options, the_options_of_an_older_version_are_taken);
  tcase_add_test(options, an_unknown_flag_is_refused);
  tcase_add_test(options, numbers_out_of_range_are_refused);
  tcase_add_test(options, the_smallest_reservation_works);
  tcase_add_loop_test(options, any_number_of_workers_works, 0, 4);
  tcase_add_test(options, options_are_what_the_control_calls_report);

  TCase *closing = api_case(suite, "closing");
  tcase_add_test(closing, heaps_know_nothing_of_each_other);
  tcase_add_test(closing, heaps_open_and_close_on_many_threads);
  tcase_add_test(closing, closing_gives_the_address_space_back);
  tcase_add_test(closing, closing_null_does_nothing);
  tcase_add_test(closing, closing_with_a_thread_attached_changes_nothing);

  TCase *environment = api_case(suite, "environment");
  tcase_add_loop_test(environment, a_good_environment_is_followed_in_silence, 0,
                      GOOD_VARIABLES);
  tcase_add_loop_test(environment,
                      a_bad_environment_is_one_line_and_the_default, 0,
                      BAD_VARIABLES);
  tcase_add_test(environment, an_automatic_limit_is_the_same_both_ways);
  return api_run(suite);
}
