/* SPDX-License-Identifier: MIT */
/* thread.c -- attaching, detaching, blocking regions, locks
 *
 * <dusk/thread.h>.  Attach and detach are tried at each place of a cycle that
 * cycle.h can hold. */
#include "cycle.h"

#include <semaphore.h>

/* Attach and detach */

START_TEST(attaching_to_nothing_is_refused)
{
  dusk_heap *heap = api_open();
  dusk_thread *const untouched = (dusk_thread *)&untouched;
  dusk_thread *thread = untouched;
  ck_assert_int_eq(dusk_attach(NULL, &thread), EINVAL);
  ck_assert_int_eq(dusk_attach(heap, NULL), EINVAL);
  ck_assert_int_eq(dusk_attach(NULL, NULL), EINVAL);
  ck_assert_ptr_eq(thread, untouched);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(attaching_twice_is_refused)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_thread *again = NULL;
  ck_assert_int_eq(dusk_attach(heap, &again), EBUSY);
  ck_assert_int_eq(dusk_attach(heap, &again), EBUSY);
  ck_assert_ptr_null(again);
  api_alloc(thread, DUSK_LEAF, 16);
  dusk_collect(thread);
  dusk_detach(thread);
  thread = api_attach(heap);
  api_alloc(thread, DUSK_LEAF, 16);
  api_close(heap, thread);
}
END_TEST

START_TEST(a_thread_may_be_in_several_heaps)
{
  dusk_heap *heaps[4];
  dusk_thread *threads[4];
  for (int i = 0; i < 4; i++) {
    heaps[i] = api_open();
    threads[i] = api_attach(heaps[i]);
  }
  for (int i = 0; i < 4000; i++)
    api_alloc(threads[i % 4], DUSK_LEAF, 4000);
  for (int i = 0; i < 4; i++)
    api_close(heaps[i], threads[i]);
}
END_TEST

static void *detach_foreign(void *thread)
{
  dusk_detach(thread);
  return NULL;
}

enum bad_detach { DETACH_NULL, DETACH_TWICE, DETACH_FOREIGN, BAD_DETACHES };

static int detach_badly(const void *argument)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  switch (*(const enum bad_detach *)argument) {
  case DETACH_NULL:
    dusk_detach(NULL);
    break;
  case DETACH_TWICE:
    dusk_detach(thread);
    dusk_detach(thread);
    thread = api_attach(heap);
    break;
  default:
    pthread_join(api_start(detach_foreign, thread), NULL);
    break;
  }
  api_alloc(thread, DUSK_LEAF, 100);
  dusk_collect(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(a_bad_detach_is_one_line_and_changes_nothing)
{
  enum bad_detach how = (enum bad_detach)_i;
  struct api_child child;
  api_fork(&child, detach_badly, &how);
  api_assert_one_line(&child, "detach");
}
END_TEST

struct visitor {
  dusk_heap *heap;
  int rounds;
};

static void *visit(void *argument)
{
  const struct visitor *visitor = argument;
  for (int i = 0; i < visitor->rounds; i++) {
    dusk_thread *thread = api_attach(visitor->heap);
    void **object = api_alloc(thread, DUSK_CONSERVATIVE, 64);
    dusk_init(thread, object, NULL);
    dusk_store(thread, object, api_alloc(thread, DUSK_LEAF, 48));
    ck_assert_uint_eq(dusk_size_of(visitor->heap, dusk_load(object)), 48);
    dusk_detach(thread);
  }
  return NULL;
}

/* Nobody who comes or goes waits for the cycle. */
START_TEST(threads_come_and_go_at_any_place_of_a_cycle)
{
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  struct hold hold;
  hold_begin(&hold, heap, thread, (enum hold_place)_i);
  struct visitor visitor = {heap, 100};
  pthread_t visitors[4];
  for (int i = 0; i < 4; i++)
    visitors[i] = api_start(visit, &visitor);
  for (int i = 0; i < 4; i++)
    pthread_join(visitors[i], NULL);
  hold_end(&hold, thread);
  api_close(heap, thread);
}
END_TEST

START_TEST(threads_come_and_go_while_cycles_run)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct cycler cycler;
  cycler_start(&cycler, heap);
  struct visitor visitor = {heap, 300};
  pthread_t visitors[4];
  dusk_blocking_begin(thread);
  for (int i = 0; i < 4; i++)
    visitors[i] = api_start(visit, &visitor);
  for (int i = 0; i < 4; i++)
    pthread_join(visitors[i], NULL);
  dusk_blocking_end(thread);
  cycler_stop(&cycler, thread);
  api_close(heap, thread);
}
END_TEST

START_TEST(what_a_thread_took_is_used_again)
{
  dusk_heap *heap = api_open();
  dusk_memstats early, late;
  for (int i = 0; i < 100; i++) {
    dusk_thread *thread = api_attach(heap);
    for (size_t bytes = 16; bytes < 4096; bytes += 16)
      api_alloc(thread, DUSK_LEAF, bytes);
    dusk_collect(thread);
    dusk_read_memstats(heap, i < 10 ? &early : &late);
    dusk_detach(thread);
  }
  ck_assert_uint_le(late.mcache_sys, early.mcache_sys * 2);
  ck_assert_uint_le(late.heap_sys, early.heap_sys * 2);
  ck_assert_uint_le(late.gc_sys, early.gc_sys * 2);
  dusk_heap_close(heap);
}
END_TEST

/* Ending while attached */

enum ending { RETURNS, EXITS, RETURNS_BLOCKED, ENDINGS };

struct quitter {
  dusk_heap *heap;
  enum ending ending;
};

static void *quit(void *argument)
{
  const struct quitter *quitter = argument;
  dusk_thread *thread = api_attach(quitter->heap);
  for (int i = 0; i < 1000; i++)
    api_alloc(thread, DUSK_CONSERVATIVE, 64);
  if (quitter->ending == RETURNS_BLOCKED)
    dusk_blocking_begin(thread);
  if (quitter->ending == EXITS)
    pthread_exit(NULL);
  return NULL;
}

static int end_while_attached(const void *argument)
{
  dusk_heap *heap = api_open_manual();
  struct quitter quitter = {heap, *(const enum ending *)argument};
  pthread_join(api_start(quit, &quitter), NULL);
  dusk_thread *thread = api_attach(heap);
  dusk_collect(thread); /* waits for no ghost */
  ck_assert_uint_le(api_objects(heap), HANDFUL);
  api_close(heap, thread); /* counts no ghost */
  return 0;
}

START_TEST(a_thread_that_ends_is_detached)
{
  enum ending ending = (enum ending)_i;
  struct api_child child;
  api_fork(&child, end_while_attached, &ending);
  api_assert_silent(&child);
}
END_TEST

/* Blocking regions */

struct sleeper {
  dusk_heap *heap;
  sem_t ready, wake;
  bool intact;
};

static void *sleep_with_objects(void *argument)
{
  struct sleeper *sleeper = argument;
  dusk_thread *thread = api_attach(sleeper->heap);
  char *volatile objects[64];
  for (int i = 0; i < 64; i++) {
    objects[i] = api_alloc(thread, DUSK_LEAF, 64);
    memset(objects[i], i + 1, 64);
  }
  dusk_blocking_begin(thread);
  sem_post(&sleeper->ready);
  while (sem_wait(&sleeper->wake))
    continue;
  dusk_blocking_end(thread);
  sleeper->intact = true;
  for (int i = 0; i < 64; i++)
    sleeper->intact =
        sleeper->intact && objects[i][0] == i + 1 && objects[i][63] == i + 1;
  dusk_detach(thread);
  return NULL;
}

START_TEST(a_sleeping_thread_delays_nothing_and_loses_nothing)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct sleeper sleeper = {.heap = heap};
  sem_init(&sleeper.ready, 0, 0);
  sem_init(&sleeper.wake, 0, 0);
  pthread_t sleeping = api_start(sleep_with_objects, &sleeper);
  while (sem_wait(&sleeper.ready))
    continue;
  for (int i = 0; i < 5; i++) {
    dusk_collect(thread);
    for (int j = 0; j < 10000; j++)
      memset(api_alloc(thread, DUSK_LEAF, 64), 0xff, 64);
  }
  sem_post(&sleeper.wake);
  pthread_join(sleeping, NULL);
  ck_assert(sleeper.intact);
  api_close(heap, thread);
}
END_TEST

static int nest_regions(const void *unused)
{
  (void)unused;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_blocking_begin(thread);
  dusk_blocking_begin(thread); /* a line; still inside */
  dusk_blocking_end(thread);
  api_alloc(thread, DUSK_LEAF, 64);
  dusk_collect(thread);
  api_close(heap, thread);
  return 0;
}

static int end_no_region(const void *unused)
{
  (void)unused;
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  dusk_blocking_end(thread); /* a line; still outside */
  api_alloc(thread, DUSK_LEAF, 64);
  dusk_blocking_begin(thread);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  api_close(heap, thread);
  return 0;
}

START_TEST(nested_regions_are_one_line)
{
  struct api_child child;
  api_fork(&child, nest_regions, NULL);
  api_assert_one_line(&child, "dusk_blocking_begin");
}
END_TEST

START_TEST(ending_no_region_is_one_line)
{
  struct api_child child;
  api_fork(&child, end_no_region, NULL);
  api_assert_one_line(&child, "dusk_blocking_end");
}
END_TEST

/* Locks and conditions */

struct meeting {
  dusk_heap *heap;
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  sem_t ready;
  bool open;
};

static void meeting_init(struct meeting *meeting, dusk_heap *heap)
{
  *meeting = (struct meeting){.heap = heap};
  pthread_mutex_init(&meeting->mutex, NULL);
  pthread_cond_init(&meeting->cond, NULL);
  sem_init(&meeting->ready, 0, 0);
}

static void *lock_and_leave(void *argument)
{
  struct meeting *meeting = argument;
  dusk_thread *thread = api_attach(meeting->heap);
  sem_post(&meeting->ready);
  ck_assert_int_eq(dusk_mutex_lock(thread, &meeting->mutex), 0);
  pthread_mutex_unlock(&meeting->mutex);
  api_alloc(thread, DUSK_LEAF, 64);
  dusk_detach(thread);
  return NULL;
}

static void *wait_until_open(void *argument)
{
  struct meeting *meeting = argument;
  dusk_thread *thread = api_attach(meeting->heap);
  ck_assert_int_eq(dusk_mutex_lock(thread, &meeting->mutex), 0);
  sem_post(&meeting->ready);
  while (!meeting->open)
    ck_assert_int_eq(dusk_cond_wait(thread, &meeting->cond, &meeting->mutex),
                     0);
  pthread_mutex_unlock(&meeting->mutex);
  api_alloc(thread, DUSK_LEAF, 64);
  dusk_detach(thread);
  return NULL;
}

START_TEST(waiting_for_a_mutex_delays_no_cycle)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct meeting meeting;
  meeting_init(&meeting, heap);
  ck_assert_int_eq(dusk_mutex_lock(thread, &meeting.mutex), 0);
  pthread_t waiting[3];
  for (int i = 0; i < 3; i++) {
    waiting[i] = api_start(lock_and_leave, &meeting);
    while (sem_wait(&meeting.ready))
      continue;
  }
  for (int i = 0; i < 5; i++)
    dusk_collect(thread);
  pthread_mutex_unlock(&meeting.mutex);
  for (int i = 0; i < 3; i++)
    pthread_join(waiting[i], NULL);
  api_close(heap, thread);
}
END_TEST

START_TEST(waiting_for_a_condition_delays_no_cycle)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct meeting meeting;
  meeting_init(&meeting, heap);
  pthread_t waiting[3];
  for (int i = 0; i < 3; i++) {
    waiting[i] = api_start(wait_until_open, &meeting);
    while (sem_wait(&meeting.ready))
      continue;
  }
  for (int i = 0; i < 5; i++)
    dusk_collect(thread);
  ck_assert_int_eq(dusk_mutex_lock(thread, &meeting.mutex), 0);
  meeting.open = true;
  pthread_cond_broadcast(&meeting.cond);
  pthread_mutex_unlock(&meeting.mutex);
  for (int i = 0; i < 3; i++)
    pthread_join(waiting[i], NULL);
  api_close(heap, thread);
}
END_TEST

START_TEST(locks_return_what_pthreads_return)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_t mutex;
  pthread_mutex_init(&mutex, &attributes);
  pthread_cond_t cond;
  pthread_cond_init(&cond, NULL);
  struct timespec past = {0, 0};
  struct timespec invalid = {0, -1};

  ck_assert_int_eq(dusk_mutex_lock(thread, &mutex), 0);
  ck_assert_int_eq(dusk_mutex_lock(thread, &mutex), EDEADLK);
  ck_assert_int_eq(dusk_cond_timedwait(thread, &cond, &mutex, &past),
                   ETIMEDOUT);
  ck_assert_int_eq(dusk_cond_timedwait(thread, &cond, &mutex, &invalid),
                   EINVAL);
  /* Still held, still outside a region. */
  ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
  ck_assert_int_eq(pthread_mutex_trylock(&mutex), 0);
  ck_assert_int_eq(pthread_mutex_unlock(&mutex), 0);
  api_alloc(thread, DUSK_LEAF, 64);
  dusk_collect(thread);
  api_close(heap, thread);
}
END_TEST

/* Handing over */

struct handover {
  dusk_heap *heap;
  void *value; /* also on the giver's stack until `attached` */
  sem_t attached;
  bool intact;
};

static void *take_over(void *argument)
{
  struct handover *handover = argument;
  dusk_thread *thread = api_attach(handover->heap);
  unsigned char *value = handover->value;
  sem_post(&handover->attached);
  for (int i = 0; i < 3; i++)
    dusk_collect(thread);
  handover->intact = value[0] == 0x5a && value[4095] == 0x5a;
  api_keep(value);
  dusk_detach(thread);
  return NULL;
}

START_TEST(a_value_is_handed_to_a_new_thread)
{
  dusk_heap *heap = api_open();
  dusk_thread *thread = api_attach(heap);
  struct cycler cycler;
  cycler_start(&cycler, heap);
  for (int i = 0; i < 20; i++) {
    struct handover handover = {.heap = heap};
    sem_init(&handover.attached, 0, 0);
    handover.value = memset(api_alloc(thread, DUSK_LEAF, 4096), 0x5a, 4096);
    dusk_blocking_begin(thread);
    pthread_t taker = api_start(take_over, &handover);
    while (sem_wait(&handover.attached))
      continue;
    dusk_blocking_end(thread);
    handover.value = NULL;
    dusk_blocking_begin(thread);
    pthread_join(taker, NULL);
    dusk_blocking_end(thread);
    ck_assert(handover.intact);
  }
  cycler_stop(&cycler, thread);
  api_close(heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("thread");
  TCase *attach = api_case(suite, "attach");
  tcase_add_test(attach, attaching_to_nothing_is_refused);
  tcase_add_test(attach, attaching_twice_is_refused);
  tcase_add_test(attach, a_thread_may_be_in_several_heaps);
  tcase_add_loop_test(attach, a_bad_detach_is_one_line_and_changes_nothing, 0,
                      BAD_DETACHES);
  tcase_add_loop_test(attach, threads_come_and_go_at_any_place_of_a_cycle, 0,
                      HOLD_PLACES);
  tcase_add_test(attach, threads_come_and_go_while_cycles_run);
  tcase_add_test(attach, what_a_thread_took_is_used_again);
  tcase_add_loop_test(attach, a_thread_that_ends_is_detached, 0, ENDINGS);

  TCase *blocking = api_case(suite, "blocking");
  tcase_add_test(blocking, a_sleeping_thread_delays_nothing_and_loses_nothing);
  tcase_add_test(blocking, nested_regions_are_one_line);
  tcase_add_test(blocking, ending_no_region_is_one_line);
  tcase_add_test(blocking, waiting_for_a_mutex_delays_no_cycle);
  tcase_add_test(blocking, waiting_for_a_condition_delays_no_cycle);
  tcase_add_test(blocking, locks_return_what_pthreads_return);
  tcase_add_test(blocking, a_value_is_handed_to_a_new_thread);
  return api_run(suite);
}
