/* SPDX-License-Identifier: MIT */
/* limiter.c -- how much of the processors collection may take
 *
 * ALWAYS TRUE
 *
 *   .bounds   The bucket holds between nothing and its capacity.
 *   .full     The limiter goes on when an update fills the bucket, and off at
 *             the first that lets something out.  An update that changes
 *             nothing changes no mind either.
 *
 * A bucket and not an average: a short program, or a heap that has just grown,
 * may mark as hard as it likes for a second.  The time before that counts for
 * nothing, however long the program ran without collecting.
 *
 * Runs under the collector's lock.  COST  some ten nanoseconds a call.
 * TESTED  tests/unit/limiter.c */
#include "pace/limiter.h"

#include "base/check.h"

static const int64_t second_ns = 1000000000;

/* More than this at once, 18 years of one processor, is no time that passed. */
static const int64_t most_ns = INT64_MAX / 16;

static void put(struct limiter *l, bool on)
{
  if (on)
    STORE_RELAXED(&l->last_on, l->cycles + 1);
  STORE_RELAXED(&l->on, on);
}

void limiter_init(struct limiter *l, uint64_t now_ns, unsigned processors,
                  double background)
{
  CHECK(processors > 0);
  *l = (struct limiter){
      .processors = processors,
      .capacity = processors * second_ns,
      .background = background,
      .updated_ns = now_ns,
  };
}

/* Lets the time of collection in and that of the program out.  The program's is
 * negative when more time was told than has passed: some of it had begun before
 * the last update. */
static void flow(struct limiter *l, int64_t program, int64_t gc)
{
  int64_t change = gc - program;
  int64_t room = l->capacity - l->fill;
  if (change > 0 && room <= change) {
    l->overflow += (uint64_t)(change - room);
    l->fill = l->capacity;
    if (!l->on)
      put(l, true); /* .full */
    return;
  }
  l->fill = l->fill + change > 0 ? l->fill + change : 0; /* .bounds */
  if (change)
    put(l, false);
}

/* Processor time that has passed since the last update; a clock that went
 * back has not passed at all. */
static int64_t pass(struct limiter *l, uint64_t now_ns)
{
  uint64_t window = now_ns > l->updated_ns ? now_ns - l->updated_ns : 0;
  STORE_RELAXED(&l->updated_ns, l->updated_ns + window);
  uint64_t most = (uint64_t)most_ns / l->processors;
  return (int64_t)((window < most ? window : most) * l->processors);
}

/* Empties a word that others add to. */
static int64_t drain(uint64_t *told)
{
  uint64_t ns = LOAD_RELAXED(told);
  SUB_RELAXED(told, ns);
  return ns < (uint64_t)most_ns ? (int64_t)ns : most_ns;
}

void limiter_update(struct limiter *l, uint64_t now_ns)
{
  int64_t passed = pass(l, now_ns);
  int64_t gc = drain(&l->gc_ns);
  int64_t idle = drain(&l->idle_ns);
  if (l->gc_on)
    gc += (int64_t)((double)passed * l->background);
  flow(l, passed - idle - gc, gc);
}

void limiter_begin(struct limiter *l, bool gc_on, uint64_t now_ns)
{
  CHECK(l->gc_on != gc_on);
  limiter_update(l, now_ns);
  l->gc_on = gc_on;
}

void limiter_finish(struct limiter *l, uint64_t now_ns)
{
  flow(l, 0, pass(l, now_ns));
  l->cycles += !l->gc_on;
}

void limiter_set_processors(struct limiter *l, uint64_t now_ns,
                            unsigned processors)
{
  CHECK(processors > 0);
  limiter_update(l, now_ns);
  l->processors = processors;
  l->capacity = processors * second_ns;
  if (l->fill > l->capacity) {
    l->fill = l->capacity;
    put(l, true);
  } else if (l->fill < l->capacity) {
    put(l, false);
  }
}
