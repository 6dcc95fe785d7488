/* SPDX-License-Identifier: MIT */
/* churn.c -- short lists that threads rewire and replace as fast as they can
 *
 * A table of lists of equal length.  A thread owns a list from the moment when
 * it exchanges the table's slot for NULL until it stores one back; meeting
 * NULL, it tries another slot.  Half the operations build a new list in place
 * of one, half swap the tails of two.  The live heap stays as large as it is
 * and garbage comes evenly: the plainest program for a controller. */
#include "work.h"

#include <stdlib.h>

enum { THREADS, LIVE, LENGTH, OPERATIONS, SECONDS, SEED };

struct node {
  struct node *next;
  uint64_t seal; /* made of its own address */
  uint64_t payload[6];
};

struct lists {
  dusk_kind node;
  struct node **table; /* kept alive by the first thread's stack */
  uint64_t count;
  uint64_t length;
};

static uint64_t node_seal(const struct node *node)
{
  return (uintptr_t)node ^ UINT64_C(0x5EA1ED5EA1ED5EA1);
}

static void node_check(const struct node *node)
{
  if (DUSK_UNLIKELY(!node || node->seal != node_seal(node)))
    work_fail("churn: a list has lost a node", 0);
}

static struct node *list_build(const struct lists *lists, dusk_thread *thread)
{
  struct node *head = NULL;
  for (uint64_t i = 0; i < lists->length; i++) {
    struct node *node = work_new(thread, lists->node);
    dusk_init(thread, &node->next, head);
    node->seal = node_seal(node);
    head = node;
  }
  return head;
}

static struct node *list_take(const struct lists *lists, struct worker *worker,
                              struct node ***slot)
{
  struct node *head;
  do {
    *slot = &lists->table[measure_random_below(&worker->random, lists->count)];
    head = dusk_exchange(worker->thread, *slot, NULL);
  } while (!head);
  return head;
}

static struct node *list_walk(struct node *node, uint64_t steps)
{
  for (node_check(node); steps; steps--) {
    node = dusk_load(&node->next);
    node_check(node);
  }
  return node;
}

static void churn_replace(const struct lists *lists, struct worker *worker)
{
  struct node **slot;
  node_check(list_take(lists, worker, &slot));
  dusk_store(worker->thread, slot, list_build(lists, worker->thread));
}

static void churn_rewire(const struct lists *lists, struct worker *worker)
{
  dusk_thread *thread = worker->thread;
  struct node **slots[2];
  struct node *heads[2];
  heads[0] = list_take(lists, worker, &slots[0]);
  heads[1] = list_take(lists, worker, &slots[1]);
  uint64_t at = measure_random_below(&worker->random, lists->length - 1);
  struct node *left = list_walk(heads[0], at);
  struct node *right = list_walk(heads[1], at);
  struct node *tail = dusk_load(&left->next);
  dusk_store(thread, &left->next, dusk_load(&right->next));
  dusk_store(thread, &right->next, tail);
  dusk_store(thread, slots[0], heads[1]);
  dusk_store(thread, slots[1], heads[0]);
  dusk_safepoint(thread);
}

static void churn_prepare(struct worker *worker)
{
  const struct lists *lists = worker->crew->data;
  uint64_t shares = worker->crew->threads;
  uint64_t end = lists->count * (worker->index + 1) / shares;
  for (uint64_t i = lists->count * worker->index / shares; i < end; i++)
    dusk_store(worker->thread, &lists->table[i],
               list_build(lists, worker->thread));
}

static void churn_step(struct worker *worker)
{
  const struct lists *lists = worker->crew->data;
  if (measure_random_next(&worker->random) >> 63)
    churn_replace(lists, worker);
  else
    churn_rewire(lists, worker);
}

/* Every list is there, and as long as it was. */
static void churn_verify(const struct lists *lists, dusk_thread *thread)
{
  for (uint64_t i = 0; i < lists->count; i++) {
    struct node *last =
        list_walk(dusk_load(&lists->table[i]), lists->length - 1);
    if (dusk_load(&last->next))
      work_fail("churn: a list has grown", 0);
    dusk_safepoint(thread);
  }
}

static void churn_run(const uint64_t *values)
{
  dusk_heap *heap = work_open();
  dusk_thread *thread;
  int error = dusk_attach(heap, &thread);
  if (error)
    work_fail("cannot attach", error);
  struct lists lists = {.length = values[LENGTH]};
  lists.count = values[LIVE] / (lists.length * sizeof(struct node));
  if (lists.count < 4 * values[THREADS])
    work_fail("churn: --live is too small for --length and --threads", 0);
  lists.node = work_kind(heap, "list node", sizeof(struct node), 1);
  lists.table = work_alloc(thread, work_kind(heap, "table", 0, 0),
                           lists.count * sizeof *lists.table);
  struct crew crew = {.heap = heap,
                      .data = &lists,
                      .prepare = churn_prepare,
                      .step = churn_step,
                      .threads = (unsigned)values[THREADS],
                      .seed = values[SEED],
                      .operations = values[OPERATIONS],
                      .seconds = values[SECONDS]};
  crew_run(&crew, thread);
  churn_verify(&lists, thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
}

static const struct work_option churn_options[] = {
    [THREADS] = {"threads", "threads at work", 2, 2, 1, WORK_THREADS_MAX,
                 false},
    [LIVE] = {"live", "bytes of lists that live", 64 << 20, 8 << 20, 64 << 10,
              UINT64_C(1) << 37, false},
    [LENGTH] = {"length", "nodes of 64 bytes in a list", 16, 16, 2, 1 << 20,
                false},
    [OPERATIONS] = {"operations", "lists to replace or rewire", 2000000, 200000,
                    1, UINT64_C(1) << 40, false},
    [SECONDS] = {"seconds", "work so long, and count (0: --operations)", 0, 0,
                 0, 86400, false},
    [SEED] = {"seed", "of the random numbers", 1, 1, 0, UINT32_MAX, false},
    {.name = NULL}};

const struct work work_churn = {
    "churn", "lists rewired and replaced: a live heap of constant size",
    churn_options, churn_run};
