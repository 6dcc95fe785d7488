/* SPDX-License-Identifier: MIT */
/* limit.c -- a memory limit that cannot be kept
 *
 * With more live than the limit allows, cycle follows upon cycle and none of
 * them frees enough.  Collection then gets about half of the processor time,
 * and the program the other half: it comes to its end. */
#include "api.h"

/* The limiter lets collection have more than half for a second; the program
 * runs for several. */
enum {
  LIVE_MIB = SANITIZED ? 8 : 64,
  LIMIT_MIB = LIVE_MIB / 2,
  THREADS_MAX = 2,
  RUN_SECONDS = 4,
  BETWEEN_LOOKS = 1024,
  CYCLES = 10,
};

struct node {
  struct node *next[2];
  uint64_t payload[2];
};

struct crowded {
  dusk_heap *heap;
  uint64_t operations;
  uint64_t cpu_ns;
  pthread_t pthread;
};

static uint64_t thread_cpu_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A list of lists, so that many can mark it. */
static void fill(dusk_thread *thread, struct node **slots, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    struct node *node = api_alloc(thread, DUSK_CONSERVATIVE, sizeof *node);
    dusk_init(thread, (void **)&node->next[0], slots[i % KIB(1)]);
    dusk_store(thread, (void **)&slots[i % KIB(1)], node);
  }
}

static uint64_t cycles(dusk_heap *heap)
{
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  return stats.num_gc;
}

/* Allocates and forgets until the thread has had so much processor time, and on
 * a slow machine until there have been cycles enough to tell. */
static void work(struct crowded *crowded, dusk_thread *thread)
{
  uint64_t begun = thread_cpu_ns();
  uint64_t end = begun + (uint64_t)RUN_SECONDS * 1000000000;
  uint64_t now = begun;
  while (now < end || cycles(crowded->heap) <= CYCLES) {
    for (int i = 0; i < BETWEEN_LOOKS; i++)
      api_keep(api_alloc(thread, DUSK_CONSERVATIVE, sizeof(struct node)));
    crowded->operations += BETWEEN_LOOKS;
    now = thread_cpu_ns();
  }
  crowded->cpu_ns = now - begun;
}

static void *crowded_body(void *argument)
{
  struct crowded *crowded = argument;
  dusk_thread *thread = api_attach(crowded->heap);
  struct node **slots =
      api_alloc(thread, DUSK_CONSERVATIVE, KIB(1) * sizeof *slots);
  fill(thread, slots, MIB(LIVE_MIB) / THREADS_MAX / sizeof(struct node));
  work(crowded, thread);
  api_keep(slots);
  dusk_detach(thread);
  return NULL;
}

/* What it allocates in a nanosecond of its own when nothing is in its way. */
static double speed_alone(void)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct crowded alone = {.heap = heap};
  uint64_t begun = thread_cpu_ns();
  for (int i = 0; i < 200 * BETWEEN_LOOKS; i++)
    api_keep(api_alloc(thread, DUSK_CONSERVATIVE, sizeof(struct node)));
  alone.cpu_ns = thread_cpu_ns() - begun;
  api_close(heap, thread);
  return 200.0 * BETWEEN_LOOKS / (double)alone.cpu_ns;
}

START_TEST(a_limit_below_what_is_live_takes_half_and_no_more)
{
  static dusk_memstats stats;
  unsigned threads = (unsigned)_i;
  struct crowded crowd[THREADS_MAX] = {0};
  dusk_options options = api_options();
  double alone = speed_alone();
  options.memory_limit = (int64_t)MIB(LIMIT_MIB);
  options.gc_percent = -1;
  dusk_heap *heap = api_open_with(&options);
  for (unsigned i = 0; i < threads; i++) {
    crowd[i].heap = heap;
    crowd[i].pthread = api_start(crowded_body, &crowd[i]);
  }
  for (unsigned i = 0; i < threads; i++)
    pthread_join(crowd[i].pthread, NULL);
  dusk_read_memstats(heap, &stats);
  ck_assert_uint_gt(stats.num_gc, CYCLES);
  ck_assert_msg(stats.gc_cpu_fraction < 0.65, "collection took %.2f",
                stats.gc_cpu_fraction);
  /* Without the limiter it is a twentieth to a fiftieth: assists are not what
   * this thread is here for. */
  for (unsigned i = 0; i < threads; i++) {
    double speed = (double)crowd[i].operations / (double)crowd[i].cpu_ns;
    ck_assert_msg(speed > alone / 10, "%.2f of the speed alone", speed / alone);
  }
  dusk_heap_close(heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("limit");
  TCase *limit = api_case(suite, "limit");
  tcase_add_loop_test(limit, a_limit_below_what_is_live_takes_half_and_no_more,
                      1, THREADS_MAX + 1);
  return api_run(suite);
}
