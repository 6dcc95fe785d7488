/* SPDX-License-Identifier: MIT */
/* assist.c -- who pays for allocation, and who waits
 *
 * <dusk/assist.h>, and the hard wall of <dusk/heap.h>. */
#include "cycle.h"

static const dusk_assist_cap none = {0, 0};

struct cell {
  struct cell *next;
  uint64_t words[7];
};

/* A program that keeps a list and drops the one before it, so that there is
 * something to mark, and something to pay for. */
struct work {
  dusk_heap *heap;
  int cells; /* of a list */
  int lists;
  dusk_assist policy;
  dusk_assist_cap cap;
  bool chooses;            /* the policy; else it is the heap's default */
  dusk_assist_stats stats; /* the thread's, when it was done */
};

static void build_list(dusk_thread *thread, struct cell **list, int cells)
{
  *list = NULL;
  for (int i = 0; i < cells; i++) {
    struct cell *cell = api_alloc(thread, DUSK_CONSERVATIVE, sizeof *cell);
    dusk_init(thread, &cell->next, *list);
    *list = cell;
  }
}

static void *work_body(void *argument)
{
  struct work *work = argument;
  dusk_thread *thread = api_attach(work->heap);
  struct cell *list = NULL;
  if (work->chooses)
    ck_assert_int_eq(dusk_set_assist(thread, work->policy, work->cap), 0);
  for (int i = 0; i < work->lists; i++)
    build_list(thread, &list, work->cells);
  api_keep(list);
  work->stats = (dusk_assist_stats)DUSK_ASSIST_STATS_INIT;
  ck_assert_int_eq(dusk_read_assist(thread, &work->stats), 0);
  dusk_detach(thread);
  return NULL;
}

/* Runs `work` again and again until a field of its stats is not 0. */
#define RUN_UNTIL(work, field)                                                 \
  do                                                                           \
    pthread_join(api_start(work_body, work), NULL);                            \
  while (!(work)->stats.field)

static void check_sums(const dusk_assist_stats *stats)
{
  uint64_t assists = 0, least = 0;
  for (unsigned i = 0; i < DUSK_ASSIST_BUCKETS; i++) {
    assists += stats->histogram[i];
    least += stats->histogram[i] * dusk_assist_bucket_ns(i);
  }
  ck_assert_uint_eq(assists, stats->assists);
  ck_assert_uint_le(least, stats->total_ns);
  ck_assert_uint_le(stats->longest_ns, stats->total_ns);
  ck_assert_uint_ge(stats->longest_ns * stats->assists, stats->total_ns);
}

/* ---- the policies ---- */

START_TEST(a_full_thread_marks)
{
  struct work work = {.heap = api_open(), .cells = 100000, .lists = 4};
  RUN_UNTIL(&work, marked_bytes);
  check_sums(&work.stats);
  ck_assert_uint_gt(work.stats.marked_bytes, 0);
  ck_assert_uint_eq(work.stats.charged_bytes, 0);
  dusk_heap_close(work.heap);
}
END_TEST

START_TEST(an_exempt_thread_never_marks)
{
  struct work work = {.heap = api_open(),
                      .cells = 100000,
                      .lists = 4,
                      .chooses = true,
                      .policy = DUSK_ASSIST_EXEMPT};
  RUN_UNTIL(&work, charged_bytes);
  ck_assert_uint_eq(work.stats.assists, 0);
  ck_assert_uint_eq(work.stats.total_ns, 0);
  ck_assert_uint_eq(work.stats.marked_bytes, 0);
  ck_assert_uint_eq(work.stats.debt_bytes, 0);
  dusk_heap_close(work.heap);
}
END_TEST

START_TEST(a_capped_thread_marks_no_more_than_its_cap)
{
  enum { CAP = 2048 };
  struct work work = {.heap = api_open(),
                      .cells = 100000,
                      .lists = 4,
                      .chooses = true,
                      .policy = DUSK_ASSIST_CAPPED,
                      .cap = {.bytes = CAP}};
  RUN_UNTIL(&work, marked_bytes);
  check_sums(&work.stats);
  /* The object that reaches the cap is read to its end, and stacks hold more
   * than pointers to cells: nothing else in the heap is larger. */
  ck_assert_uint_le(work.stats.marked_bytes,
                    work.stats.assists * (CAP + sizeof(struct cell)));
  dusk_heap_close(work.heap);
}
END_TEST

START_TEST(a_thread_that_is_capped_by_time_marks_too)
{
  struct work work = {.heap = api_open(),
                      .cells = 100000,
                      .lists = 4,
                      .chooses = true,
                      .policy = DUSK_ASSIST_CAPPED,
                      .cap = {.microseconds = 1}};
  RUN_UNTIL(&work, marked_bytes);
  check_sums(&work.stats);
  dusk_heap_close(work.heap);
}
END_TEST

START_TEST(what_no_policy_is_is_refused)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  const dusk_assist_cap cap = {1, 0};
  ck_assert_int_eq(dusk_set_assist(thread, (dusk_assist)3, cap), EINVAL);
  ck_assert_int_eq(dusk_set_assist(thread, (dusk_assist)-1, cap), EINVAL);
  ck_assert_int_eq(dusk_set_assist(thread, DUSK_ASSIST_CAPPED, none), EINVAL);
  ck_assert_int_eq(dusk_set_assist(thread, DUSK_ASSIST_CAPPED, cap), 0);
  ck_assert_int_eq(dusk_set_assist(thread, DUSK_ASSIST_EXEMPT, none), 0);
  ck_assert_int_eq(dusk_set_assist(thread, DUSK_ASSIST_FULL, none), 0);
  api_close(heap, thread);
}
END_TEST

static int set_without_handle(const void *unused)
{
  (void)unused;
  return dusk_set_assist(NULL, DUSK_ASSIST_FULL, none) != EINVAL;
}

START_TEST(a_bad_handle_is_one_line)
{
  struct api_child child;
  api_fork(&child, set_without_handle, NULL);
  api_assert_one_line(&child, "dusk_set_assist");
}
END_TEST

static int run_exempt_by_default(const void *unused)
{
  (void)unused;
  setenv("DUSK_ASSIST", "exempt", 1);
  dusk_options options = DUSK_OPTIONS_INIT;
  struct work work = {
      .heap = api_open_with(&options), .cells = 100000, .lists = 4};
  RUN_UNTIL(&work, charged_bytes);
  dusk_heap_close(work.heap);
  return work.stats.assists != 0;
}

START_TEST(the_environment_says_what_new_threads_pay)
{
  struct api_child child;
  api_fork(&child, run_exempt_by_default, NULL);
  api_assert_silent(&child);
}
END_TEST

/* ---- reading ---- */

START_TEST(the_heap_sums_up_its_threads)
{
  enum { THREADS = 3 };
  dusk_assist_stats sum = DUSK_ASSIST_STATS_INIT;
  struct work work[THREADS];
  pthread_t threads[THREADS];
  dusk_heap *heap = api_open();
  dusk_set_gc_percent(heap, 50);
  for (int i = 0; i < THREADS; i++) {
    work[i] = (struct work){.heap = heap, .cells = 50000, .lists = 8};
    work[i].chooses = true;
    work[i].policy = (dusk_assist)i;
    work[i].cap.bytes = 4096;
    threads[i] = api_start(work_body, &work[i]);
  }
  uint64_t assists = 0, ns = 0, charged = 0, pool = 0, asides = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    assists += work[i].stats.assists;
    ns += work[i].stats.total_ns;
    charged += work[i].stats.charged_bytes;
    pool += work[i].stats.pool_bytes;
    asides += work[i].stats.asides;
  }
  ck_assert_int_eq(dusk_read_heap_assist(heap, &sum), 0);
  check_sums(&sum);
  ck_assert_uint_eq(sum.assists, assists);
  ck_assert_uint_eq(sum.total_ns, ns);
  ck_assert_uint_eq(sum.charged_bytes, charged);
  ck_assert_uint_eq(sum.pool_bytes, pool);
  ck_assert_uint_eq(sum.asides, asides);
  ck_assert_uint_eq(sum.debt_bytes, 0);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(a_reader_of_an_older_version_gets_what_it_knows)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_assist_stats out;
  memset(&out, 0x55, sizeof out);
  out.struct_size = offsetof(dusk_assist_stats, longest_ns);
  ck_assert_int_eq(dusk_read_assist(thread, &out), 0);
  ck_assert_uint_eq(out.struct_size, offsetof(dusk_assist_stats, longest_ns));
  ck_assert_uint_eq(out.total_ns, 0);
  ck_assert_uint_eq(out.longest_ns, UINT64_C(0x5555555555555555));
  out.struct_size = sizeof out.struct_size;
  ck_assert_int_eq(dusk_read_assist(thread, &out), EINVAL);
  ck_assert_int_eq(dusk_read_heap_assist(heap, &out), EINVAL);
  out.struct_size = sizeof out;
  ck_assert_int_eq(dusk_read_assist(NULL, &out), EINVAL);
  ck_assert_int_eq(dusk_read_assist(thread, NULL), EINVAL);
  ck_assert_int_eq(dusk_read_heap_assist(NULL, &out), EINVAL);
  ck_assert_int_eq(dusk_read_heap_assist(heap, NULL), EINVAL);
  api_close(heap, thread);
}
END_TEST

/* ---- the wall ---- */

struct monitor {
  dusk_heap *heap;
  bool stop;
  uint64_t peak, goal; /* the highest seen */
};

static void *monitor_body(void *argument)
{
  static dusk_memstats stats;
  struct monitor *monitor = argument;
  while (!__atomic_load_n(&monitor->stop, __ATOMIC_RELAXED)) {
    dusk_read_memstats(monitor->heap, &stats);
    if (stats.heap_inuse > monitor->peak)
      monitor->peak = stats.heap_inuse;
    if (stats.next_gc > monitor->goal)
      monitor->goal = stats.next_gc;
    api_sleep_us(200);
  }
  return NULL;
}

/* Four threads that never mark, as fast as they can: what they allocate while
 * the workers mark is bounded by the wall. */
static const int percents[] = {10, 100};

START_TEST(exempt_threads_stay_below_the_wall)
{
  enum { THREADS = 4 };
  struct work work[THREADS];
  pthread_t threads[THREADS];
  dusk_options options = api_options();
  options.gc_percent = percents[_i];
  options.wall_bytes = MIB(8);
  struct monitor monitor = {.heap = api_open_with(&options)};
  pthread_t reader = api_start(monitor_body, &monitor);
  for (int i = 0; i < THREADS; i++) {
    work[i] = (struct work){.heap = monitor.heap,
                            .cells = 100000,
                            .lists = SANITIZED ? 4 : 12,
                            .chooses = true,
                            .policy = DUSK_ASSIST_EXEMPT};
    threads[i] = api_start(work_body, &work[i]);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  __atomic_store_n(&monitor.stop, true, __ATOMIC_RELAXED);
  pthread_join(reader, NULL);
  for (int i = 0; i < THREADS; i++)
    ck_assert_uint_eq(work[i].stats.assists, 0);
  /* Free slots among living cells are no live bytes, yet they are in use. */
  uint64_t slack = monitor.goal / 4 + MIB(4);
  ck_assert_msg(monitor.peak <= monitor.goal + options.wall_bytes + slack,
                "peak %zu KiB, goal %zu KiB", (size_t)monitor.peak >> 10,
                (size_t)monitor.goal >> 10);
  dusk_heap_close(monitor.heap);
}
END_TEST

START_TEST(at_the_wall_a_thread_waits_and_goes_on)
{
  dusk_options options = api_options();
  options.wall_bytes = 1;
  struct work work = {.heap = api_open_with(&options),
                      .cells = 100000,
                      .lists = 4,
                      .chooses = true,
                      .policy = DUSK_ASSIST_EXEMPT};
  RUN_UNTIL(&work, walls);
  ck_assert_uint_gt(work.stats.wall_ns, 0);
  dusk_heap_close(work.heap);
}
END_TEST

START_TEST(without_a_wall_nobody_waits)
{
  dusk_options options = api_options();
  options.gc_percent = 10;
  options.wall_bytes = UINT64_MAX;
  struct work work = {.heap = api_open_with(&options),
                      .cells = 100000,
                      .lists = 10,
                      .chooses = true,
                      .policy = DUSK_ASSIST_EXEMPT};
  pthread_join(api_start(work_body, &work), NULL);
  ck_assert_uint_eq(work.stats.walls, 0);
  dusk_heap_close(work.heap);
}
END_TEST

/* A thread that comes to no safepoint holds up the cycle; the others wait for
 * it at the wall once, and then go on, far beyond the wall. */
START_TEST(a_late_thread_does_not_keep_the_others_at_the_wall)
{
  static dusk_memstats stats;
  struct hold hold;
  dusk_options options = api_options();
  options.wall_bytes = MIB(1);
  dusk_heap *heap = api_open_with(&options);
  dusk_thread *thread = api_attach(heap);
  hold_begin(&hold, heap, thread, HOLD_IN_ROOTS);
  for (int i = 0; i < 2000; i++)
    api_alloc(thread, DUSK_LEAF, KIB(32));
  dusk_assist_stats paid = DUSK_ASSIST_STATS_INIT;
  ck_assert_int_eq(dusk_read_assist(thread, &paid), 0);
  ck_assert_uint_ge(paid.walls, 1);
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_ge(stats.heap_inuse, stats.next_gc + 4 * MIB(1));
  hold_end(&hold, thread);
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("assist");
  TCase *policies = api_case(suite, "policies");
  tcase_add_test(policies, a_full_thread_marks);
  tcase_add_test(policies, an_exempt_thread_never_marks);
  tcase_add_test(policies, a_capped_thread_marks_no_more_than_its_cap);
  tcase_add_test(policies, a_thread_that_is_capped_by_time_marks_too);
  tcase_add_test(policies, what_no_policy_is_is_refused);
  tcase_add_test(policies, a_bad_handle_is_one_line);
  tcase_add_test(policies, the_environment_says_what_new_threads_pay);

  TCase *reading = api_case(suite, "reading");
  tcase_add_test(reading, the_heap_sums_up_its_threads);
  tcase_add_test(reading, a_reader_of_an_older_version_gets_what_it_knows);

  TCase *wall = api_case(suite, "wall");
  tcase_add_loop_test(wall, exempt_threads_stay_below_the_wall, 0, 2);
  tcase_add_test(wall, at_the_wall_a_thread_waits_and_goes_on);
  tcase_add_test(wall, without_a_wall_nobody_waits);
  tcase_add_test(wall, a_late_thread_does_not_keep_the_others_at_the_wall);
  return api_run(suite);
}
