/* SPDX-License-Identifier: MIT */
/* assist.c -- paying for allocation by marking
 *
 * Runs on mutators in the allocation slow path.  A thread's credit is its own;
 * the pool is one atomic word, drawn on by all.
 *
 *   full     pays its whole debt, from the pool and then by marking
 *   capped   the same, but marks no more than its cap; what is left it owes,
 *            up to DEBT_MAX_BYTES, and beyond that the pool does
 *   exempt   takes its debt from the pool, below zero
 *
 * While the pool is below zero workers do not hold back (worker.c), and nobody
 * draws on it.
 *
 * AT THE HARD WALL every thread waits, as in a blocking region, until the
 * running cycle has ended, or one more if that is not enough.  It is the one
 * place where ordinary allocation waits for others.  A thread that comes to no
 * safepoint must not stop the rest for ever: when it has held up a handshake
 * for LATE_NS, nobody waits until that is over, and the heap grows.
 *
 * Tested by tests/api/assist.c. */
#include "alloc/assist.h"

#include "collect/cycle.h"
#include "collect/limiting.h"
#include "collect/mark.h"
#include "collect/pacing.h"
#include "collect/recording.h"
#include "mutator/poll.h"
#include "os/clock.h"
#include "os/probe.h"

enum {
  /* The least that an assist marks, bytes of scan work: it costs about 0.3 us
   * to enter and leave, and 16 KiB take some 10 us.  More at a time makes the
   * worst allocation slower, less makes the price of entering show. */
  ASSIST_MIN_BYTES = 16 * 1024,
  /* After so much the thread looks up for a handshake. */
  ASSIST_SLICE_BYTES = 32 * 1024,
  /* And for the clock, if its time is capped: some 3 us. */
  TIMED_SLICE_BYTES = 4 * 1024,
  /* The most that one payment buys.  With collection off a byte is almost free,
   * and what it buys must not outlast the setting. */
  CREDIT_MAX_BYTES = 16 * 1024 * 1024,
  /* The most that a capped thread owes, bytes of allocation: some tens of
   * spans, so that a burst is paid for in the slow paths that follow. */
  DEBT_MAX_BYTES = 256 * 1024,
  /* A thread steps aside for so long at a time, and at most so often for one
   * span: 2 ms in all.  A driver that is awake needs one or two of them. */
  ASIDE_NS = 40 * 1000,
  ASIDE_TIMES = 20,
  /* Who waits at the wall looks this often whether the wall has moved. */
  WALL_LOOK_NS = 1000 * 1000,
  LATE_NS = 100 * 1000 * 1000,
  /* Cycles that a thread waits for at the wall: one that runs may have passed
   * by what is garbage now. */
  WALL_CYCLES = 2,
};

/* Takes up to `work` from the pool; returns what it got.  The pool may go below
 * zero for a moment when threads draw at once, and is repaid by whoever drew.
 */
static int64_t draw(struct dusk_thread *thread, int64_t work)
{
  int64_t *pool = &thread_collector(thread)->pacing.credit;
  int64_t had = LOAD_RELAXED(pool);
  if (had <= 0)
    return 0;
  int64_t take = had < work ? had : work;
  SUB_RELAXED(pool, take);
  counter_add(&thread->assists.pool_bytes, (uint64_t)take);
  return take;
}

/* Workers are to do this, for a thread that will not. */
static void charge_workers(struct dusk_thread *thread, int64_t work)
{
  SUB_RELAXED(&thread_collector(thread)->pacing.credit, work);
  counter_add(&thread->assists.charged_bytes, (uint64_t)work);
}

/* What one settlement may mark. */
struct limits {
  int64_t bytes;
  int64_t slice;
  uint64_t ns;
};

static struct limits limits_for(const struct assist_rule *rule, int64_t work)
{
  struct limits limits = {
      .bytes = work, .slice = ASSIST_SLICE_BYTES, .ns = UINT64_MAX};
  if (rule->policy != DUSK_ASSIST_CAPPED)
    return limits;
  if (rule->cap.bytes && rule->cap.bytes < (uint64_t)work)
    limits.bytes = (int64_t)rule->cap.bytes;
  if (rule->cap.microseconds) {
    limits.ns = rule->cap.microseconds * 1000;
    limits.slice = TIMED_SLICE_BYTES;
  }
  return limits;
}

/* Marks in slices; returns what was done.  What counts is the time of marking
 * alone: what the thread serves in between is noted by itself. */
static int64_t pay_by_marking(struct dusk_thread *thread, int64_t work)
{
  struct collector *collector = thread_collector(thread);
  struct limits limits = limits_for(&thread->assist_rule, work);
  uint64_t start = clock_now();
  uint64_t held = start; /* since then, and not yet told */
  uint64_t ns = 0;
  int64_t paid = 0;
  while (paid < limits.bytes && ns < limits.ns && !limiting_is_on(collector)) {
    int64_t slice = limits.bytes - paid;
    if (slice > limits.slice)
      slice = limits.slice;
    uint64_t done = mark_assist(collector, (uint64_t)slice, &ns);
    if (!done)
      break;
    paid += (int64_t)done;
    if (UNLIKELY(LOAD_RELAXED(&thread->abi.poll))) {
      thread_was_held(thread, held, clock_now());
      poll_serve(thread);
      held = clock_now();
    }
  }
  if (ns) {
    thread_was_held(thread, held, clock_now());
    assists_add(&thread->assists, ns, (uint64_t)paid);
    PROBE3(assist, thread->life.number, (uint64_t)paid, ns);
    track_end(&thread->track, EVENT_assist, start, (uint64_t)paid, ns);
    recording_note_stall(collector, ns);
  }
  return paid;
}

static void pay(struct dusk_thread *thread, int64_t work, struct price price)
{
  struct collector *collector = thread_collector(thread);
  if (work < ASSIST_MIN_BYTES)
    work = ASSIST_MIN_BYTES;
  int64_t paid = draw(thread, work);
  if (paid < work) {
    paid += pay_by_marking(thread, work - paid);
    pacing_revise(collector);
  }
  double bought = (double)paid * price.bytes_per_work + (paid > 0);
  thread->credit +=
      bought < CREDIT_MAX_BYTES ? (int64_t)bought : CREDIT_MAX_BYTES;
}

static NOINLINE void pay_debt(struct dusk_thread *thread)
{
  struct price price = pacing_price(thread_collector(thread));
  dusk_assist policy = thread->assist_rule.policy;
  if (policy != DUSK_ASSIST_EXEMPT)
    pay(thread, (int64_t)((double)-thread->credit * price.work_per_byte),
        price);
  int64_t most = policy == DUSK_ASSIST_EXEMPT ? 0 : DEBT_MAX_BYTES;
  if (policy != DUSK_ASSIST_FULL && thread->credit < -most) {
    charge_workers(thread, (int64_t)((double)(-most - thread->credit) *
                                     price.work_per_byte));
    thread->credit = -most;
  }
  STORE_RELAXED(&thread->assists.debt_bytes,
                thread->credit < 0 ? (uint64_t)-thread->credit : 0);
}

void assist_settle(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  if (UNLIKELY(thread->credit < 0) &&
      collector_phase(collector) == PHASE_MARK && !limiting_is_on(collector))
    pay_debt(thread);
}

/* ---- far over the goal ---- */

/* Is it the driver's turn?  While a thread owes a handshake it is not, and
 * nobody may be made to wait for that thread. */
static bool driver_is_due(const struct collector *collector)
{
  bool has_work =
      collector_phase(collector) != PHASE_IDLE ||
      LOAD_RELAXED(&collector->wanted) > LOAD_RELAXED(&collector->finished);
  return has_work && LOAD_RELAXED(&collector->registry.owing) == 0;
}

static NOINLINE void step_aside(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  uint64_t start = clock_now();
  unsigned times = 0;
  while (times < ASIDE_TIMES && pacing_is_over(collector) &&
         !pacing_is_at_wall(collector) && driver_is_due(collector) &&
         !limiting_is_on(collector)) {
    poll_go_outside(thread, CALLER_SP());
    uint64_t slept = clock_now();
    clock_sleep(ASIDE_NS);
    thread_was_held(thread, slept, clock_now());
    poll_come_back(thread);
    times++;
  }
  if (!times)
    return;
  uint64_t ns = clock_now() - start;
  counter_add(&thread->assists.asides, 1);
  counter_add(&thread->assists.aside_ns, ns);
  PROBE2(aside, thread->life.number, ns);
  track_note(&thread->track, EVENT_aside, start, ns, 0, 0);
  recording_note_stall(collector, ns);
}

/* How long a round has been open, as far as who waits has seen. */
struct watch {
  uint64_t round;
  uint64_t since_ns;
};

static bool is_known_late(const struct collector *collector)
{
  const struct registry *registry = &collector->registry;
  return LOAD_RELAXED(&registry->owing) &&
         LOAD_RELAXED(&registry->round) == LOAD_RELAXED(&collector->late_round);
}

/* Looks at the round that is open; true: somebody is too late for it. */
static bool watch_round(struct collector *collector, struct watch *watch)
{
  const struct registry *registry = &collector->registry;
  uint64_t round = LOAD_RELAXED(&registry->round);
  uint64_t now = clock_now();
  if (!LOAD_RELAXED(&registry->owing) || round != watch->round) {
    *watch = (struct watch){.round = round, .since_ns = now};
    return false;
  }
  if (now - watch->since_ns < LATE_NS)
    return false;
  STORE_RELAXED(&collector->late_round, round);
  return true;
}

/* A wall that nobody asked for gives way with the limiter: it would stop a
 * program whose goal cannot be reached. */
static bool wall_gives_way(const struct collector *collector)
{
  return collector->pacing.wall_bytes == 0 && limiting_is_on(collector);
}

/* Outside.  false: there is room now, or waiting is of no use. */
static bool await_cycle(struct collector *collector)
{
  uint64_t begun = LOAD_RELAXED(&collector->begun);
  uint64_t number = begun > LOAD_RELAXED(&collector->finished)
                        ? begun
                        : cycle_ask(collector, false);
  struct watch watch = {0};
  while (pacing_is_at_wall(collector)) {
    if (is_known_late(collector) || watch_round(collector, &watch) ||
        wall_gives_way(collector))
      return false;
    if (cycle_await_for(collector, number, WALL_LOOK_NS))
      return true;
  }
  return false;
}

static NOINLINE void wait_at_wall(struct dusk_thread *thread)
{
  struct collector *collector = thread_collector(thread);
  if (is_known_late(collector) || wall_gives_way(collector))
    return;
  poll_go_outside(thread, CALLER_SP());
  uint64_t start = clock_now();
  for (unsigned cycles = 0; cycles < WALL_CYCLES; cycles++)
    if (!await_cycle(collector))
      break;
  uint64_t ns = clock_now() - start;
  counter_add(&thread->assists.walls, 1);
  counter_add(&thread->assists.wall_ns, ns);
  thread_was_held(thread, start, start + ns);
  PROBE2(wall, thread->life.number, ns);
  track_note(&thread->track, EVENT_wall, start, ns, 0, 0);
  recording_note_stall(collector, ns);
  poll_come_back(thread);
}

NOINLINE void assist_step_aside(struct dusk_thread *thread)
{
  step_aside(thread);
  if (pacing_is_at_wall(thread_collector(thread)))
    wait_at_wall(thread);
}
