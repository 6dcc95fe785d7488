/* SPDX-License-Identifier: MIT */
/* pool.c -- buffers for messages, taken from a pool or made anew
 *
 * Each thread has messages under way, in a ring.  An operation makes one,
 * checks the one that has been under way longest and is done with its buffer:
 * with --reuse that goes to the thread's pool, else it is garbage.  So one can
 * see what a pool buys with a collector.  Beside it lives what a program keeps:
 * lists of --live bytes, so that a cycle has something to mark. */
#include "work.h"

#include <errno.h>
#include <stdlib.h>

enum { THREADS, BUFFER, UNDER_WAY, LIVE, REUSE, OPERATIONS, SECONDS, SEED };

/* The kind's bitmap names the first two words. */
struct message {
  struct message *next; /* in the pool, or in a list of what lives */
  uint64_t *buffer;     /* a leaf */
  uint64_t number;
};

enum { MESSAGE_POINTERS = 2 };

struct pool {
  dusk_kind message;
  dusk_kind ring;
  uint64_t bytes; /* of a buffer */
  uint64_t under_way;
  uint64_t live_messages; /* for each thread */
  bool reuse;
  struct lane *lanes; /* one a thread; libc's memory, a root */
};

struct lane {
  struct message **ring; /* an object */
  struct message *free;
  struct message *living;
  uint64_t made;
  uint64_t number;
  char padding[88]; /* two cache lines each: lanes are neighbours */
};

static void message_write(struct message *message, uint64_t bytes,
                          uint64_t number)
{
  message->number = number;
  for (uint64_t i = 0; i < bytes / 8; i++)
    message->buffer[i] = number + i;
}

static void message_check(const struct message *message, uint64_t bytes,
                          uint64_t number)
{
  uint64_t last = bytes / 8 - 1;
  if (DUSK_UNLIKELY(!message || message->number != number ||
                    message->buffer[0] != number ||
                    message->buffer[last] != number + last))
    work_fail("pool: a message is not what was written", 0);
}

static struct message *message_make(const struct pool *pool,
                                    dusk_thread *thread, uint64_t bytes)
{
  uint64_t *buffer = work_alloc(thread, DUSK_LEAF, bytes);
  struct message *message = work_new(thread, pool->message);
  dusk_init(thread, &message->buffer, buffer);
  return message;
}

static struct message *pool_take(const struct pool *pool, struct lane *lane,
                                 dusk_thread *thread)
{
  struct message *message = dusk_load(&lane->free);
  if (!message) {
    lane->made++;
    return message_make(pool, thread, pool->bytes);
  }
  dusk_store(thread, &lane->free, dusk_load(&message->next));
  return message;
}

static void pool_give(struct lane *lane, dusk_thread *thread,
                      struct message *message)
{
  dusk_store(thread, &message->next, dusk_load(&lane->free));
  dusk_store(thread, &lane->free, message);
}

static void pool_step(struct worker *worker)
{
  const struct pool *pool = worker->crew->data;
  dusk_thread *thread = worker->thread;
  struct lane *lane = &pool->lanes[worker->index];
  uint64_t number = lane->number++;
  struct message *message = pool_take(pool, lane, thread);
  message_write(message, pool->bytes, number);
  struct message **ring = dusk_load(&lane->ring);
  struct message **slot = &ring[number % pool->under_way];
  struct message *done = dusk_load(slot);
  dusk_store(thread, slot, message);
  if (number >= pool->under_way) {
    message_check(done, pool->bytes, number - pool->under_way);
    if (pool->reuse)
      pool_give(lane, thread, done);
  }
  dusk_safepoint(thread);
}

enum { LIVING_BYTES = 64 };

static void pool_prepare(struct worker *worker)
{
  const struct pool *pool = worker->crew->data;
  dusk_thread *thread = worker->thread;
  struct lane *lane = &pool->lanes[worker->index];
  dusk_store(
      thread, &lane->ring,
      work_alloc(thread, pool->ring, pool->under_way * sizeof *lane->ring));
  for (uint64_t i = 0; i < pool->live_messages; i++) {
    struct message *message = message_make(pool, thread, LIVING_BYTES);
    message_write(message, LIVING_BYTES, i);
    dusk_store(thread, &message->next, dusk_load(&lane->living));
    dusk_store(thread, &lane->living, message);
  }
}

/* All that lived is there, and all that is still under way. */
static void pool_finish(struct worker *worker)
{
  const struct pool *pool = worker->crew->data;
  const struct lane *lane = &pool->lanes[worker->index];
  const struct message *message = dusk_load(&lane->living);
  for (uint64_t i = pool->live_messages; i-- > 0;) {
    message_check(message, LIVING_BYTES, i);
    message = dusk_load(&message->next);
    dusk_safepoint(worker->thread);
  }
  struct message **ring = dusk_load(&lane->ring);
  uint64_t left =
      lane->number < pool->under_way ? lane->number : pool->under_way;
  for (uint64_t i = lane->number - left; i < lane->number; i++)
    message_check(dusk_load(&ring[i % pool->under_way]), pool->bytes, i);
}

static void pool_report(const struct pool *pool, unsigned threads)
{
  uint64_t made = 0;
  for (unsigned i = 0; i < threads; i++)
    made += pool->lanes[i].made;
  measure_figure("buffers", (double)made, "made");
}

static void pool_run(const uint64_t *values)
{
  dusk_heap *heap = work_open();
  dusk_thread *thread;
  int error = dusk_attach(heap, &thread);
  if (error)
    work_fail("cannot attach", error);
  unsigned threads = (unsigned)values[THREADS];
  struct pool pool = {
      .message =
          work_kind(heap, "message", sizeof(struct message), MESSAGE_POINTERS),
      .ring = work_kind(heap, "ring", 0, 0),
      .bytes = values[BUFFER] & ~UINT64_C(7),
      .under_way = values[UNDER_WAY],
      .reuse = values[REUSE],
      .lanes = calloc(threads, sizeof *pool.lanes)};
  pool.live_messages = values[LIVE] / threads /
                       (dusk_round_size(sizeof(struct message)) + LIVING_BYTES);
  error = pool.lanes
              ? dusk_root_add(heap, pool.lanes, threads * sizeof *pool.lanes)
              : ENOMEM;
  if (error)
    work_fail("pool: cannot make the lanes", error);
  struct crew crew = {.heap = heap,
                      .data = &pool,
                      .prepare = pool_prepare,
                      .step = pool_step,
                      .finish = pool_finish,
                      .threads = threads,
                      .seed = values[SEED],
                      .operations = values[OPERATIONS],
                      .seconds = values[SECONDS]};
  crew_run(&crew, thread);
  pool_report(&pool, threads);
  dusk_detach(thread);
  dusk_root_remove(heap, pool.lanes);
  dusk_heap_close(heap);
  free(pool.lanes);
}

static const struct work_option pool_options[] = {
    [THREADS] = {"threads", "threads at work", 2, 2, 1, WORK_THREADS_MAX,
                 false},
    [BUFFER] = {"buffer", "bytes of a buffer", 16 << 10, 16 << 10, 16, 1 << 30,
                false},
    [UNDER_WAY] = {"under-way", "messages under way for each thread", 64, 64, 1,
                   1 << 24, false},
    [LIVE] = {"live", "bytes that live beside them", 32 << 20, 4 << 20, 0,
              UINT64_C(1) << 37, false},
    [REUSE] = {"reuse", "use buffers again", 0, 0, 0, 1, true},
    [OPERATIONS] = {"operations", "messages", 500000, 50000, 1,
                    UINT64_C(1) << 40, false},
    [SECONDS] = {"seconds", "work so long, and count (0: --operations)", 0, 0,
                 0, 86400, false},
    [SEED] = {"seed", "of the random numbers", 1, 1, 0, UINT32_MAX, false},
    {.name = NULL}};

const struct work work_pool = {
    "pool", "buffers for messages, anew or with --reuse from a pool",
    pool_options, pool_run};
