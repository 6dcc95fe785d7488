/* SPDX-License-Identifier: MIT */
/* pacer.c -- when to start a cycle, and how hard to work in it
 *
 * The heap's size over one cycle, and the names used here:
 *
 *   marked        trigger          live           goal
 *   --|--------------|---------------|---------------|-->  bytes
 *     |<- allocate ->|<--------- runway ------------>|
 *                    |<-- marking: workers, assists ->|
 *
 * 1. The goal is what the percent allows over the last cycle's marked bytes,
 *    or what the memory limit leaves for the heap if that is less.
 * 2. The runway is what the program will allocate while a cycle marks: the
 *    bytes it has allocated per byte marked (cons/mark), for the work expected,
 *    when workers take a quarter of the processors.  A cycle starts that much
 *    short of the goal, within bounds.
 * 3. In the cycle, whoever allocates pays scan work for each byte so that
 *    marking ends at the goal.  When all goes as expected, workers earn that
 *    work and nobody pays.
 * 4. At its end, the cons/mark ratio is measured again.
 *
 * Expected work is what the last cycle did.  When a cycle turns out larger, the
 * heap is growing: the goal then recedes in proportion, but no further than the
 * hard goal, the percent applied once more.  So a heap that grows fast pays
 * with memory first, and then with time.
 *
 * POLICIES
 *
 * `go` bounds the runway: a cycle begins no earlier than 45/64 of the way.  A
 * program that allocates faster than that allows pays with assists for ever.
 * Without the bound it would not, but all that is born black in the longer
 * cycles counts as live, and the percent doubles it.
 *
 * `dusk` lets a cycle begin early and takes what is born black for what it
 * mostly is, garbage of the next cycle: it grows the heap by no more of it than
 * `go` at its bound would have.  Until there it is `go`, to the byte.  Beyond,
 * what it allocates between two cycles is the same, and so is the marking for
 * each byte allocated; only assists turn into early marking, for the memory of
 * what is born meanwhile.  At rest in the HeavyStepAlloc of the simulator:
 *
 *                                GC share   peak MB   marked per allocated
 *     go                           0.456      54.2       0.703
 *     dusk                         0.250      66.5       0.703
 *     a quarter of black counts    0.250      63.5       0.790
 *     go, earliest trigger 50 %    0.262      76.3       0.500
 *     go, percent 122              0.384      66.4       0.523
 *
 * Of 1000 HeavyJitterAllocs with other seeds all keep what Go asserts of it;
 * with the longest runway in place of the mean, 312 did, as most cycles then
 * end short of the goal.  A mean below the bound too would leave JitterAlloc
 * beyond Go's limits in 198 of 1000, rather than in `go`'s 9.
 *
 * `balance` takes the growth from balance.h and is `go` otherwise.
 *
 * ALWAYS TRUE
 *
 *   .below     A trigger is never above its goal.
 *   .finite    Assist ratios are finite and greater than 0, and the cons/mark
 *              ratio is finite and not negative, whatever the figures given.
 *   .saturate  No conversion or product wraps: what is too large for its type
 *              is the largest value of it.  Sizes given are below 2^62.
 *
 * The order of floating-point operations is part of the result: the golden
 * rows change in their last digit if it does.
 *
 * Runs under the collector's lock.  COST  tens of nanoseconds a call.
 * TESTED  tests/unit/pacer.c  each function
 *         tests/unit/policy.c the policies, and the properties above
 *         tests/sim/pacer.c   whole programs, against the rows of Go's pacer */
#include "pace/pacer.h"

#include "base/check.h"
#include "base/sums.h"

#include <string.h>

/* The share of the processors that marks while a cycle runs.  More ends cycles
 * sooner and later ones start later, but takes it from the program. */
static const double mark_share = 0.25;

/* How far past its goal a heap that exceeded it may plan to go. */
static const double overshoot = 1.1;

/* A machine of few processors cannot give a quarter in whole workers.  Up to
 * this error whole ones will do, since a fractional one costs switches. */
static const double worker_error_max = 0.3;

static const uint64_t heap_minimum_bytes = UINT64_C(4) << 20;
static const uint64_t cycle_runway_min_bytes = UINT64_C(64) << 10;
static const uint64_t sweep_distance_min_bytes = UINT64_C(1) << 20;
static const uint64_t limit_headroom_min_bytes = UINT64_C(1) << 20;
static const uint64_t limit_headroom_percent = 3;

/* A trigger lies between these parts of the way from marked to goal.  Lower,
 * and a program that allocates fast would be marking nearly always, and carry
 * all that is born black into the next cycle; higher, and a cycle could not
 * even begin before it should have ended.  `dusk` does not grow with what is
 * born black and so can afford to be marking nearly always. */
static const uint64_t trigger_parts = 64;
static const uint64_t trigger_parts_min[] = {
    [PACER_GO] = 45,
    [PACER_DUSK] = 3,
    [PACER_BALANCE] = 45,
};
static const uint64_t trigger_parts_max = 61;

/* Near the end of a cycle the estimate may be all used up: charge assists for
 * this many bytes, so that the price does not fall to nothing. */
static const int64_t remaining_work_min = 1000;

/* ---- arithmetic that saturates ---- */

/* .saturate, here and below */
static uint64_t percent_of(uint64_t value, uint64_t percent)
{
  return scaled(value, percent, 100);
}

static int64_t signed_from(uint64_t value)
{
  return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int64_t signed_from_double(double value)
{
  if (value >= 0x1p63)
    return INT64_MAX;
  return value > -0x1p63 ? (int64_t)value : INT64_MIN;
}

static uint64_t unsigned_from_double(double value)
{
  return value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
}

/* ---- settings ---- */

void pacer_init(struct pacer *p, int gc_percent, int64_t memory_limit)
{
  CHECK(memory_limit >= 0);
  *p = (struct pacer){
      .memory_limit = memory_limit,
      .triggered = PACER_NO_TRIGGER,
  };
  pacer_set_percent(p, gc_percent);
  pacer_commit(p, 0, true);
}

int pacer_set_percent(struct pacer *p, int gc_percent)
{
  int old = p->gc_percent;
  p->gc_percent = gc_percent < 0 ? PACER_OFF : gc_percent;
  p->heap_minimum = pacer_heap_minimum(p->gc_percent);
  return old;
}

int64_t pacer_set_limit(struct pacer *p, int64_t bytes)
{
  int64_t old = p->memory_limit;
  if (bytes >= 0)
    p->memory_limit = bytes;
  return old;
}

enum pacer_policy pacer_set_policy(struct pacer *p, enum pacer_policy policy)
{
  enum pacer_policy old = p->policy;
  p->policy = policy;
  return old;
}

void pacer_set_bounds(struct pacer *p, unsigned low_percent,
                      unsigned high_percent)
{
  p->low_percent = low_percent < 100 ? low_percent : 100;
  p->high_percent = high_percent < 100 ? high_percent : 100;
}

static const char *const policy_names[] = {
    [PACER_GO] = "go",
    [PACER_DUSK] = "dusk",
    [PACER_BALANCE] = "balance",
};

bool pacer_policy_parse(const char *text, enum pacer_policy *policy)
{
  for (unsigned i = 0; i < sizeof policy_names / sizeof *policy_names; i++) {
    if (strcmp(text, policy_names[i]) == 0) {
      *policy = (enum pacer_policy)i;
      return true;
    }
  }
  return false;
}

const char *pacer_policy_name(enum pacer_policy policy)
{
  return policy_names[policy];
}

uint64_t pacer_heap_minimum(int gc_percent)
{
  if (gc_percent < 0)
    return 0;
  return percent_of(heap_minimum_bytes, (uint64_t)gc_percent);
}

/* ---- goal and trigger ---- */

static uint64_t expected_work(const struct pacer *p)
{
  return p->last_heap_scan + p->last_stack_scan + p->globals;
}

/* What `dusk` takes for live when it grows the heap: what lives on, stacks and
 * roots, and of what was born black no more than Go's trigger bound would ever
 * let a heap at rest have: part / (1 - part) of the rest, where part is what
 * the bound leaves for the runway, times the percent. */
static uint64_t dusk_basis(const struct pacer *p, uint64_t scanned)
{
  uint64_t lives_on = scanned - p->born_black;
  uint64_t runway_parts = trigger_parts - trigger_parts_min[PACER_GO];
  uint64_t part = runway_parts * (uint64_t)p->gc_percent;
  uint64_t whole = trigger_parts * 100;
  if (part >= whole)
    return scanned;
  uint64_t most = scaled(lives_on, part, whole - part);
  return add_saturate(lives_on, min_u64(p->born_black, most));
}

/* Stacks and roots count as if they were heap: they too must be scanned, and a
 * program with little heap and large stacks would else be marking always. */
static uint64_t growth(const struct pacer *p)
{
  uint64_t scanned = p->marked + p->last_stack_scan + p->globals;
  if (p->policy == PACER_DUSK)
    scanned = dusk_basis(p, scanned);
  if (p->policy == PACER_BALANCE && balance_is_known(&p->balance))
    return balance_extra(&p->balance, scanned, (unsigned)p->gc_percent);
  return percent_of(scanned, (uint64_t)p->gc_percent);
}

static uint64_t percent_goal(const struct pacer *p)
{
  if (p->gc_percent < 0)
    return UINT64_MAX;
  return max_u64(add_saturate(p->marked, growth(p)), p->heap_minimum);
}

static uint64_t runway(const struct pacer *p, double cons_mark)
{
  return unsigned_from_double(cons_mark * ((1 - mark_share) / mark_share) *
                              (double)expected_work(p));
}

void pacer_commit(struct pacer *p, uint64_t live, bool sweep_done)
{
  p->sweep_min = sweep_done ? 0 : add_saturate(live, sweep_distance_min_bytes);
  p->percent_goal = percent_goal(p);
  p->runway = runway(p, p->cons_mark);
  p->mean_runway = runway(p, p->cons_mark_mean);
}

/* What the limit leaves for the heap, after all that is not objects and all
 * that is over the limit already, less some headroom, because a cycle does not
 * end at its goal to the byte.  Never below marked: no cycle could reach it. */
static uint64_t limit_goal(const struct pacer *p, const struct pacer_memory *m)
{
  if (p->memory_limit == PACER_NO_LIMIT)
    return UINT64_MAX;
  uint64_t limit = (uint64_t)p->memory_limit;
  uint64_t in_heap = add_saturate(m->heap_free, m->heap_alloc);
  uint64_t non_heap = subtract_saturate(m->mapped_ready, in_heap);
  uint64_t overage = subtract_saturate(m->mapped_ready, limit);
  uint64_t taken = add_saturate(non_heap, overage);
  if (taken >= limit)
    return p->marked;

  uint64_t goal = limit - taken;
  uint64_t headroom =
      max_u64(goal / 100 * limit_headroom_percent, limit_headroom_min_bytes);
  goal = max_u64(subtract_saturate(goal, headroom), headroom);
  return max_u64(goal, p->marked);
}

/* The goal, and the least trigger that leaves the census room to run.  A goal
 * that the memory limit has set is kept at any price, also at the price of a
 * census that allocating threads have to finish. */
static uint64_t goal_and_bound(const struct pacer *p,
                               const struct pacer_memory *m,
                               uint64_t *min_trigger)
{
  uint64_t limited = limit_goal(p, m);
  if (limited < p->percent_goal) {
    *min_trigger = 0;
    return limited;
  }
  *min_trigger = p->sweep_min;
  uint64_t goal = max_u64(p->percent_goal, p->sweep_min);
  if (p->triggered == PACER_NO_TRIGGER)
    return goal;
  return max_u64(goal, add_saturate(p->triggered, cycle_runway_min_bytes));
}

bool pacer_is_limited(const struct pacer *p, const struct pacer_memory *m)
{
  return limit_goal(p, m) < p->percent_goal;
}

uint64_t pacer_goal(const struct pacer *p, const struct pacer_memory *m)
{
  uint64_t min_trigger;
  return goal_and_bound(p, m, &min_trigger);
}

/* The part of the way from marked to goal.  marked < goal. */
static uint64_t on_the_way(const struct pacer *p, uint64_t goal, uint64_t parts)
{
  return p->marked + (goal - p->marked) / trigger_parts * parts;
}

static uint64_t percent_of_the_way(const struct pacer *p, uint64_t goal,
                                   unsigned percent)
{
  return p->marked + percent_of(goal - p->marked, percent);
}

/* How early and how late a cycle may begin: the program's own bounds, or the
 * policy's. */
static uint64_t earliest_trigger(const struct pacer *p, uint64_t goal)
{
  if (p->low_percent)
    return percent_of_the_way(p, goal, p->low_percent);
  return on_the_way(p, goal, trigger_parts_min[p->policy]);
}

static uint64_t latest_trigger(const struct pacer *p, uint64_t goal)
{
  if (p->high_percent)
    return percent_of_the_way(p, goal, p->high_percent);
  /* A twentieth of a large heap is more than any runway needs. */
  return max_u64(on_the_way(p, goal, trigger_parts_max),
                 subtract_saturate(goal, heap_minimum_bytes));
}

/* Short of the goal by the longest runway remembered.  Where Go's bound ends
 * that, `dusk` goes on, but by no more than the mean: the longest is longer
 * than most, and a long runway that is not used up is memory for nothing. */
static uint64_t wanted_trigger(const struct pacer *p, uint64_t goal)
{
  uint64_t trigger = subtract_saturate(goal, p->runway);
  if (p->policy != PACER_DUSK)
    return trigger;
  uint64_t bound = on_the_way(p, goal, trigger_parts_min[PACER_GO]);
  if (trigger >= bound)
    return trigger;
  return min_u64(bound, subtract_saturate(goal, p->mean_runway));
}

/* Within bounds that a change of the program's pace cannot move. */
static uint64_t trigger_below(const struct pacer *p, uint64_t goal,
                              uint64_t min_trigger)
{
  uint64_t low = max_u64(min_trigger, earliest_trigger(p, goal));
  uint64_t high = max_u64(latest_trigger(p, goal), low);
  return min_u64(max_u64(wanted_trigger(p, goal), low), high);
}

uint64_t pacer_trigger(const struct pacer *p, const struct pacer_memory *m,
                       uint64_t *goal)
{
  uint64_t min_trigger;
  uint64_t target = goal_and_bound(p, m, &min_trigger);
  if (goal)
    *goal = target;
  if (target == UINT64_MAX)
    return PACER_NO_TRIGGER;
  if (p->marked >= target)
    return target;
  uint64_t trigger = trigger_below(p, target, min_trigger);
  CHECK(trigger <= target); /* .below */
  return trigger;
}

/* ---- in a cycle ---- */

void pacer_start(struct pacer *p, uint64_t live, uint64_t scannable,
                 uint64_t max_stack, uint64_t globals)
{
  CHECK(p->triggered == PACER_NO_TRIGGER);
  p->triggered = live;
  p->live = live;
  p->scannable = scannable;
  p->max_stack = max_stack;
  p->globals = globals;
}

/* Where a cycle is heading. */
struct plan {
  int64_t goal; /* heap size at its end, bytes */
  int64_t work; /* in all, bytes */
};

/* The goal moved away as far as the work has grown, at most to the hard goal.
 * No bytes expected, as in a first cycle, count as one: any work is then much
 * more than expected. */
static int64_t extended_goal(const struct pacer *p, struct plan plan,
                             int64_t worst_work)
{
  int64_t triggered = signed_from(p->triggered);
  int64_t expected = plan.work > 0 ? plan.work : 1;
  double growth = p->gc_percent < 0 ? 1000.0 : p->gc_percent / 100.0;
  int64_t hard = signed_from_double((1 + growth) * (double)plan.goal);
  int64_t distance = signed_from_double((double)(plan.goal - triggered) /
                                        (double)expected * (double)worst_work);
  return distance > hard - triggered ? hard : distance + triggered;
}

static struct plan plan_cycle(const struct pacer *p,
                              const struct pacer_memory *m, int64_t done)
{
  int64_t worst_work = signed_from(p->scannable + p->max_stack + p->globals);
  struct plan plan = {
      .goal = signed_from(pacer_goal(p, m)),
      .work = signed_from(expected_work(p)),
  };
  if (done > plan.work) {
    plan.goal = extended_goal(p, plan, worst_work);
    plan.work = worst_work;
  }
  if (signed_from(p->live) > plan.goal) {
    plan.goal = signed_from_double((double)plan.goal * overshoot);
    plan.work = worst_work;
  }
  return plan;
}

void pacer_revise(struct pacer *p, const struct pacer_memory *m, uint64_t live,
                  uint64_t scannable, struct pacer_work done)
{
  CHECK(p->triggered != PACER_NO_TRIGGER);
  p->live = live;
  p->scannable = scannable;

  int64_t work_done = signed_from(done.heap + done.stack + done.globals);
  struct plan plan = plan_cycle(p, m, work_done);
  int64_t work = plan.work - work_done;
  if (work < remaining_work_min)
    work = remaining_work_min;
  int64_t bytes =
      plan.goal > signed_from(live) ? plan.goal - signed_from(live) : 1;
  p->assist_work_per_byte = (double)work / (double)bytes; /* .finite */
  p->assist_bytes_per_work = (double)bytes / (double)work;
}

double pacer_assist_work_per_byte(const struct pacer *p)
{
  return p->assist_work_per_byte;
}

double pacer_assist_bytes_per_work(const struct pacer *p)
{
  return p->assist_bytes_per_work;
}

/* ---- end of a cycle ---- */

static void remember_cons_mark(struct pacer *p, double current)
{
  double *history = p->cons_mark_history;
  double sum = current;
  int measured = 1;
  p->cons_mark = current;
  for (int i = 0; i < PACER_HISTORY; i++) {
    if (history[i] > p->cons_mark)
      p->cons_mark = history[i];
    sum += history[i];
    measured += history[i] > 0;
  }
  p->cons_mark_mean = sum / measured;
  for (int i = 1; i < PACER_HISTORY; i++)
    history[i - 1] = history[i];
  history[PACER_HISTORY - 1] = current;
}

/* Bytes allocated times the share of the processors that marked, over bytes
 * marked times the share left to the program.  A cycle in which nothing was
 * allocated, or nothing marked, has measured nothing. */
static void measure_cons_mark(struct pacer *p, double assists, double idle,
                              uint64_t work)
{
  if (p->live <= p->triggered || work == 0)
    return;
  double marking = mark_share + assists;
  double program = 1 - marking;
  /* Assists can take it all, and the clock can say that they took more.  The
   * least a difference from 1 can be keeps the ratio finite. */
  if (program < 0x1p-53)
    program = 0x1p-53;
  double allocated = (double)(p->live - p->triggered);
  remember_cons_mark(p, allocated * (marking + idle) /
                            ((double)work * program)); /* .finite */
}

/* The speed of marking is that of all processors together. */
static void measure_balance(struct pacer *p, const struct pacer_cycle *cycle,
                            double marking, uint64_t work)
{
  balance_note(&p->balance,
               &(struct balance_cycle){
                   .allocated = subtract_saturate(p->live, p->marked),
                   .interval_ns = cycle->interval_ns,
                   .work = work,
                   .marking_ns = (double)cycle->duration_ns * marking,
               });
}

void pacer_end(struct pacer *p, const struct pacer_cycle *cycle)
{
  CHECK(p->triggered != PACER_NO_TRIGGER);
  const struct pacer_work *done = &cycle->done;
  uint64_t work = done->heap + done->stack + done->globals;
  double available_ns = (double)cycle->duration_ns * cycle->processors;
  double assists =
      available_ns > 0 ? (double)cycle->assist_ns / available_ns : 0;
  double idle = available_ns > 0 ? (double)cycle->idle_ns / available_ns : 0;
  measure_cons_mark(p, assists, idle, work);
  measure_balance(p, cycle, mark_share + assists + idle, work);

  p->born_black =
      min_u64(subtract_saturate(p->live, p->triggered), cycle->marked);
  p->marked = cycle->marked;
  p->live = cycle->marked;
  p->scannable = done->heap;
  p->last_heap_scan = done->heap;
  p->last_stack_scan = done->stack;
  p->triggered = PACER_NO_TRIGGER;
}

void pacer_abandon(struct pacer *p)
{
  p->triggered = PACER_NO_TRIGGER;
}

/* ---- workers ---- */

struct pacer_workers pacer_workers(unsigned processors)
{
  CHECK(processors > 0);
  double wanted = processors * mark_share;
  struct pacer_workers workers = {.dedicated = (unsigned)(wanted + 0.5)};
  double error = workers.dedicated / wanted - 1;
  if (error < -worker_error_max || error > worker_error_max) {
    if (workers.dedicated > wanted)
      workers.dedicated--;
    workers.fractional = (wanted - workers.dedicated) / processors;
  }
  return workers;
}
