/* SPDX-License-Identifier: MIT */
/* handover.c -- a value handed to a new thread while H2 is open
 *
 * The parent allocates an object before its H2 and hands it to a child outside
 * the heap, as an argument of pthread_create would.  The child attaches while
 * the parent still owes H2; the parent then lets the object go, and serves H2
 * with nothing on its stack.  A child that counted as scanned from the start
 * would hold the only reference in the program, and nobody would look there:
 * it has to owe H2 itself.
 *
 * The parent sees what is posted in the thread's public words: the barrier is
 * on from H1, and poll is set once more for H1b, and again for H2. */
#include "cycle.h"

#include <sched.h>

#define WORDS 8
#define PATTERN UINT64_C(0x1D05C0FFEE15600D)

/* A pointer that no conservative scan can see. */
struct box {
  uintptr_t hidden;
  dusk_heap *heap;
  bool attached;  /* atomic */
  bool collected; /* atomic */
  bool intact;
};

static void wait_for(bool *flag)
{
  while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
    sched_yield();
}

static void raise_flag(bool *flag)
{
  __atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

/* Fills free slots, so that a slot freed by mistake is used again. */
static void overwrite_free_slots(dusk_thread *thread)
{
  for (int i = 0; i < 20000; i++)
    memset(api_alloc(thread, DUSK_LEAF, WORDS * sizeof(uint64_t)), 0xFF,
           WORDS * sizeof(uint64_t));
}

static void *child(void *argument)
{
  struct box *box = argument;
  dusk_thread *thread = api_attach(box->heap);
  uint64_t *volatile object = (uint64_t *)~box->hidden;
  raise_flag(&box->attached);
  while (!__atomic_load_n(&box->collected, __ATOMIC_ACQUIRE))
    dusk_safepoint(thread);
  overwrite_free_slots(thread);
  box->intact = true;
  for (int i = 0; i < WORDS; i++)
    box->intact = box->intact && object[i] == PATTERN;
  dusk_detach(thread);
  return NULL;
}

static void *collect(void *argument)
{
  struct box *box = argument;
  dusk_thread *thread = api_attach(box->heap);
  dusk_collect(thread);
  raise_flag(&box->collected);
  dusk_detach(thread);
  return NULL;
}

static __attribute__((noinline)) void make_hidden(dusk_thread *thread,
                                                  struct box *box)
{
  uint64_t *object = api_alloc(thread, DUSK_LEAF, WORDS * sizeof(uint64_t));
  for (int i = 0; i < WORDS; i++)
    object[i] = PATTERN;
  box->hidden = ~(uintptr_t)object;
}

static void wait_until_posted(dusk_thread *thread)
{
  while (!__atomic_load_n(&dusk_abi(thread)->poll, __ATOMIC_ACQUIRE))
    sched_yield();
}

START_TEST(a_child_that_attaches_during_h2_is_scanned)
{
  struct box box = {.heap = api_open_manual()};
  dusk_thread *thread = api_attach(box.heap);
  pthread_t child_thread, collector;
  make_hidden(thread, &box);
  ck_assert_int_eq(pthread_create(&collector, NULL, collect, &box), 0);
  wait_until_posted(thread); /* H1 */
  dusk_safepoint(thread);
  wait_until_posted(thread); /* H1b */
  dusk_safepoint(thread);
  wait_until_posted(thread); /* H2, which this thread now owes */
  ck_assert_int_eq(pthread_create(&child_thread, NULL, child, &box), 0);
  wait_for(&box.attached);
  api_scrub_stack();
  dusk_safepoint(thread); /* H2, with the object forgotten */
  while (!__atomic_load_n(&box.collected, __ATOMIC_ACQUIRE))
    dusk_safepoint(thread);
  dusk_blocking_begin(thread);
  pthread_join(collector, NULL);
  pthread_join(child_thread, NULL);
  dusk_blocking_end(thread);
  ck_assert(box.intact);
  api_close(box.heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("handover");
  TCase *tests = api_case(suite, "handover");
  tcase_add_test(tests, a_child_that_attaches_during_h2_is_scanned);
  return api_run(suite);
}
