/* SPDX-License-Identifier: MIT */
/* metrics.c -- values by name: what is there, what adds up, what never falls
 *
 * <dusk/metrics.h>, but for the text, which tests/api/openmetrics.c reads. */
#include "churn.h"
#include "cycle.h"

#include <math.h>

enum { METRICS_MAX = 256 };

/* All metrics of a heap, as one call reads them. */
struct all {
  size_t count;
  dusk_metric_sample samples[METRICS_MAX];
  uint64_t counts[METRICS_MAX][DUSK_METRIC_BUCKETS_MAX];
};

static void ask(struct all *all)
{
  const dusk_metric *metrics = dusk_metrics_all(&all->count);
  ck_assert_uint_le(all->count, METRICS_MAX);
  for (size_t i = 0; i < all->count; i++)
    all->samples[i] = (dusk_metric_sample){.name = metrics[i].name,
                                           .counts = all->counts[i],
                                           .room = DUSK_METRIC_BUCKETS_MAX};
}

static void read_all(dusk_heap *heap, struct all *all)
{
  if (!all->count)
    ask(all);
  api_check(dusk_metrics_read(heap, all->samples, all->count) == 0);
}

static const dusk_metric_sample *find(const struct all *all, const char *name)
{
  for (size_t i = 0; i < all->count; i++)
    if (!strcmp(all->samples[i].name, name))
      return &all->samples[i];
  ck_abort_msg("no metric %s", name);
}

static uint64_t number(const struct all *all, const char *name)
{
  const dusk_metric_sample *sample = find(all, name);
  ck_assert_int_eq(sample->kind, DUSK_METRIC_UINT64);
  return sample->value.uint64;
}

static double real(const struct all *all, const char *name)
{
  const dusk_metric_sample *sample = find(all, name);
  ck_assert_int_eq(sample->kind, DUSK_METRIC_FLOAT64);
  return sample->value.float64;
}

static uint64_t events(const struct all *all, const char *name)
{
  const dusk_metric_sample *sample = find(all, name);
  ck_assert_int_eq(sample->kind, DUSK_METRIC_HISTOGRAM);
  return sample->value.histogram.total;
}

static struct all all, later;

/* Asking */

START_TEST(each_name_is_described_and_read)
{
  dusk_heap *heap = api_open();
  size_t count;
  const dusk_metric *metrics = dusk_metrics_all(&count);
  ck_assert_uint_gt(count, 50);
  ck_assert_ptr_eq(dusk_metrics_all(NULL), metrics);
  read_all(heap, &all);
  for (size_t i = 0; i < count; i++) {
    const dusk_metric_sample *sample = &all.samples[i];
    ck_assert_ptr_eq(dusk_metrics_describe(metrics[i].name), &metrics[i]);
    ck_assert_int_eq(sample->kind, metrics[i].kind);
    ck_assert_int_ne(sample->kind, DUSK_METRIC_BAD);
    if (sample->kind == DUSK_METRIC_HISTOGRAM) {
      ck_assert_ptr_eq(sample->value.histogram.description, &metrics[i]);
      for (unsigned b = 0; b < metrics[i].buckets; b++)
        ck_assert(metrics[i].edges[b] < metrics[i].edges[b + 1]);
    }
  }
  dusk_heap_close(heap);
}
END_TEST

START_TEST(an_unknown_name_is_told_and_spoils_nothing)
{
  dusk_heap *heap = api_open();
  dusk_metric_sample samples[] = {{.name = "/no/such:thing"},
                                  {.name = "/sched/gomaxprocs:threads"},
                                  {.name = NULL}};
  ck_assert_int_eq(dusk_metrics_read(heap, samples, 3), ENOENT);
  ck_assert_int_eq(samples[0].kind, DUSK_METRIC_BAD);
  ck_assert_int_eq(samples[1].kind, DUSK_METRIC_UINT64);
  ck_assert_uint_ge(samples[1].value.uint64, 1);
  ck_assert_int_eq(samples[2].kind, DUSK_METRIC_BAD);
  ck_assert_ptr_null(dusk_metrics_describe("/no/such:thing"));
  ck_assert_ptr_null(dusk_metrics_describe(NULL));
  dusk_heap_close(heap);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
  dusk_heap *heap = api_open();
  dusk_metric_sample sample = {.name = "/gc/heap/live:bytes"};
  ck_assert_int_eq(dusk_metrics_read(NULL, &sample, 1), EINVAL);
  ck_assert_int_eq(dusk_metrics_read(heap, NULL, 1), EINVAL);
  ck_assert_int_eq(dusk_metrics_read(heap, &sample, 0), 0);
  dusk_heap_close(heap);
}
END_TEST

/* Nothing is written beyond the room, and the total is told without any. */
START_TEST(a_histogram_needs_room_for_its_counts)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  const char *name = "/gc/heap/allocs-by-size:bytes";
  const dusk_metric *metric = dusk_metrics_describe(name);
  uint64_t counts[DUSK_METRIC_BUCKETS_MAX];
  memset(counts, 0xee, sizeof counts);
  api_alloc(thread, DUSK_LEAF, 100);
  dusk_metric_sample sample = {
      .name = name, .counts = counts, .room = metric->buckets - 1};
  ck_assert_int_eq(dusk_metrics_read(heap, &sample, 1), ERANGE);
  ck_assert_int_eq(sample.kind, DUSK_METRIC_HISTOGRAM);
  ck_assert_uint_eq(counts[0], UINT64_C(0xeeeeeeeeeeeeeeee));
  sample.room++;
  ck_assert_int_eq(dusk_metrics_read(heap, &sample, 1), 0);
  ck_assert_uint_eq(counts[dusk_size_class(100)], 1);
  ck_assert_uint_eq(counts[metric->buckets], UINT64_C(0xeeeeeeeeeeeeeeee));
  sample.counts = NULL;
  ck_assert_int_eq(dusk_metrics_read(heap, &sample, 1), 0);
  ck_assert_uint_eq(sample.value.histogram.total, 1);
  api_close(heap, thread);
}
END_TEST

/* What adds up */

/* In every reading, whatever goes on. */
static void check_sums(const struct all *a)
{
  api_check(number(a, "/memory/classes/total:bytes") ==
            number(a, "/memory/classes/heap/free:bytes") +
                number(a, "/memory/classes/heap/objects:bytes") +
                number(a, "/memory/classes/heap/released:bytes") +
                number(a, "/memory/classes/heap/unused:bytes") +
                number(a, "/memory/classes/metadata/mcache/free:bytes") +
                number(a, "/memory/classes/metadata/mcache/inuse:bytes") +
                number(a, "/memory/classes/metadata/mspan/free:bytes") +
                number(a, "/memory/classes/metadata/mspan/inuse:bytes") +
                number(a, "/memory/classes/metadata/other:bytes") +
                number(a, "/memory/classes/other:bytes") +
                number(a, "/memory/classes/profiling/buckets:bytes"));
  api_check(number(a, "/memory/classes/heap/objects:bytes") ==
            number(a, "/gc/heap/allocs:bytes") -
                number(a, "/gc/heap/frees:bytes"));
  api_check(number(a, "/gc/heap/objects:objects") ==
            number(a, "/gc/heap/allocs:objects") -
                number(a, "/gc/heap/frees:objects"));
  api_check(number(a, "/gc/heap/frees:bytes") <=
            number(a, "/gc/heap/allocs:bytes"));
  api_check(events(a, "/gc/heap/allocs-by-size:bytes") ==
            number(a, "/gc/heap/allocs:objects"));
  api_check(events(a, "/gc/heap/frees-by-size:bytes") ==
            number(a, "/gc/heap/frees:objects"));
  api_check(number(a, "/gc/cycles/total:gc-cycles") ==
            number(a, "/gc/cycles/automatic:gc-cycles") +
                number(a, "/gc/cycles/forced:gc-cycles"));
  api_check(number(a, "/gc/scan/total:bytes") ==
            number(a, "/gc/scan/heap:bytes") +
                number(a, "/gc/scan/stack:bytes") +
                number(a, "/gc/scan/globals:bytes"));
  double gc = real(a, "/cpu/classes/gc/mark/assist:cpu-seconds") +
              real(a, "/cpu/classes/gc/mark/dedicated:cpu-seconds") +
              real(a, "/cpu/classes/gc/mark/idle:cpu-seconds") +
              real(a, "/dusk/cpu/classes/gc/driver:cpu-seconds");
  api_check(fabs(real(a, "/cpu/classes/gc/total:cpu-seconds") - gc) < 1e-6);
}

static void check_histograms(const struct all *a)
{
  for (size_t i = 0; i < a->count; i++) {
    const dusk_metric_sample *sample = &a->samples[i];
    if (sample->kind != DUSK_METRIC_HISTOGRAM)
      continue;
    uint64_t total = 0;
    for (unsigned b = 0; b < sample->value.histogram.description->buckets; b++)
      total += sample->counts[b];
    api_check(total == sample->value.histogram.total);
    api_check(sample->value.histogram.sum >= 0);
  }
}

/* Two windows hold no more delay than twice what one may. */
static void check_utilisation(const struct all *a)
{
  static const unsigned pairs[][2] = {{1, 2},   {1, 5},   {5, 10},   {2, 10},
                                      {10, 20}, {10, 50}, {20, 100}, {50, 100}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    char one[64], more[64];
    snprintf(one, sizeof one, "/dusk/mmu/%ums:ratio", pairs[i][0]);
    snprintf(more, sizeof more, "/dusk/mmu/%ums:ratio", pairs[i][1]);
    api_check(real(a, one) >= 0 && real(a, one) <= 1);
    api_check(real(a, more) >= real(a, one) - 1.0 / 64 - 1e-9);
  }
}

static void check_grown(const struct all *now, const struct all *before)
{
  for (size_t i = 0; i < now->count; i++) {
    const dusk_metric_sample *n = &now->samples[i];
    const dusk_metric_sample *b = &before->samples[i];
    const dusk_metric *metric = dusk_metrics_describe(n->name);
    if (!metric->is_cumulative)
      continue;
    if (n->kind == DUSK_METRIC_UINT64)
      ck_assert_msg(n->value.uint64 >= b->value.uint64, "%s fell", n->name);
    else if (n->kind == DUSK_METRIC_FLOAT64)
      ck_assert_msg(n->value.float64 >= b->value.float64, "%s fell", n->name);
    else
      for (unsigned j = 0; j < metric->buckets; j++)
        ck_assert_msg(n->counts[j] >= b->counts[j], "%s fell", n->name);
  }
}

/* Until there have been cycles enough for all to have happened. */
START_TEST(readings_add_up_and_never_fall_while_threads_come_and_go)
{
  enum { CYCLES = 40 };
  static struct churn work;
  churn_start(&work);
  read_all(work.heap, &all);
  while (number(&all, "/gc/cycles/total:gc-cycles") < CYCLES) {
    read_all(work.heap, &later);
    check_sums(&later);
    check_histograms(&later);
    check_utilisation(&later);
    check_grown(&later, &all);
    all = later;
    for (size_t i = 0; i < all.count; i++)
      all.samples[i].counts = all.counts[i];
  }
  churn_stop(&work);
  read_all(work.heap, &later);
  check_sums(&later);
  check_grown(&later, &all);
  ck_assert_uint_gt(events(&later, "/dusk/alloc/slow-path:seconds"), 0);
  ck_assert_uint_gt(events(&later, "/dusk/handshake/service:seconds"), 0);
  ck_assert_uint_gt(events(&later, "/dusk/safepoint/latency:seconds"), 0);
  ck_assert_uint_gt(events(&later, "/dusk/stacks/copy:seconds"), 0);
  ck_assert_uint_gt(number(&later, "/dusk/stacks/copied:bytes"), 0);
  dusk_heap_close(work.heap);
}
END_TEST

/* At rest both say the same. */
START_TEST(metrics_and_memstats_agree)
{
  static dusk_memstats stats;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_set_profile_rate(heap, 4096);
  while (api_cycles(heap) < 3)
    api_alloc(thread, DUSK_CONSERVATIVE, 1000);
  dusk_set_gc_percent(heap, -1);
  dusk_collect(thread);
  read_all(heap, &all);
  dusk_read_memstats(heap, &stats);
  struct {
    const char *name;
    uint64_t value;
  } same[] = {
      {"/gc/heap/allocs:bytes", stats.total_alloc},
      {"/gc/heap/allocs:objects", stats.mallocs},
      {"/gc/heap/frees:objects", stats.frees},
      {"/gc/heap/objects:objects", stats.heap_objects},
      {"/gc/cycles/total:gc-cycles", stats.num_gc},
      {"/gc/cycles/forced:gc-cycles", stats.num_forced_gc},
      {"/gc/heap/goal:bytes", stats.next_gc},
      {"/gc/scan/stack:bytes", stats.stack_inuse},
      {"/memory/classes/total:bytes", stats.sys},
      {"/memory/classes/heap/objects:bytes", stats.heap_alloc},
      {"/memory/classes/heap/released:bytes", stats.heap_released},
      {"/memory/classes/metadata/mspan/inuse:bytes", stats.mspan_inuse},
      {"/memory/classes/metadata/mcache/inuse:bytes", stats.mcache_inuse},
      {"/memory/classes/metadata/other:bytes", stats.gc_sys},
      {"/memory/classes/profiling/buckets:bytes", stats.buck_hash_sys},
      {"/gc/gogc:percent", UINT64_MAX},
      {"/gc/gomemlimit:bytes", INT64_MAX},
      {"/dusk/threads/attached:threads", 1},
      {"/dusk/threads/joined:threads", 1},
      {"/dusk/threads/outside:threads", 0},
  };
  for (size_t i = 0; i < sizeof same / sizeof *same; i++)
    ck_assert_msg(number(&all, same[i].name) == same[i].value,
                  "%s: %llu, not %llu", same[i].name,
                  (unsigned long long)number(&all, same[i].name),
                  (unsigned long long)same[i].value);
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++) {
    ck_assert_uint_eq(find(&all, "/gc/heap/allocs-by-size:bytes")->counts[i],
                      stats.by_size[i].mallocs);
    ck_assert_uint_eq(find(&all, "/gc/heap/frees-by-size:bytes")->counts[i],
                      stats.by_size[i].frees);
  }
  api_close(heap, thread);
}
END_TEST

/* What is counted */

/* A thread that is outside during a cycle has its stack copied once, by the
 * driver. */
START_TEST(each_copy_of_a_stack_is_counted)
{
  enum { CYCLES = 20 };
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < CYCLES; i++)
    dusk_collect(thread);
  read_all(heap, &all);
  ck_assert_uint_eq(events(&all, "/dusk/stacks/copy:seconds"), CYCLES);
  ck_assert_uint_ge(number(&all, "/dusk/stacks/copied:bytes"), CYCLES * 8);
  api_close(heap, thread);
}
END_TEST

START_TEST(each_slow_path_is_counted_and_one_in_16_timed)
{
  enum { OBJECTS = 1600 };
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  for (int i = 0; i < OBJECTS; i++)
    api_alloc(thread, DUSK_LEAF, 100000);
  read_all(heap, &all);
  ck_assert_uint_eq(number(&all, "/dusk/alloc/slow-paths:calls"), OBJECTS);
  ck_assert_uint_ge(events(&all, "/dusk/alloc/slow-path:seconds"),
                    OBJECTS / 16 - 8);
  ck_assert_uint_le(events(&all, "/dusk/alloc/slow-path:seconds"),
                    OBJECTS / 16 + 8);
  dusk_detach(thread);
  read_all(heap, &later);
  check_grown(&later, &all);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(assists_are_those_that_are_read_elsewhere)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_set_gc_percent(heap, 20);
  dusk_assist_stats stats = DUSK_ASSIST_STATS_INIT;
  void **list = NULL;
  while (api_cycles(heap) < 20) {
    void **block = api_alloc(thread, DUSK_CONSERVATIVE, 512);
    dusk_init(thread, block, list);
    list = block;
  }
  read_all(heap, &all);
  ck_assert_int_eq(dusk_read_heap_assist(heap, &stats), 0);
  ck_assert_uint_eq(events(&all, "/dusk/assist/mark:seconds"), stats.assists);
  ck_assert_double_eq_tol(
      find(&all, "/dusk/assist/mark:seconds")->value.histogram.sum,
      (double)stats.total_ns / 1e9, 1e-9);
  ck_assert_uint_eq(number(&all, "/dusk/assist/marked:bytes"),
                    stats.marked_bytes);
  ck_assert_uint_eq(number(&all, "/dusk/assist/pool:bytes"), stats.pool_bytes);
  ck_assert_uint_eq(number(&all, "/dusk/assist/asides:stalls"), stats.asides);
  ck_assert_uint_eq(number(&all, "/dusk/assist/walls:stalls"), stats.walls);
  api_keep(list);
  api_close(heap, thread);
}
END_TEST

/* A running thread serves each round itself, and comes to a safepoint for it.
 */
START_TEST(each_service_and_answer_of_a_running_thread_is_counted)
{
  enum { CYCLES = 20 };
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct cycler cycler;
  cycler_start(&cycler, heap);
  while (api_cycles(heap) < CYCLES)
    dusk_safepoint(thread);
  cycler_stop(&cycler, thread);
  read_all(heap, &all);
  uint64_t rounds = number(&all, "/dusk/handshake/rounds:rounds");
  ck_assert_uint_ge(rounds, CYCLES * 5);
  ck_assert_uint_gt(events(&all, "/dusk/safepoint/latency:seconds"),
                    rounds / 2);
  ck_assert_uint_ge(events(&all, "/dusk/handshake/service:seconds"),
                    events(&all, "/dusk/safepoint/latency:seconds"));
  ck_assert_double_gt(real(&all, "/dusk/safepoint/slowest:seconds"), 0);
  api_close(heap, thread);
}
END_TEST

/* The slowest thread */

struct sluggard {
  dusk_heap *heap;
  bool there;
};

/* Comes to a safepoint 50 ms late, until a cycle has come and gone. */
static void *dawdle(void *argument)
{
  struct sluggard *sluggard = argument;
  dusk_thread *thread = api_attach(sluggard->heap);
  pthread_setname_np(pthread_self(), "sluggard");
  __atomic_store_n(&sluggard->there, true, __ATOMIC_RELAXED);
  while (!api_cycles(sluggard->heap)) {
    api_sleep_us(50000);
    dusk_safepoint(thread);
  }
  read_all(sluggard->heap, &all);
  dusk_detach(thread);
  return NULL;
}

START_TEST(the_slowest_thread_is_named)
{
  const char *name = "/dusk/safepoint/slowest-thread:name";
  struct sluggard sluggard = {.heap = api_open_manual()};
  pthread_t pthread = api_start(dawdle, &sluggard);
  while (!__atomic_load_n(&sluggard.there, __ATOMIC_RELAXED))
    api_sleep_us(1000);
  dusk_thread *thread = api_attach(sluggard.heap);
  dusk_collect(thread);
  dusk_detach(thread);
  pthread_join(pthread, NULL);
  ck_assert_int_eq(find(&all, name)->kind, DUSK_METRIC_TEXT);
  ck_assert_str_eq(find(&all, name)->value.text, "sluggard");
  read_all(sluggard.heap, &later);
  ck_assert_str_eq(find(&later, name)->value.text, "sluggard");
  ck_assert_double_ge(real(&later, "/dusk/safepoint/slowest:seconds"),
                      real(&all, "/dusk/safepoint/slowest:seconds"));
  dusk_heap_close(sluggard.heap);
}
END_TEST

/* A child reads on from where its parent was. */
static int read_in_child(const void *argument)
{
  dusk_heap *heap = *(dusk_heap *const *)argument;
  read_all(heap, &later);
  check_sums(&later);
  check_grown(&later, &all);
  return 0;
}

START_TEST(the_child_of_a_fork_reads_too)
{
  static struct api_child child;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  while (api_cycles(heap) < 3)
    api_alloc(thread, DUSK_CONSERVATIVE, 1000);
  dusk_set_gc_percent(heap, -1);
  dusk_collect(thread);
  read_all(heap, &all);
  api_fork(&child, read_in_child, &heap);
  ck_assert_msg(child.exit_code == 0, "%s", child.text);
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("metrics");
  TCase *asking = api_case(suite, "asking");
  tcase_add_test(asking, each_name_is_described_and_read);
  tcase_add_test(asking, an_unknown_name_is_told_and_spoils_nothing);
  tcase_add_test(asking, bad_arguments_are_refused);
  tcase_add_test(asking, a_histogram_needs_room_for_its_counts);

  TCase *sums = api_case(suite, "sums");
  tcase_add_test(sums,
                 readings_add_up_and_never_fall_while_threads_come_and_go);
  tcase_add_test(sums, metrics_and_memstats_agree);
  tcase_add_test(sums, the_child_of_a_fork_reads_too);

  TCase *counts = api_case(suite, "counts");
  tcase_add_test(counts, each_copy_of_a_stack_is_counted);
  tcase_add_test(counts, each_slow_path_is_counted_and_one_in_16_timed);
  tcase_add_test(counts, assists_are_those_that_are_read_elsewhere);
  tcase_add_test(counts,
                 each_service_and_answer_of_a_running_thread_is_counted);
  tcase_add_test(counts, the_slowest_thread_is_named);
  return api_run(suite);
}
