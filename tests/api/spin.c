/* SPDX-License-Identifier: MIT */
/* spin.c -- a thread that does not come to a safepoint holds up nobody else
 *
 * One thread spins for a second of its own clock, at three places of a cycle.
 * Another allocates and stores all the while, and times each operation.  Its
 * worst one, and the longest pause that the counters report, are compared to
 * the length of the spin: a thread that waited for the spinner would have lost
 * most of it, one that did not loses at most some slices of its processor.
 *
 * The spinner is named on stderr if DUSK_DEBUG=slowsafepoint=MS says so. */
#include "cycle.h"

enum { LIVE_OBJECTS = 200000, SLOTS = 256, BATCH = 50 };

/* The worker's worst operation may be this part of the spin, at most. */
enum { WORST_SHARE = 4 };

enum spin_from { FROM_BEFORE_CYCLE, FROM_BARRIER_ON, FROM_MARKING, SPIN_FROMS };

struct spin {
  dusk_heap *heap;
  enum spin_from from;
  uint64_t length_ns;
  bool ready;    /* the spinner is attached */
  bool spinning; /* set before the spin, cleared after it */
};

static bool flag_is_set(const bool *flag)
{
  return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void flag_set(bool *flag, bool value)
{
  __atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

static __attribute__((noinline)) void spin_without_safepoint(uint64_t ns)
{
  uint64_t start = api_now_ns();
  while (api_now_ns() - start < ns)
    continue;
}

/* Runs until the collector has got as far as `from` asks for. */
static void spin_await_place(struct spin *spin, dusk_thread *thread)
{
  if (spin->from == FROM_BEFORE_CYCLE)
    return;
  while (!dusk_barrier_is_on(thread))
    dusk_safepoint(thread);
  /* The roots' handshake follows within microseconds, marking takes
   * milliseconds; wherever this ends, the worker must not notice. */
  if (spin->from == FROM_MARKING)
    for (int i = 0; i < 10; i++) {
      dusk_safepoint(thread);
      api_sleep_us(100);
    }
}

static void *spin_body(void *argument)
{
  struct spin *spin = argument;
  dusk_thread *thread = api_attach(spin->heap);
  flag_set(&spin->ready, true);
  spin_await_place(spin, thread);
  flag_set(&spin->spinning, true);
  spin_without_safepoint(spin->length_ns);
  flag_set(&spin->spinning, false);
  dusk_detach(thread);
  return NULL;
}

static void *spin_collect(void *argument)
{
  struct spin *spin = argument;
  dusk_thread *thread = api_attach(spin->heap);
  dusk_collect(thread);
  dusk_detach(thread);
  return NULL;
}

/* A heap that takes a while to mark. */
static void **build_live(dusk_thread *thread)
{
  void **list = NULL;
  for (int i = 0; i < LIVE_OBJECTS; i++) {
    void **node = api_alloc(thread, DUSK_CONSERVATIVE, 64);
    dusk_init(thread, node, list);
    list = node;
  }
  return list;
}

struct worst {
  uint64_t ns;
  unsigned long operations;
  unsigned long in_cycle; /* of those, with the barrier on */
};

static void time_batch(dusk_thread *thread, void **slots, struct worst *worst)
{
  for (int i = 0; i < BATCH; i++) {
    uint64_t start = api_now_ns();
    void *object = dusk_alloc(thread, DUSK_CONSERVATIVE, 64);
    dusk_store(thread, &slots[worst->operations % SLOTS], object);
    uint64_t took = api_now_ns() - start;
    api_check(object != NULL);
    worst->ns = took > worst->ns ? took : worst->ns;
    worst->operations++;
    worst->in_cycle += dusk_barrier_is_on(thread);
  }
}

static uint64_t longest_pause_ns(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  uint64_t longest = 0;
  for (int i = 0; i < DUSK_PAUSES; i++)
    longest = stats.pause_ns[i] > longest ? stats.pause_ns[i] : longest;
  return longest;
}

START_TEST(a_spinning_thread_delays_nobody_else)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  void **live = build_live(thread);
  void **slots = api_alloc(thread, DUSK_CONSERVATIVE, SLOTS * sizeof(void *));
  struct spin spin = {
      .heap = heap, .from = (enum spin_from)_i, .length_ns = 1000000000};
  struct worst worst = {0, 0, 0};

  pthread_t spinner = api_start(spin_body, &spin);
  while (!flag_is_set(&spin.ready))
    continue;
  if (spin.from == FROM_BEFORE_CYCLE)
    while (!flag_is_set(&spin.spinning))
      continue;
  pthread_t collector = api_start(spin_collect, &spin);
  while (!flag_is_set(&spin.spinning))
    dusk_safepoint(thread);
  /* The pace is slow: while the cycle stands, nothing is freed. */
  while (flag_is_set(&spin.spinning)) {
    time_batch(thread, slots, &worst);
    dusk_blocking_begin(thread);
    api_sleep_us(500);
    dusk_blocking_end(thread);
  }
  dusk_blocking_begin(thread);
  pthread_join(spinner, NULL);
  pthread_join(collector, NULL);
  dusk_blocking_end(thread);

  ck_assert_uint_gt(worst.operations, BATCH);
  /* A cycle stood open: at its start the spinner holds it for certain. */
  if (spin.from == FROM_BEFORE_CYCLE)
    ck_assert_uint_gt(worst.in_cycle, worst.operations / 2);
  ck_assert_uint_lt(worst.ns * WORST_SHARE, spin.length_ns);
  ck_assert_uint_lt(longest_pause_ns(heap) * WORST_SHARE, spin.length_ns);
  api_keep(live);
  api_close(heap, thread);
}
END_TEST

/* The report */

struct report {
  const char *debug;
  bool serves; /* the thread comes to safepoints */
};

static void *serve_body(void *argument)
{
  struct spin *spin = argument;
  dusk_thread *thread = api_attach(spin->heap);
  flag_set(&spin->spinning, true);
  uint64_t start = api_now_ns();
  while (api_now_ns() - start < spin->length_ns)
    dusk_safepoint(thread);
  dusk_detach(thread);
  return NULL;
}

static int run_reported(const void *argument)
{
  const struct report *report = argument;
  setenv("DUSK_DEBUG", report->debug, 1);
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  struct spin spin = {.heap = heap, .length_ns = 1000000000};
  pthread_t spinner = api_start(report->serves ? serve_body : spin_body, &spin);
  while (!flag_is_set(&spin.spinning))
    continue;
  dusk_collect(thread);
  dusk_blocking_begin(thread);
  pthread_join(spinner, NULL);
  dusk_blocking_end(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(a_slow_thread_is_named)
{
  static const struct report report = {"slowsafepoint=50", false};
  struct api_child child;
  api_fork(&child, run_reported, &report);
  ck_assert_int_eq(child.exit_code, 0);
  ck_assert_msg(api_lines_with(child.text, "safepoint") >= 1,
                "nothing said: %s", child.text);
  /* Without libunwind there is no stack. */
  if (api_lines_with(child.text, "#0") > 0)
    ck_assert_msg(api_lines_with(child.text, "spin_without_safepoint") >= 1,
                  "the spinner is not in its stack: %s", child.text);
}
END_TEST

START_TEST(nobody_is_named_without_cause)
{
  static const struct report reports[] = {
      {"slowsafepoint=0", false},      /* never */
      {"slowsafepoint=500000", false}, /* not slow enough */
      {"slowsafepoint=50", true},      /* not slow */
  };
  struct api_child child;
  api_fork(&child, run_reported, &reports[_i]);
  api_assert_silent(&child);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("spin");
  TCase *delay = api_case(suite, "delay");
  tcase_add_loop_test(delay, a_spinning_thread_delays_nobody_else, 0,
                      SPIN_FROMS);
  TCase *named = api_case(suite, "named");
  tcase_add_test(named, a_slow_thread_is_named);
  tcase_add_loop_test(named, nobody_is_named_without_cause, 0, 3);
  return api_run(suite);
}
