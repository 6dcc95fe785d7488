/* SPDX-License-Identifier: MIT */
/* Test of the whole library under a system that refuses: a program that uses
 * everything is run again and again, and its n-th call to the system fails, for
 * n = 1, 2, ... until a run makes fewer than n.
 *
 * Each run is a process of its own.  Whatever was refused, each function of
 * <dusk.h> has done what was asked or returned an error that its header names;
 * all that can be reached is whole; once the system gives again all works; and
 * in the end nothing is held.
 *
 * Threads make the number of calls differ from run to run.  So n need not be
 * the same call twice, and the last run is the first in which no call was
 * refused: one that made fewer than n. */
#include "unit.h"

#include "refuse.h"

#include "base/atomic.h"
#include "base/compiler.h"

#include "dusk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  THREADS = 2,
  SLOTS = 8, /* of the table, for each thread */
  LIST_MAX = 16,
  EXTRA_ROOTS = 20, /* more than a root set has room for at first */
  KINDS = 5,
  LARGE_BYTES = 40000,
  VAST_BYTES = 70 << 20, /* a heap with it has huge pages */
  RESERVE_BYTES = 256 << 20,
  LIMIT_BYTES = 160 << 20,
  FAILURES = 12, /* allocations: each has collected twice */
  HANG_SECONDS = 60,
  MOST_CALLS = 5000, /* of a run, by far */
};

/* ---- what a run is told, and what it tells ---- */

static void run(void);
static void run_and_fork(void);

static const struct setting {
  const char *name;
  void (*run)(void);
  const char *debug; /* DUSK_DEBUG */
  uint64_t count;    /* calls that are refused, from the n-th on */
  unsigned stride;   /* from one n to the next */
} settings[] = {
    {"one call", run, "gctrace=1,scavtrace=1,verify=1", 1, 1},
    {"all from a call on", run, "gctrace=1,scavtrace=1", UINT64_MAX, 3},
    {"five calls, careful", run,
     "poison=1,origins=1,barriercheck=1,checkmark=1", 5, 5},
    {"all from a call on, careful", run, "efence=1,checkmark=1,verify=1",
     UINT64_MAX, 12},
    {"one call, sampled", run,
     "memprofilerate=5000,heapprofile=/dev/null,lifetimeprofile=/dev/null", 1,
     1},
    {"all from a call on, sampled", run,
     "memprofilerate=5000,heapprofile=/dev/null", UINT64_MAX, 7},
    {"one call of a fork's child", run_and_fork, "verify=1", 1, 1},
    {"all of a fork's child from a call on", run_and_fork, "verify=1",
     UINT64_MAX, 2},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

/* In memory that both processes have. */
static struct told {
  uint64_t n;
  uint64_t count; /* calls that are refused, from the n-th on */
  uint64_t calls;
  uint64_t refused;
  char failure[256];
} * told;

static __attribute__((noreturn, noinline)) void give_up(int line,
                                                        const char *condition)
{
  struct refuse_held held = refuse_held();
  if (*told->failure) /* of a fork's child, whose parent this is */
    abort();
  snprintf(told->failure, sizeof told->failure,
           "line %d: %s; first refused: %s; held: %lld bytes, %lld blocks, "
           "%lld files, %lld threads",
           line, condition, refuse_first_name(), (long long)held.bytes,
           (long long)held.blocks, (long long)held.files,
           (long long)held.tasks);
  abort();
}

#define require(condition)                                                     \
  do {                                                                         \
    if (!(condition))                                                          \
      give_up(__LINE__, #condition);                                           \
  } while (0)

/* What may be refused, and then is done again while nothing is.  The errors
 * that the function's header names. */
#define manage(call, errors)                                                   \
  do {                                                                         \
    int error_ = (call);                                                       \
    if (error_) {                                                              \
      require(errors);                                                         \
      refuse_nothing();                                                        \
      require((call) == 0);                                                    \
    }                                                                          \
  } while (0)

/* ---- data ---- */

struct node {
  struct node *next;
  uint64_t *large; /* or NULL: filled with the number */
  uint64_t number; /* nodes behind this one */
  uint64_t seal;
};

static dusk_heap *heap;
static dusk_kind kinds[KINDS];
static struct node *table[THREADS * SLOTS]; /* a root */
static void *extra[EXTRA_ROOTS];
static bool is_added[EXTRA_ROOTS];

static uint64_t seal_of(const struct node *node)
{
  return (uint64_t)(uintptr_t)node * UINT64_C(0x9e3779b97f4a7c15) ^
         node->number ^ (uint64_t)(uintptr_t)node->next;
}

/* NULL: refused, which is ENOMEM; otherwise errno is as it was.  After some of
 * them the system gives again. */
static void *allocate(dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  static unsigned failures; /* atomic */
  errno = ERANGE;
  void *object = dusk_alloc(thread, kind, bytes);
  require(errno == (object ? ERANGE : ENOMEM));
  require(object || refuse_refused() > 0);
  if (!object && ADD_RELAXED(&failures, 1) == FAILURES)
    refuse_nothing();
  for (size_t i = 0; object && i < bytes && i < 4096; i += 8)
    require(*(uint64_t *)((char *)object + i) == 0);
  return object;
}

/* Puts a list of up to `count` nodes in a slot; as many as there is memory
 * for. */
static void write_list(dusk_thread *thread, struct node **slot, unsigned count)
{
  dusk_store(thread, slot, NULL);
  for (unsigned i = 0; i < count; i++) {
    dusk_kind kind = kinds[i % KINDS];
    struct node *node = allocate(thread, kind, sizeof *node);
    if (!node)
      continue;
    struct node *first = dusk_load(slot);
    node->number = first ? first->number + 1 : 0;
    dusk_init(thread, &node->next, first);
    node->seal = seal_of(node);
    dusk_store(thread, slot, node);
    uint64_t *large =
        i % 16 == 3 ? allocate(thread, DUSK_LEAF, LARGE_BYTES) : NULL;
    if (large) {
      for (unsigned w = 0; w < LARGE_BYTES / sizeof *large; w++)
        large[w] = node->number;
      dusk_store(thread, &node->large, large);
    }
  }
}

static void verify_list(struct node **slot)
{
  const struct node *node = dusk_load(slot);
  for (; node; node = node->next) {
    require(node->seal == seal_of(node));
    require(node->next ? node->next->number + 1 == node->number
                       : node->number == 0);
    for (unsigned w = 0; node->large && w < LARGE_BYTES / 8; w++)
      require(node->large[w] == node->number);
  }
}

static void verify_table(void)
{
  for (unsigned i = 0; i < THREADS * SLOTS; i++)
    verify_list(&table[i]);
}

/* Objects of many classes, which nobody keeps. */
static void litter(dusk_thread *thread)
{
  for (size_t bytes = 1; bytes < 200000; bytes += bytes / 3 + 1) {
    char *object = allocate(thread, DUSK_CONSERVATIVE, bytes);
    if (object)
      memset(object, 0x55, bytes);
  }
}

/* ---- the program ---- */

static void *work(void *argument)
{
  struct node **own = argument;
  dusk_thread *thread;
  int error = dusk_attach(heap, &thread);
  if (error) {
    require(error == ENOMEM);
    return NULL;
  }
  for (unsigned round = 0; round < 2; round++) {
    for (unsigned i = 0; i < SLOTS; i += 1 + round)
      write_list(thread, &own[i], 1 + (i * 7 + round) % LIST_MAX);
    litter(thread);
    for (unsigned i = 0; i < SLOTS; i++)
      verify_list(&own[i]);
  }
  dusk_collect(thread);
  for (unsigned i = 0; i < SLOTS; i++)
    verify_list(&own[i]);
  dusk_detach(thread);
  return NULL;
}

static void work_in_threads(dusk_thread *thread)
{
  pthread_t threads[THREADS];
  for (unsigned i = 0; i < THREADS; i++)
    require(pthread_create(&threads[i], NULL, work, &table[i * SLOTS]) == 0);
  dusk_blocking_begin(thread);
  for (unsigned i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  dusk_blocking_end(thread);
}

static void trace_node(void *object, size_t bytes, dusk_tracer *tracer,
                       void *context)
{
  struct node *node = object;
  (void)bytes;
  (void)context;
  dusk_trace(tracer, (void **)&node->next);
  dusk_trace(tracer, (void **)&node->large);
}

/* One that is refused is conservative. */
static void define_kinds(void)
{
  static const uint64_t pointers = 3;
  const dusk_kind_spec specs[KINDS] = {
      {.struct_size = sizeof(dusk_kind_spec), .scan = DUSK_SCAN_CONSERVATIVE},
      {.struct_size = sizeof(dusk_kind_spec),
       .name = "node",
       .size = sizeof(struct node),
       .scan = DUSK_SCAN_LAYOUT,
       .pointers = &pointers},
      {.struct_size = sizeof(dusk_kind_spec),
       .name = "nodes",
       .scan = DUSK_SCAN_LAYOUT,
       .pointers = &pointers,
       .period = sizeof(struct node) / sizeof(void *)},
      {.struct_size = sizeof(dusk_kind_spec),
       .name = "traced",
       .scan = DUSK_SCAN_TRACE,
       .trace = trace_node},
      {.struct_size = sizeof(dusk_kind_spec),
       .name = "words",
       .size = sizeof(struct node),
       .scan = DUSK_SCAN_CONSERVATIVE}};
  for (unsigned i = 0; i < KINDS; i++) {
    kinds[i] = DUSK_CONSERVATIVE;
    int error = dusk_kind_define(heap, &specs[i], &kinds[i]);
    require(error == 0 || error == ENOMEM);
    require(error == 0 || kinds[i] == DUSK_CONSERVATIVE);
  }
}

static void add_roots(void)
{
  manage(dusk_root_add(heap, table, sizeof table), error_ == ENOMEM);
  for (unsigned i = 0; i < EXTRA_ROOTS; i++) {
    int error = dusk_root_add(heap, &extra[i], sizeof extra[i]);
    require(error == 0 || error == ENOMEM);
    is_added[i] = !error;
  }
}

static void remove_roots(void)
{
  for (unsigned i = 0; i < EXTRA_ROOTS; i++)
    if (is_added[i])
      manage(dusk_root_remove(heap, &extra[i]), error_ == ENOMEM);
}

static int64_t vanished; /* threads of the collector, in a fork's child */

static bool nothing_is_held(void)
{
  struct refuse_held held = refuse_held();
  return !held.bytes && !held.blocks && !held.files && held.tasks == vanished;
}

static void open_heap(void)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  options.reserve_bytes = RESERVE_BYTES;
  options.memory_limit = 0; /* the cgroup's */
  options.workers = 3;
  int error = dusk_heap_open(&options, &heap);
  if (error) {
    require(error == ENOMEM || error == EAGAIN);
    require(nothing_is_held());
    refuse_nothing();
    require(dusk_heap_open(&options, &heap) == 0);
  }
}

/* The system gives again: so does the heap. */
static void require_works(dusk_thread *thread)
{
  static dusk_memstats stats;
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  verify_table();
  for (unsigned i = 0; i < THREADS * SLOTS; i += 5)
    write_list(thread, &table[i], LIST_MAX);
  for (unsigned i = 0; i < THREADS * SLOTS; i += 5)
    require(((struct node *)dusk_load(&table[i]))->number == LIST_MAX - 1);
  require(dusk_alloc(thread, DUSK_LEAF, 1 << 20) != NULL);
  require(dusk_kind_define(heap, &spec, &kind) == 0);
  dusk_read_memstats(heap, &stats);
  uint64_t cycles = stats.num_gc;
  dusk_release_memory(thread);
  dusk_collect(thread);
  dusk_read_memstats(heap, &stats);
  require(stats.num_gc >= cycles + 2);
  require(stats.heap_objects == stats.mallocs - stats.frees);
  require(stats.heap_idle + stats.heap_inuse == stats.heap_sys);
  require(stats.heap_released <= stats.heap_idle);
  verify_table();
}

static void use_settings(dusk_thread *thread)
{
  require(dusk_set_memory_limit(heap, LIMIT_BYTES) > 0);
  require(dusk_set_gc_percent(heap, 50) == 100);
  require(dusk_set_policy(heap, DUSK_POLICY_DUSK) == DUSK_POLICY_GO);
  dusk_external_adjust(thread, 1 << 20);
  require(dusk_external_bytes(heap) == 1 << 20);
  dusk_external_adjust(thread, -(1 << 20));
}

/* Profiles of a heap that is not sampled are empty. */
static void write_reports(void)
{
  int file = open("/dev/null", O_WRONLY);
  require(file >= 0);
  int error = dusk_write_heap_profile(heap, file);
  require(error == 0 || error == ENOMEM || error == EIO);
  error = dusk_write_lifetime_profile(heap, file);
  require(error == 0 || error == ENOMEM || error == EIO);
  error = dusk_write_openmetrics(heap, file);
  require(error == 0 || error == ENOMEM || error == EIO);
  close(file);
}

static void run(void)
{
  dusk_budget *budget;
  dusk_thread *thread;
  open_heap();
  manage(dusk_budget_open(LIMIT_BYTES, &budget), error_ == ENOMEM);
  require(dusk_budget_join(budget, heap) == 0);
  manage(dusk_attach(heap, &thread), error_ == ENOMEM || error_ == EAGAIN);
  define_kinds();
  add_roots();
  use_settings(thread);
  write_list(thread, &table[0], LIST_MAX);
  work_in_threads(thread);
  dusk_collect(thread);
  verify_table();
  write_reports();
  for (unsigned i = 0; i < EXTRA_ROOTS; i++)
    if (is_added[i])
      dusk_store(thread, &extra[i], allocate(thread, DUSK_LEAF, 100));
  void *vast = allocate(thread, DUSK_LEAF, VAST_BYTES);
  dusk_store(thread, &extra[0], is_added[0] ? vast : NULL);
  require(dusk_budget_set(budget, LIMIT_BYTES / 2) == LIMIT_BYTES);
  dusk_store(thread, &extra[0], NULL);
  dusk_release_memory(thread);
  remove_roots();
  work_in_threads(thread);
  verify_table();
  told->calls = refuse_count();
  told->refused = refuse_refused();
  refuse_nothing();
  require_works(thread);
  require(dusk_budget_leave(heap) == 0);
  dusk_budget_close(budget);
  dusk_detach(thread);
  dusk_heap_close(heap);
  require(nothing_is_held());
}

/* The collector's threads have to be started again, too. */
static __attribute__((noreturn)) void live_on(dusk_thread *thread)
{
  vanished = refuse_held().tasks;
  alarm(HANG_SECONDS);
  refuse_calls(told->n, told->count);
  verify_table();
  for (unsigned i = 0; i < THREADS * SLOTS; i++)
    write_list(thread, &table[i], LIST_MAX);
  litter(thread);
  dusk_collect(thread);
  work_in_threads(thread);
  verify_table();
  told->calls = refuse_count();
  told->refused = refuse_refused();
  refuse_nothing();
  require_works(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  require(nothing_is_held());
  exit(0);
}

static void run_and_fork(void)
{
  dusk_thread *thread;
  int status;
  refuse_nothing();
  open_heap();
  require(dusk_attach(heap, &thread) == 0);
  define_kinds();
  add_roots();
  work_in_threads(thread);
  pid_t pid = fork();
  require(pid >= 0);
  if (pid == 0)
    live_on(thread);
  require(waitpid(pid, &status, 0) == pid && status == 0);
  dusk_detach(thread);
  dusk_heap_close(heap);
  require(nothing_is_held());
}

/* ---- a process for each n ---- */

static char trace_name[] = "/tmp/dusk-faults.XXXXXX";
static int reports; /* the processes' stderr: a file, emptied for each */

static __attribute__((noreturn)) void live(const struct setting *setting)
{
  static const char *const others[] = {
      "DUSK_GCPERCENT",    "DUSK_MEMLIMIT", "DUSK_POLICY", "DUSK_WORKERS",
      "DUSK_IDLE_WORKERS", "DUSK_ASSIST",   "DUSK_WALL"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    unsetenv(others[i]);
  setenv("DUSK_TRACE", trace_name, 1);
  setenv("DUSK_DEBUG", setting->debug, 1);
  dup2(reports, STDERR_FILENO);
  signal(SIGALRM, SIG_DFL);
  alarm(HANG_SECONDS);
  refuse_begin();
  refuse_calls(told->n, told->count);
  setting->run();
  exit(0); /* not _exit(): what was run is counted then, where it is */
}

static void set_up(void)
{
  int file = mkstemp(trace_name);
  ck_assert_int_ge(file, 0);
  close(file);
  FILE *stream = tmpfile();
  ck_assert_ptr_nonnull(stream);
  reports = fileno(stream);
  told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE,
              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ck_assert_ptr_ne(told, MAP_FAILED);
}

static void tear_down(void)
{
  unlink(trace_name);
}

/* What it said last on stderr. */
static const char *last_reports(void)
{
  static char text[2048];
  off_t room = sizeof text - 1;
  off_t end = lseek(reports, 0, SEEK_END);
  ssize_t got = pread(reports, text, (size_t)room, end > room ? end - room : 0);
  text[got > 0 ? got : 0] = '\0';
  return text;
}

START_TEST(a_program_outlives_each_refusal)
{
  const struct setting *setting = &settings[_i];
  int status;
  uint64_t runs = 0;
  unsigned stride = setting->stride * (THREAD_SANITIZER ? 5 : 1);
  /* Its runtime ends a fork's child that starts threads. */
  if (THREAD_SANITIZER && setting->run == run_and_fork)
    return;
  for (uint64_t n = 1; n < MOST_CALLS; n += stride, runs++) {
    *told = (struct told){.n = n, .count = setting->count};
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
      live(setting);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "%s: n = %llu: status %#x, %s\n%s",
                  setting->name, (unsigned long long)n, (unsigned)status,
                  told->failure, last_reports());
    ck_assert_int_eq(truncate(trace_name, 0), 0);
    ck_assert_int_eq(ftruncate(reports, 0), 0);
    lseek(reports, 0, SEEK_SET);
    if (!told->refused)
      break;
  }
  printf("%s: %llu runs; the last made %llu calls\n", setting->name,
         (unsigned long long)runs + 1, (unsigned long long)told->calls);
  ck_assert_uint_eq(told->refused, 0);
  ck_assert_uint_gt(told->calls, 5);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("faults");
  TCase *faults = tcase_create("faults");
  tcase_add_checked_fixture(faults, set_up, tear_down);
  tcase_set_timeout(faults, 600);
  tcase_add_loop_test(faults, a_program_outlives_each_refusal, 0, SETTINGS);
  suite_add_tcase(suite, faults);
  return unit_run(suite);
}
