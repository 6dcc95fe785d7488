/* SPDX-License-Identifier: MIT */
/* memlimit.c -- a heap keeps its memory limit while what is live grows
 *
 * Threads hold tables of objects, replace them at random, and grow from a tenth
 * of the limit to nearly four fifths.  Somebody else looks all the time at what
 * the heap has from the system, less what it gave back: never more than a
 * little over the limit, with the GC percent and without. */
#include "api.h"

/* Sanitizers make each object many times as dear. */
enum {
  LIMIT_MIB = SANITIZED ? 64 : 256,
  SLACK_MIB = 16, /* over the limit: what a cycle may be late */
  THREADS = 4,
  FIRST_PERCENT = 10,
  LAST_PERCENT = 78,
  STEP_PERCENT = 4,
  CHURN_OBJECTS = 20000, /* a thread, at each step */
};

static const size_t sizes[] = {32, 64, 200, 512, 1024, 3000, 8000};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), MEAN_BYTES = 12832 / 7 };

struct program {
  dusk_heap *heap;
  pthread_barrier_t step;
  bool done;
  uint64_t worst; /* bytes from the system, at most; the watcher's */
  uint64_t looks;
  dusk_memstats at_worst;
};

struct worker {
  struct program *program;
  uint64_t random;
};

static void replace(dusk_thread *thread, void **table, size_t count,
                    uint64_t *random)
{
  size_t bytes = sizes[api_random(random) % SIZES];
  void *object = api_alloc(thread, DUSK_LEAF, bytes);
  *(size_t *)object = bytes;
  dusk_store(thread, &table[api_random(random) % count], object);
}

static void *worker_body(void *argument)
{
  struct worker *worker = argument;
  struct program *program = worker->program;
  dusk_thread *thread = api_attach(program->heap);
  size_t most = MIB(LIMIT_MIB) / 100 * LAST_PERCENT / THREADS / MEAN_BYTES;
  void **table = api_alloc(thread, DUSK_CONSERVATIVE, most * sizeof(void *));
  for (unsigned percent = FIRST_PERCENT; percent <= LAST_PERCENT;
       percent += STEP_PERCENT) {
    size_t count = most * percent / LAST_PERCENT;
    for (size_t i = 0; i < count + CHURN_OBJECTS; i++)
      replace(thread, table, count, &worker->random);
    dusk_blocking_begin(thread);
    pthread_barrier_wait(&program->step);
    dusk_blocking_end(thread);
  }
  for (size_t i = 0; i < most; i++)
    if (table[i]) {
      size_t bytes = *(size_t *)dusk_load(&table[i]);
      api_check(bytes >= sizes[0] && bytes <= sizes[SIZES - 1]);
    }
  dusk_detach(thread);
  return NULL;
}

static void *watcher_body(void *argument)
{
  struct program *program = argument;
  static dusk_memstats stats;
  while (!__atomic_load_n(&program->done, __ATOMIC_ACQUIRE)) {
    dusk_read_memstats(program->heap, &stats);
    uint64_t held = stats.sys - stats.heap_released;
    if (held > program->worst) {
      program->worst = held;
      program->at_worst = stats;
    }
    program->looks++;
    api_sleep_us(200);
  }
  return NULL;
}

START_TEST(the_limit_holds_while_the_live_heap_grows)
{
  static struct program program;
  static struct worker workers[THREADS];
  pthread_t threads[THREADS];
  program = (struct program){0};
  dusk_options options = api_options();
  options.gc_percent = _i ? -1 : 100;
  options.memory_limit = (int64_t)MIB(LIMIT_MIB);
  program.heap = api_open_with(&options);
  pthread_barrier_init(&program.step, NULL, THREADS);
  pthread_t watcher = api_start(watcher_body, &program);
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i] = (struct worker){.program = &program, .random = i + 1};
    threads[i] = api_start(worker_body, &workers[i]);
  }
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  __atomic_store_n(&program.done, true, __ATOMIC_RELEASE);
  pthread_join(watcher, NULL);
  printf("gc percent %d: at most %.1f MiB of %d, %llu looks, %llu cycles\n",
         options.gc_percent, (double)program.worst / MIB(1), LIMIT_MIB,
         (unsigned long long)program.looks,
         (unsigned long long)api_cycles(program.heap));
  const dusk_memstats *at = &program.at_worst;
  printf("then: %.1f MiB in use, %.1f of them objects, %.1f free, goal %.1f\n",
         (double)at->heap_inuse / MIB(1), (double)at->heap_alloc / MIB(1),
         (double)(at->heap_idle - at->heap_released) / MIB(1),
         (double)at->next_gc / MIB(1));
  ck_assert_uint_gt(program.looks, 100);
  ck_assert_uint_le(program.worst, MIB(LIMIT_MIB + SLACK_MIB));
  dusk_heap_close(program.heap);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("memory limit");
  TCase *limit = api_case(suite, "memory limit");
  tcase_add_loop_test(limit, the_limit_holds_while_the_live_heap_grows, 0, 2);
  return api_run(suite);
}
