/* SPDX-License-Identifier: MIT */
/* forkpoints.c -- the child of a fork has a working heap, whatever point of
 * base/chaos.def another thread stands at
 *
 *   threads use the heap in every way --> one comes to the point, and stands
 *   main --> forks --> the child verifies, uses the heap, exits; or calls exec
 *                  --> the thread goes on
 *
 * Beside a main in the heap each point has two threads after each other, others
 * if another comes; beside one in a blocking region or not attached, one.  In
 * the child, and before exec, it is known to have stood there.
 *
 * LOCKS  Where the thread holds a lock that a fork takes, the fork must wait for
 * it: it stands until main has begun to fork, and a moment longer.  At all
 * other points it stands until fork() has returned in the parent, however long
 * that takes: so a fork that waits for a thread without such a lock is found
 * out.  Which it is the thread is asked (lock_rank_is_held()).
 *
 * NOBODY COMES  A point to which nobody comes in CYCLES cycles fails the test,
 * but for those of `unreachable`, which fail it if somebody does.
 *
 * This one is linked with libdusk-chaos.la, and includes of runtime/ what the
 * points are made of. */
#include "child.h"

#include "base/chaos.h"
#include "base/lock.h"

#include <sched.h>
#include <signal.h>

static const char *const points[] = {
#define CHAOS_POINT(name, meaning) name,
#include "base/chaos.def"
#undef CHAOS_POINT
};
enum { POINTS = sizeof points / sizeof *points };

enum {
  CYCLES = 300,
  CYCLES_IN_VAIN = 20, /* for a point that nobody can reach */
  NAP_US = 50,
  NAPS_WITH_LOCK = 20, /* once main has begun to fork, or does not */
  NAPS_MAX = 1000 * 1000,
  CYCLES_FOR_OTHERS = 2, /* while who stood there last is passed over */
};

static bool one_processor(void)
{
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
}

/* What nobody reaches in this process, if the function says so. */
static const struct {
  const char *name;
  bool (*is_so)(void);
  const char *reason;
} unreachable[] = {
    {"spinning", one_processor,
     "a driver without a processor of its own parks"},
};
enum { UNREACHABLE = sizeof unreachable / sizeof *unreachable };

static bool is_unreachable(const char *name)
{
  for (int i = 0; i < UNREACHABLE; i++)
    if (strcmp(unreachable[i].name, name) == 0 && unreachable[i].is_so())
      return true;
  return false;
}

/* ---- a thread that stands ---- */

enum { NOBODY, COMES, STANDS, WENT_ON };

/* Atomic, but for what main sets and reads while no name is. */
static struct {
  const char *name; /* NULL: nobody is to stand */
  uint32_t state;
  uint32_t locked; /* it holds a lock that a fork takes */
  uint32_t since;  /* cycles, when the name was set */
  pthread_t last;
  bool has_last;
  bool forks; /* it forks itself */
} stand;

static pthread_t main_thread;
static uint32_t cycles; /* that have marked; atomic */

static void nap(void)
{
  api_sleep_us(NAP_US);
}

/* The central lists' locks a fork leaves alone. */
static bool holds_lock(void)
{
  bool holds = false;
#define X(name)                                                                \
  holds |= RANK_##name != RANK_central && lock_rank_is_held(RANK_##name);
  LOCK_RANKS(X)
#undef X
  return holds;
}

static void stand_here(const char *name)
{
  bool locked = holds_lock();
  unsigned naps = 0;
  uint32_t state = STANDS;
  __atomic_store_n(&stand.locked, locked, __ATOMIC_RELAXED);
  __atomic_store_n(&stand.state, STANDS, __ATOMIC_RELEASE);
  while (__atomic_load_n(&stand.state, __ATOMIC_ACQUIRE) == STANDS) {
    nap();
    naps++;
    if (locked && naps > NAPS_WITH_LOCK)
      __atomic_compare_exchange_n(&stand.state, &state, WENT_ON, false,
                                  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    if (naps > NAPS_MAX) {
      fprintf(stderr, "fork() waits for a thread without a lock, at %s\n",
              name);
      abort();
    }
  }
}

/* It stood there the last time, and others may come. */
static bool is_passed_over(void)
{
  uint32_t now = __atomic_load_n(&cycles, __ATOMIC_RELAXED);
  return stand.has_last && pthread_equal(stand.last, pthread_self()) &&
         now - stand.since < CYCLES_FOR_OTHERS;
}

static void fork_here(void);

static void visit(const char *name)
{
  uint32_t state = NOBODY;
  if (strcmp(name, "marking-over") == 0)
    __atomic_fetch_add(&cycles, 1, __ATOMIC_RELAXED);
  const char *wanted = __atomic_load_n(&stand.name, __ATOMIC_ACQUIRE);
  if (!wanted || strcmp(name, wanted) != 0 ||
      pthread_equal(pthread_self(), main_thread) || is_passed_over() ||
      !__atomic_compare_exchange_n(&stand.state, &state, COMES, false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return;
  stand.last = pthread_self(); /* read after main has seen STANDS */
  stand.has_last = true;
  if (stand.forks)
    fork_here();
  else
    stand_here(name);
}

static void want(const char *name)
{
  __atomic_store_n(&stand.state, NOBODY, __ATOMIC_RELAXED);
  stand.since = __atomic_load_n(&cycles, __ATOMIC_RELAXED);
  __atomic_store_n(&stand.name, name, __ATOMIC_RELEASE);
}

static void go_on(void)
{
  __atomic_store_n(&stand.name, NULL, __ATOMIC_RELEASE);
  uint32_t state = STANDS;
  while (!__atomic_compare_exchange_n(&stand.state, &state, WENT_ON, false,
                                      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) &&
         state == COMES)
    state = STANDS;
}

/* true: somebody stands there.  A thread in the heap comes to its safepoint
 * meanwhile, and visits no lock: who stands may have it. */
static bool await_somebody(const char *name, dusk_thread *in_heap)
{
  uint32_t most = is_unreachable(name) ? CYCLES_IN_VAIN : CYCLES;
  while (__atomic_load_n(&stand.state, __ATOMIC_ACQUIRE) < STANDS) {
    if (__atomic_load_n(&cycles, __ATOMIC_RELAXED) - stand.since > most)
      return false;
    if (in_heap)
      dusk_safepoint(in_heap);
    nap();
  }
  return true;
}

/* ---- the others ---- */

enum { CELLS = 8, BODIES = 5, LIST_SHORT = 8 };

static void *cells[CELLS]; /* a root */
static bool is_child;      /* of a thread that has forked itself */

static void store_in_every_way(dusk_thread *thread, uint64_t *random)
{
  static void *brief[2]; /* a root now and then */
  struct node *list = make_list(thread, random);
  dusk_cas(thread, &cells[0], dusk_load(&cells[0]), list);
  dusk_exchange(thread, &cells[1], list);
  dusk_copy(thread, &cells[2], &cells[0], 2);
  dusk_clear(thread, &cells[4], 2);
  dusk_store(thread, &cells[4], list);
  require(dusk_root_add(heap, brief, sizeof brief) == 0);
  dusk_store(thread, &brief[0], list);
  dusk_clear(thread, brief, 2);
  require(dusk_root_remove(heap, brief) == 0);
}

static void *store_without_end(void *argument)
{
  uint64_t random = 6;
  dusk_thread *thread = api_attach(heap);
  (void)argument;
  while (!is_over()) {
    store_in_every_way(thread, &random);
    rest_in(thread);
  }
  dusk_detach(thread);
  return NULL;
}

static void verify_cells(void)
{
  for (size_t i = 0; i < CELLS; i++)
    verify_list(dusk_load(&cells[i]));
}

static struct body {
  void *(*run)(void *argument);
  void *argument;
  pthread_t thread;
} bodies[BODIES] = {
    {.run = write_without_end},
    {.run = write_without_end, .argument = (void *)(uintptr_t)1},
    {.run = come_and_go},
    {.run = collect_without_end},
    {.run = store_without_end},
};

/* In the child of a thread that has forked itself, this is what is left. */
static void *run_body(void *argument)
{
  const struct body *body = argument;
  body->run(body->argument);
  if (is_child)
    live(NULL, 1);
  return NULL;
}

static void begin(void)
{
  main_thread = pthread_self();
  list_max = LIST_SHORT;
  chaos_visitor = visit;
  open_heap();
  ck_assert_int_eq(dusk_root_add(heap, cells, sizeof cells), 0);
  for (int i = 0; i < BODIES; i++)
    bodies[i].thread = api_start(run_body, &bodies[i]);
}

static void end(dusk_thread *thread)
{
  if (thread)
    dusk_blocking_begin(thread);
  __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < BODIES; i++)
    pthread_join(bodies[i].thread, NULL);
  if (thread) {
    dusk_blocking_end(thread);
    dusk_detach(thread);
  }
  verify_table();
  verify_cells();
  dusk_heap_close(heap);
}

/* ---- what is found ---- */

static unsigned forks, standing; /* those that found a thread at its point */

/* One line for all that is wrong, as the next may be as telling as the first.
 */
static char wrong[2000];

static void note_wrong(const char *name, const char *what)
{
  size_t used = strlen(wrong);
  snprintf(wrong + used, sizeof wrong - used, "%s: %s\n", name, what);
}

static void note_found(const char *name, bool found)
{
  if (found && is_unreachable(name))
    note_wrong(name, "is said to be out of reach");
  else if (!found && !is_unreachable(name))
    note_wrong(name, "nobody came");
}

/* ---- main forks ---- */

enum place { IN_HEAP, IN_REGION, UNATTACHED };

static __attribute__((noreturn)) void be_child(dusk_thread *thread,
                                               enum place place,
                                               const struct node *mine,
                                               bool execs, uint64_t number)
{
  bool locked = __atomic_load_n(&stand.locked, __ATOMIC_RELAXED);
  bool stands = __atomic_load_n(&stand.state, __ATOMIC_RELAXED) == STANDS;
  require(stands != locked); /* it was there, or the fork waited for it */
  __atomic_store_n(&stand.name, NULL, __ATOMIC_RELAXED);
  if (execs) {
    execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
    _exit(1);
  }
  if (place == IN_REGION)
    dusk_blocking_end(thread);
  verify_list(mine);
  verify_cells();
  live(thread, number);
}

static void fork_beside(dusk_thread *thread, enum place place, const char *name,
                        bool execs, uint64_t number)
{
  uint64_t random = number + 1;
  struct node *mine = thread ? make_list(thread, &random) : NULL;
  if (place == IN_REGION)
    dusk_blocking_begin(thread);
  want(name);
  bool found = await_somebody(name, place == IN_HEAP ? thread : NULL);
  note_found(name, found);
  if (!found) {
    go_on();
    if (place == IN_REGION)
      dusk_blocking_end(thread);
    return;
  }
  pid_t pid = fork();
  if (pid == 0)
    be_child(thread, place, mine, execs, number);
  forks++;
  standing += __atomic_load_n(&stand.state, __ATOMIC_RELAXED) == STANDS;
  go_on();
  if (place == IN_HEAP)
    dusk_blocking_begin(thread);
  await_child(pid);
  if (place != UNATTACHED)
    dusk_blocking_end(thread);
  verify_list(mine);
}

static void fork_at_each_point(enum place place)
{
  begin();
  dusk_thread *thread = place == UNATTACHED ? NULL : api_attach(heap);
  for (unsigned i = 0; i < POINTS; i++) {
    bool execs = (i + (unsigned)place) % 2;
    fork_beside(thread, place, points[i], execs, 2 * i);
    if (place == IN_HEAP)
      fork_beside(thread, place, points[i], !execs, 2 * i + 1);
    stand.has_last = false;
  }
  end(thread);
  ck_assert_msg(!*wrong, "%s", wrong);
  printf("%u forks, and in %u a thread stood at its point\n", forks, standing);
}

START_TEST(a_thread_in_the_heap_forks)
{
  fork_at_each_point(IN_HEAP);
}
END_TEST

START_TEST(a_thread_in_a_blocking_region_forks)
{
  fork_at_each_point(IN_REGION);
}
END_TEST

START_TEST(a_thread_that_is_not_attached_forks)
{
  fork_at_each_point(UNATTACHED);
}
END_TEST

/* ---- the thread at the point forks itself ---- */

/* Points at which a thread is what it is where the program may fork: attached
 * and between two calls, or in a blocking region.  At all others it is in the
 * middle of a call. */
static const char *const between_calls[] = {"joined", "outside", "coming-back"};
enum {
  BETWEEN_CALLS = sizeof between_calls / sizeof *between_calls,
  TIMES = 6
};

static pid_t own_child; /* published by STANDS */

/* The child goes on with the call that it is in; then its body ends. */
static void fork_here(void)
{
  pid_t pid = fork();
  if (pid == 0) {
    __atomic_store_n(&stand.name, NULL, __ATOMIC_RELAXED);
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    is_child = true;
    return;
  }
  own_child = pid;
  __atomic_store_n(&stand.state, STANDS, __ATOMIC_RELEASE);
}

START_TEST(the_thread_at_the_point_forks)
{
  begin();
  stand.forks = true;
  for (int i = 0; i < BETWEEN_CALLS * TIMES; i++) {
    const char *name = between_calls[i % BETWEEN_CALLS];
    want(name);
    bool found = await_somebody(name, NULL);
    note_found(name, found);
    go_on();
    if (found)
      await_child(own_child);
  }
  end(NULL);
  ck_assert_msg(!*wrong, "%s", wrong);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("forkpoints");
  TCase *tests = api_case(suite, "forkpoints");
  if (THREADS_MAY_NOT_FOLLOW_A_FORK)
    return 77;
  tcase_add_test(tests, a_thread_in_the_heap_forks);
  tcase_add_test(tests, a_thread_in_a_blocking_region_forks);
  tcase_add_test(tests, a_thread_that_is_not_attached_forks);
  tcase_add_test(tests, the_thread_at_the_point_forks);
  return api_run(suite);
}
