/* SPDX-License-Identifier: MIT */
/* stats.c -- the counters: what always adds up, and what is exact
 *
 * <dusk/stats.h>, and the gctrace line. */
#include "churn.h"
#include "cycle.h"

#include <regex.h>

/* Always true, in every reading */

static void check_identities(const dusk_memstats *s)
{
  api_check(s->sys == s->heap_sys + s->stack_sys + s->mspan_sys +
                          s->mcache_sys + s->buck_hash_sys + s->gc_sys +
                          s->other_sys);
  api_check(s->heap_sys == s->heap_inuse + s->heap_idle);
  api_check(s->heap_released <= s->heap_idle);
  api_check(s->alloc == s->heap_alloc);
  api_check(s->frees <= s->mallocs);
  api_check(s->heap_objects == s->mallocs - s->frees);
  api_check(s->heap_alloc <= s->total_alloc);
  api_check(s->mspan_inuse <= s->mspan_sys);
  api_check(s->mcache_inuse <= s->mcache_sys);
  api_check(s->lookups == 0);
  api_check(s->stack_sys == 0);
  api_check(s->enable_gc);
  api_check(!s->debug_gc);
  api_check(s->gc_cpu_fraction >= 0 && s->gc_cpu_fraction <= 1);
  api_check(s->num_forced_gc <= s->num_gc);
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++) {
    api_check(s->by_size[i].size == dusk_class_size(i));
    api_check(s->by_size[i].frees <= s->by_size[i].mallocs);
  }
}

static void check_grown(const dusk_memstats *now, const dusk_memstats *before)
{
  api_check(now->total_alloc >= before->total_alloc);
  api_check(now->mallocs >= before->mallocs);
  api_check(now->frees >= before->frees);
  api_check(now->num_gc >= before->num_gc);
  api_check(now->num_forced_gc >= before->num_forced_gc);
  api_check(now->pause_total_ns >= before->pause_total_ns);
  api_check(now->last_gc >= before->last_gc);
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++) {
    api_check(now->by_size[i].mallocs >= before->by_size[i].mallocs);
    api_check(now->by_size[i].frees >= before->by_size[i].frees);
  }
}

START_TEST(the_counters_add_up_while_threads_allocate)
{
  enum { READINGS = 20000 };
  static dusk_memstats stats[2];
  static struct churn work;
  churn_start(&work);
  /* Until enough was read, and enough happened meanwhile. */
  for (int i = 0; i < READINGS || stats[0].num_gc < 5; i++) {
    dusk_read_memstats(work.heap, &stats[i % 2]);
    check_identities(&stats[i % 2]);
    if (i > 0)
      check_grown(&stats[i % 2], &stats[1 - i % 2]);
  }
  churn_stop(&work);
  dusk_heap_close(work.heap);
}
END_TEST

START_TEST(a_new_heap_has_counted_nothing)
{
  dusk_heap *heap = api_open();
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  check_identities(&stats);
  ck_assert_uint_eq(stats.mallocs, 0);
  ck_assert_uint_eq(stats.total_alloc, 0);
  ck_assert_uint_eq(stats.num_gc, 0);
  ck_assert_uint_eq(stats.last_gc, 0);
  ck_assert_uint_eq(stats.pause_total_ns, 0);
  ck_assert_uint_gt(stats.sys, 0);
  ck_assert_uint_gt(stats.next_gc, 0);
  dusk_read_memstats(NULL, &stats);
  dusk_read_memstats(heap, NULL);
  dusk_heap_close(heap);
}
END_TEST

/* Exact */

struct tally {
  uint64_t objects, bytes;
  uint64_t by_size[DUSK_SIZE_CLASSES];
};

static void allocate_counted(dusk_heap *heap, dusk_thread *thread, size_t bytes,
                             struct tally *tally)
{
  void *object = api_alloc(thread, (dusk_kind)(bytes % 2), bytes);
  tally->objects++;
  tally->bytes += dusk_size_of(heap, object);
  if (bytes <= DUSK_SMALL_MAX)
    tally->by_size[dusk_size_class(bytes)]++;
}

static void check_tally(const dusk_memstats *before, const dusk_memstats *after,
                        const struct tally *tally)
{
  ck_assert_uint_eq(after->mallocs - before->mallocs, tally->objects);
  ck_assert_uint_eq(after->total_alloc - before->total_alloc, tally->bytes);
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++)
    ck_assert_uint_eq(after->by_size[i].mallocs - before->by_size[i].mallocs,
                      tally->by_size[i]);
}

START_TEST(own_allocations_are_counted_at_once)
{
  dusk_heap *heap = _i ? api_open() : api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct tally tally = {0};
  dusk_memstats before, after;
  uint64_t random = 77;
  dusk_read_memstats(heap, &before);
  for (int i = 0; i < 30000; i++) {
    size_t bytes = api_random(&random) % (i % 50 ? 800 : 100000);
    allocate_counted(heap, thread, bytes, &tally);
    if (i < 300 || i % 1000 == 0) {
      dusk_read_memstats(heap, &after);
      check_identities(&after);
      check_tally(&before, &after, &tally);
    }
  }
  dusk_read_memstats(heap, &after);
  check_tally(&before, &after, &tally);
  api_close(heap, thread);
}
END_TEST

struct counted {
  dusk_heap *heap;
  uint64_t seed;
  struct tally tally;
};

static void *allocate_and_leave(void *argument)
{
  struct counted *counted = argument;
  for (int round = 0; round < 10; round++) {
    dusk_thread *thread = api_attach(counted->heap);
    for (int i = 0; i < 2000; i++)
      allocate_counted(counted->heap, thread, api_random(&counted->seed) % 2000,
                       &counted->tally);
    dusk_detach(thread);
  }
  return NULL;
}

START_TEST(allocations_of_all_threads_are_counted)
{
  enum { THREADS = 4 };
  static struct counted counted[THREADS];
  dusk_heap *heap = api_open();
  pthread_t threads[THREADS];
  dusk_memstats before, after;
  dusk_read_memstats(heap, &before);
  for (int i = 0; i < THREADS; i++) {
    counted[i] = (struct counted){.heap = heap, .seed = (uint64_t)i + 1};
    threads[i] = api_start(allocate_and_leave, &counted[i]);
  }
  struct tally sum = {0};
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    sum.objects += counted[i].tally.objects;
    sum.bytes += counted[i].tally.bytes;
    for (int j = 0; j < DUSK_SIZE_CLASSES; j++)
      sum.by_size[j] += counted[i].tally.by_size[j];
  }
  dusk_read_memstats(heap, &after);
  check_tally(&before, &after, &sum);
  dusk_heap_close(heap);
}
END_TEST

/* What was freed is what was made and is not there. */
START_TEST(frees_are_counted_when_swept)
{
  enum { OBJECTS = 5000, BYTES = 208 };
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < OBJECTS; i++)
    api_alloc(thread, DUSK_LEAF, BYTES);
  api_alloc(thread, DUSK_LEAF, 100000);
  api_collect_all(thread);
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  check_identities(&stats);
  const dusk_by_size *by_size = &stats.by_size[dusk_size_class(BYTES)];
  ck_assert_uint_eq(by_size->mallocs, OBJECTS);
  ck_assert_uint_ge(by_size->frees + HANDFUL, OBJECTS);
  ck_assert_uint_ge(stats.frees + HANDFUL, OBJECTS + 1);
  ck_assert_uint_le(stats.heap_alloc, 100000 + HANDFUL * BYTES);
  api_close(heap, thread);
}
END_TEST

/* Cycles and pauses */

static uint64_t wall_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

START_TEST(cycles_are_counted_and_their_pauses_kept)
{
  enum { CYCLES = 300 };
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  static uint64_t pauses[CYCLES];
  dusk_memstats stats;
  uint64_t total = 0;
  for (uint64_t i = 0; i < CYCLES; i++) {
    uint64_t before = wall_ns();
    dusk_collect(thread);
    uint64_t after = wall_ns();
    dusk_read_memstats(heap, &stats);
    unsigned newest = (unsigned)((stats.num_gc + 255) % DUSK_PAUSES);
    pauses[i] = stats.pause_ns[newest];
    total += pauses[i];
    ck_assert_uint_eq(stats.num_gc, i + 1);
    ck_assert_uint_eq(stats.num_forced_gc, i + 1);
    ck_assert_uint_eq(stats.pause_total_ns, total);
    ck_assert_uint_ge(stats.last_gc, before);
    ck_assert_uint_le(stats.last_gc, after);
    ck_assert_uint_ge(stats.pause_end[newest], before);
    ck_assert_uint_le(stats.pause_end[newest], after);
  }
  for (uint64_t i = CYCLES - DUSK_PAUSES; i < CYCLES; i++)
    ck_assert_uint_eq(stats.pause_ns[i % DUSK_PAUSES], pauses[i]);
  api_close(heap, thread);
}
END_TEST

/* Whoever runs while a cycle does is held now and then; whoever waits is not.
 */
START_TEST(a_running_thread_has_pauses)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct cycler cycler;
  cycler_start(&cycler, heap);
  while (api_cycles(heap) < 20)
    api_alloc(thread, DUSK_LEAF, 64);
  cycler_stop(&cycler, thread);
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_gt(stats.pause_total_ns, 0);
  api_close(heap, thread);
}
END_TEST

START_TEST(only_asked_for_cycles_are_forced)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  while (api_cycles(heap) < 3)
    api_alloc(thread, DUSK_LEAF, 4096);
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_eq(stats.num_forced_gc, 0);
  dusk_collect(thread);
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_eq(stats.num_forced_gc, 1);
  api_close(heap, thread);
}
END_TEST

/* The trace line */

/* Milliseconds: 0, or two digits with at most three decimals, or whole. */
#define MS "(0|0\\.0[0-9][0-9]|0\\.[1-9][0-9]|[1-9]\\.[0-9]|[1-9][0-9]+)"
#define COUNT "([0-9]+)"

static const char trace_line[] =
    "^gc " COUNT " @[0-9]+\\.[0-9]{3}s [0-9]+%: " MS "\\+" MS "\\+" MS
    " ms clock, " MS "\\+" MS "/" MS "/" MS "\\+" MS " ms cpu, " COUNT
    "->" COUNT "->" COUNT " MB, " COUNT " MB goal, " COUNT " MB stacks, " COUNT
    " MB globals, " COUNT " P( \\(forced\\))?$";

enum {
  AT_NUMBER = 1,
  AT_BEFORE = 10,
  AT_AFTER = 11,
  AT_LIVE = 12,
  AT_GOAL = 13,
  AT_PROCESSORS = 16,
  AT_FORCED = 17,
  FIELDS = 18
};

enum { FORCED = 4, TRACED_MIB = 40 };

static int run_traced(const void *unused)
{
  (void)unused;
  setenv("DUSK_DEBUG", "gctrace=1", 1);
  dusk_heap *heap = api_open_with(NULL);
  dusk_thread *thread = api_attach(heap);
  while (api_cycles(heap) < 2) /* not forced */
    api_alloc(thread, DUSK_LEAF, 4096);
  void **live = NULL;
  for (int i = 0; i < TRACED_MIB; i++) {
    void **block = api_alloc(thread, DUSK_CONSERVATIVE, MIB(1));
    dusk_init(thread, block, live);
    live = block;
  }
  for (int i = 0; i < FORCED; i++)
    dusk_collect(thread);
  api_keep(live);
  api_close(heap, thread);
  return 0;
}

static long field(const char *line, const regmatch_t *match)
{
  return strtol(line + match->rm_so, NULL, 10);
}

START_TEST(a_trace_line_has_the_form)
{
  static struct api_child child;
  api_fork(&child, run_traced, NULL);
  ck_assert_int_eq(child.exit_code, 0);
  regex_t form;
  ck_assert_int_eq(regcomp(&form, trace_line, REG_EXTENDED), 0);
  long number = 0;
  int forced = 0;
  char *rest = NULL;
  for (char *line = strtok_r(child.text, "\n", &rest); line;
       line = strtok_r(NULL, "\n", &rest)) {
    regmatch_t at[FIELDS];
    ck_assert_msg(regexec(&form, line, FIELDS, at, 0) == 0, "%s", line);
    ck_assert_int_eq(field(line, &at[AT_NUMBER]), ++number);
    ck_assert_int_le(field(line, &at[AT_LIVE]), field(line, &at[AT_AFTER]));
    ck_assert_int_ge(field(line, &at[AT_PROCESSORS]), 1);
    ck_assert_int_ge(field(line, &at[AT_GOAL]), 1);
    forced += at[AT_FORCED].rm_so >= 0;
    if (forced == FORCED) {
      ck_assert_int_ge(field(line, &at[AT_BEFORE]), TRACED_MIB);
      ck_assert_int_ge(field(line, &at[AT_LIVE]), TRACED_MIB);
      ck_assert_int_ge(field(line, &at[AT_GOAL]), 2 * TRACED_MIB);
    }
  }
  regfree(&form);
  ck_assert_int_eq(forced, FORCED);
  ck_assert_int_gt(number, FORCED);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("stats");
  TCase *identities = api_case(suite, "identities");
  tcase_add_test(identities, the_counters_add_up_while_threads_allocate);
  tcase_add_test(identities, a_new_heap_has_counted_nothing);

  TCase *exact = api_case(suite, "exact");
  tcase_add_loop_test(exact, own_allocations_are_counted_at_once, 0, 2);
  tcase_add_test(exact, allocations_of_all_threads_are_counted);
  tcase_add_test(exact, frees_are_counted_when_swept);

  TCase *cycles = api_case(suite, "cycles");
  tcase_add_test(cycles, cycles_are_counted_and_their_pauses_kept);
  tcase_add_test(cycles, a_running_thread_has_pauses);
  tcase_add_test(cycles, only_asked_for_cycles_are_forced);
  tcase_add_test(cycles, a_trace_line_has_the_form);
  return api_run(suite);
}
