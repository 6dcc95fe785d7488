/* SPDX-License-Identifier: MIT */
/* assist.c -- paying for allocation by marking
 *
 * Runs on mutators in the allocation slow path.  A thread's credit is its own;
 * the pool is one atomic word, drawn on by all. */
#include "alloc/assist.h"

#include "collect/limiting.h"
#include "collect/mark.h"
#include "collect/pacing.h"
#include "mutator/poll.h"
#include "os/clock.h"

enum {
  /* The least that an assist marks, bytes of scan work: it costs about 0.3 us
   * to enter and leave, and 16 KiB take some 10 us.  More at a time makes the
   * worst allocation slower, less makes the price of entering show. */
  ASSIST_MIN_BYTES = 16 * 1024,
  /* After so much the thread looks up for a handshake. */
  ASSIST_SLICE_BYTES = 32 * 1024,
  /* The most that one payment buys.  With collection off a byte is almost free,
   * and what it buys must not outlast the setting. */
  CREDIT_MAX_BYTES = 16 * 1024 * 1024,
  /* A thread steps aside for so long at a time, and at most so often for one
   * span: 2 ms in all.  A driver that is awake needs one or two of them. */
  ASIDE_NS = 40 * 1000,
  ASIDE_TIMES = 20,
};

/* Takes up to `work` from the pool; returns what it got.  The pool may go below
 * zero for a moment when threads draw at once, and is repaid by whoever drew.
 */
static int64_t draw(struct pacing *pacing, int64_t work)
{
  int64_t had = LOAD_RELAXED(&pacing->credit);
  if (had <= 0)
    return 0;
  int64_t take = had < work ? had : work;
  SUB_RELAXED(&pacing->credit, take);
  return take;
}

/* Marks `work` bytes in slices; returns what was done.  The delay is the time
 * of marking alone: what the thread serves in between is a delay of its own. */
static int64_t pay_by_marking(struct dusk_thread *thread, int64_t work)
{
  struct collector *collector = thread_collector(thread);
  uint64_t start = delays_start(thread->delays);
  uint64_t ns = 0;
  int64_t paid = 0;
  while (paid < work && !limiting_is_on(collector)) {
    int64_t slice = work - paid;
    if (slice > ASSIST_SLICE_BYTES)
      slice = ASSIST_SLICE_BYTES;
    uint64_t done = mark_assist(collector, (uint64_t)slice, &ns);
    if (!done)
      break;
    paid += (int64_t)done;
    poll_check(thread);
  }
  if (ns) {
    assists_add(&thread->assists, ns, (uint64_t)paid);
    delays_note(thread->delays, DELAY_assist, start, ns);
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
  double bought = (double)paid * price.bytes_per_work + (paid > 0);
  thread->credit +=
      bought < CREDIT_MAX_BYTES ? (int64_t)bought : CREDIT_MAX_BYTES;
}

void assist_settle(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  if (UNLIKELY(thread->credit < 0) &&
      collector_phase(collector) == PHASE_MARK && !limiting_is_on(collector))
    pay_debt(thread);
}

/* Is it the driver's turn?  While a thread owes a handshake it is not, and
 * nobody may be made to wait for that thread. */
static bool driver_is_due(const struct collector *collector)
{
  bool has_work =
      collector_phase(collector) != PHASE_IDLE ||
      LOAD_RELAXED(&collector->wanted) > LOAD_RELAXED(&collector->finished);
  return has_work && LOAD_RELAXED(&collector->registry.owing) == 0;
}

NOINLINE void assist_step_aside(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  uint64_t start = delays_start(thread->delays);
  unsigned times = 0;
  while (times < ASIDE_TIMES && pacing_is_over(collector) &&
         driver_is_due(collector) && !limiting_is_on(collector)) {
    poll_go_outside(thread, CALLER_SP());
    clock_sleep(ASIDE_NS);
    poll_come_back(thread);
    times++;
  }
  if (times)
    delays_end(thread->delays, DELAY_aside, start);
}
