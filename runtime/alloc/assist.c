/* SPDX-License-Identifier: MIT */
/* assist.c -- paying for allocation by marking
 *
 * Runs on mutators in the allocation slow path.  A thread's credit is its own;
 * the pool is one atomic word, drawn on by all. */
#include "alloc/assist.h"

#include "collect/mark.h"
#include "collect/pacing.h"
#include "mutator/poll.h"

enum {
  /* The least that an assist marks, bytes of scan work: it costs about 0.3 us to
   * enter and leave, and 16 KiB take some 10 us.  More at a time makes the worst
   * allocation slower, less makes the price of entering show. */
  ASSIST_MIN_BYTES = 16 * 1024,
  /* After so much the thread looks up for a handshake. */
  ASSIST_SLICE_BYTES = 32 * 1024,
};

/* Takes up to `work` from the pool; returns what it got.  The pool may go below
 * zero for a moment when threads draw at once, and is repaid by whoever drew. */
static int64_t draw(struct pacing *pacing, int64_t work)
{
  int64_t had = LOAD_RELAXED(&pacing->credit);
  if (had <= 0)
    return 0;
  int64_t take = had < work ? had : work;
  SUB_RELAXED(&pacing->credit, take);
  return take;
}

/* Marks `work` bytes in slices; returns what was done. */
static int64_t pay_by_marking(struct dusk_thread *thread, int64_t work)
{
  struct collector *collector = thread_collector(thread);
  int64_t paid = 0;
  while (paid < work) {
    int64_t slice = work - paid;
    if (slice > ASSIST_SLICE_BYTES)
      slice = ASSIST_SLICE_BYTES;
    uint64_t done = mark_assist(collector, (uint64_t)slice);
    if (!done)
      break;
    paid += (int64_t)done;
    poll_check(thread);
  }
  return paid;
}

static NOINLINE void pay_debt(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  struct price price = pacing_price(collector);
  int64_t work = (int64_t)((double)-thread->credit * price.work_per_byte);
  if (work < ASSIST_MIN_BYTES)
    work = ASSIST_MIN_BYTES;
  int64_t paid = draw(&collector->pacing, work);
  if (paid < work) {
    paid += pay_by_marking(thread, work - paid);
    pacing_revise(collector);
  }
  thread->credit += (int64_t)((double)paid * price.bytes_per_work) + (paid > 0);
}

void assist_settle(struct dusk_thread *thread)
{
  if (UNLIKELY(thread->credit < 0) &&
      collector_phase(thread_collector(thread)) == PHASE_MARK)
    pay_debt(thread);
}
