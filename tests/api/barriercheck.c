/* SPDX-License-Identifier: MIT */
/* barriercheck.c -- DUSK_DEBUG=barriercheck: each store that passes the barrier
 * by is told, and no other
 *
 * Every case runs in a process of its own, under barriercheck=1 and 2. */
#include "api.h"

enum { WORDS = 8 };

struct setting {
  const char *level;
  void (*body)(dusk_thread *thread, void **object);
  dusk_scan scan;
};

static void trace_all(void *object, size_t bytes, dusk_tracer *tracer,
                      void *context)
{
  (void)context;
  for (size_t i = 0; i < bytes / sizeof(void *); i++)
    dusk_trace(tracer, (void *const *)object + i);
}

static void *make(dusk_thread *thread, dusk_kind kind)
{
  void *object = dusk_alloc(thread, kind, WORDS * sizeof(void *));
  if (!object)
    _exit(9);
  return object;
}

static dusk_kind define(dusk_heap *heap, dusk_scan scan)
{
  static const uint64_t all = (1u << WORDS) - 1;
  dusk_kind kind = DUSK_CONSERVATIVE;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "holder";
  spec.size = WORDS * sizeof(void *);
  spec.scan = scan;
  spec.pointers = &all;
  spec.trace = trace_all;
  if (scan != DUSK_SCAN_CONSERVATIVE && dusk_kind_define(heap, &spec, &kind))
    _exit(8);
  return kind;
}

/* The object has words 0 and 1 set; the body does something to it; then it is
 * looked at. */
static int run(const void *argument)
{
  const struct setting *setting = argument;
  char debug[64];
  snprintf(debug, sizeof debug, "barriercheck=%s", setting->level);
  setenv("DUSK_DEBUG", debug, 1);
  dusk_options options = DUSK_OPTIONS_INIT;
  options.gc_percent = -1;
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(&options, &heap) || dusk_attach(heap, &thread))
    return 7;
  void **object = make(thread, define(heap, setting->scan));
  dusk_init(thread, &object[0], object);
  object[1] = object; /* plain: it is fresh */
  dusk_collect(thread);
  setting->body(thread, object);
  dusk_collect(thread);
  api_keep(object);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}

/* ---- correct programs ---- */

static void store_each_way(dusk_thread *thread, void **object)
{
  void **other = make(thread, DUSK_CONSERVATIVE);
  dusk_store(thread, &object[0], other);
  dusk_store(thread, &object[1], NULL);
  if (!dusk_cas(thread, &object[1], NULL, other) ||
      dusk_cas(thread, &object[1], NULL, object))
    _exit(6);
  if (dusk_exchange(thread, &object[1], object) != other)
    _exit(6);
  dusk_copy(thread, &object[2], &object[0], 2);
  dusk_copy(thread, &object[1], &object[0], 4); /* overlaps, both ways */
  dusk_copy(thread, &object[0], &object[1], 4);
  dusk_clear(thread, &object[3], 4);
  other[0] = (void *)(uintptr_t)1234567; /* data in a conservative object */
}

static void fill_fresh_objects(dusk_thread *thread, void **object)
{
  void **first = make(thread, DUSK_CONSERVATIVE);
  first[0] = object;
  dusk_init(thread, &first[1], object);
  dusk_store(thread, &first[2], object); /* leaves it fresh */
  first[3] = first;
  void **second = make(thread, DUSK_CONSERVATIVE);
  memset(second, 0, WORDS * sizeof(void *));
  second[0] = first;
  dusk_store(thread, &object[2], second);
  for (int i = 0; i < 1000; i++) /* slots are used again */
    dusk_store(thread, &object[3], make(thread, DUSK_CONSERVATIVE));
}

struct racer {
  dusk_heap *heap;
  void **object;
};

static void *race(void *argument)
{
  struct racer *racer = argument;
  dusk_thread *thread;
  uint64_t state = (uintptr_t)&state | 1;
  if (dusk_attach(racer->heap, &thread))
    _exit(5);
  for (int i = 0; i < 4000; i++) {
    void **slot = &racer->object[api_random(&state) % WORDS];
    void *old = dusk_load(&racer->object[api_random(&state) % WORDS]);
    if (i % 3 == 0)
      dusk_store(thread, slot, make(thread, DUSK_CONSERVATIVE));
    else if (i % 3 == 1)
      dusk_exchange(thread, slot, old);
    else
      dusk_store(thread, slot, old);
    if (i % 1000 == 0)
      dusk_collect(thread);
  }
  dusk_detach(thread);
  return NULL;
}

static dusk_heap *heap_of_racers; /* set by run_race() alone */

static int run_race(const void *argument)
{
  const struct setting *setting = argument;
  char debug[64];
  snprintf(debug, sizeof debug, "barriercheck=%s,checkmark=1", setting->level);
  setenv("DUSK_DEBUG", debug, 1);
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap_of_racers) ||
      dusk_attach(heap_of_racers, &thread))
    return 7;
  struct racer racer = {heap_of_racers,
                        make(thread, define(heap_of_racers, setting->scan))};
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    threads[i] = api_start(race, &racer);
  dusk_blocking_begin(thread);
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  api_keep(racer.object);
  dusk_detach(thread);
  dusk_heap_close(heap_of_racers);
  return 0;
}

/* ---- mistakes ---- */

static void store_plainly(dusk_thread *thread, void **object)
{
  void **other = make(thread, DUSK_CONSERVATIVE);
  dusk_store(thread, &object[1], other);
  object[5] = other;
}

static void forget_plainly(dusk_thread *thread, void **object)
{
  (void)thread;
  object[1] = NULL;
}

static void init_too_late(dusk_thread *thread, void **object)
{
  void **late = make(thread, DUSK_CONSERVATIVE);
  dusk_store(thread, &object[0], late);
  dusk_init(thread, &late[5], object); /* reachable already */
}

/* ---- */

static const char *const levels[] = {"1", "2"};
static const dusk_scan scans[] = {DUSK_SCAN_LAYOUT, DUSK_SCAN_TRACE,
                                  DUSK_SCAN_CONSERVATIVE};
enum { CASES = 6 };

static struct setting setting_of(int i, void (*body)(dusk_thread *, void **))
{
  return (struct setting){levels[i % 2], body, scans[i / 2]};
}

static void expect_nothing(int i, void (*body)(dusk_thread *, void **))
{
  struct api_child child;
  struct setting setting = setting_of(i, body);
  api_fork(&child, body ? run : run_race, &setting);
  ck_assert_msg(child.exit_code == 0, "exit %d: %s", child.exit_code,
                child.text);
  ck_assert_msg(api_lines_with(child.text, "barriercheck: ") == 0, "%s",
                child.text);
}

static void expect_slot(int i, void (*body)(dusk_thread *, void **),
                        const char *slot)
{
  struct api_child child;
  struct setting setting = setting_of(i, body);
  api_fork(&child, run, &setting);
  ck_assert_msg(child.exit_code == -1, "exit %d: %s", child.exit_code,
                child.text);
  ck_assert_msg(api_lines_with(child.text, "without a barrier") == 1 &&
                    api_lines_with(child.text, slot) == 1,
                "not one line with '%s': %s", slot, child.text);
}

START_TEST(test_stores_through_the_library_are_never_told)
{
  expect_nothing(_i, store_each_way);
}
END_TEST

START_TEST(test_a_fresh_object_is_filled_as_one_likes)
{
  expect_nothing(_i, fill_fresh_objects);
}
END_TEST

START_TEST(test_racing_stores_are_never_told)
{
  expect_nothing(_i, NULL);
}
END_TEST

START_TEST(test_a_plain_store_is_told)
{
  expect_slot(_i, store_plainly, "slot +40 of object");
}
END_TEST

START_TEST(test_a_pointer_lost_to_a_plain_null_is_told)
{
  expect_slot(_i, forget_plainly, "slot +8 of object");
}
END_TEST

START_TEST(test_an_initializing_store_after_publication_is_told)
{
  expect_slot(_i, init_too_late, "slot +40 of object");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("barriercheck");
  TCase *tests = api_case(suite, "barriercheck");
  tcase_add_loop_test(tests, test_stores_through_the_library_are_never_told, 0,
                      CASES);
  tcase_add_loop_test(tests, test_a_fresh_object_is_filled_as_one_likes, 0,
                      CASES);
  tcase_add_loop_test(tests, test_racing_stores_are_never_told, 0, CASES);
  tcase_add_loop_test(tests, test_a_plain_store_is_told, 0, CASES);
  tcase_add_loop_test(tests, test_a_pointer_lost_to_a_plain_null_is_told, 0,
                      CASES);
  tcase_add_loop_test(
      tests, test_an_initializing_store_after_publication_is_told, 0, CASES);
  return api_run(suite);
}
