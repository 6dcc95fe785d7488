/* SPDX-License-Identifier: MIT */
/* pacing.c -- between the pacer's arithmetic and the heap's counters
 *
 * Figures go in, numbers come out and are published.  What is published may be
 * a moment old; the pacer is told the truth again at the next revision. */
#include "collect/pacing.h"

#include "base/sums.h"
#include "collect/cycle.h"
#include "collect/limiting.h"
#include "collect/memory.h"
#include "collect/scavenger.h"

enum { WALL_MIN_BYTES = 1 << 20 };
#define HARD_WALL_BYTES (UINT64_C(64) << 20)

static struct pacer_work work_done(const struct pacing *pacing)
{
  return (struct pacer_work){
      .heap = LOAD_RELAXED(&pacing->heap_work),
      .stack = LOAD_RELAXED(&pacing->stack_work),
      .globals = LOAD_RELAXED(&pacing->root_work),
  };
}

static void store_double(double *to, double value)
{
  __atomic_store(to, &value, __ATOMIC_RELAXED);
}

static double load_double(const double *from)
{
  double value;
  __atomic_load(from, &value, __ATOMIC_RELAXED);
  return value;
}

/* A little over the goal is nobody's fault: a sixteenth, and for a small heap
 * what is allocated in the time of a cycle's handshakes. */
static uint64_t soft_wall(uint64_t goal)
{
  return add_saturate(goal, max_u64(goal / 16, WALL_MIN_BYTES));
}

/* Threads that pay in full may take a heap that grows fast to the hard goal,
 * the percent applied once more: the wall stands a tenth behind that, and far
 * enough for small heaps never to come to it while a cycle begins. */
static uint64_t growth_wall(const struct pacing *pacing, uint64_t goal)
{
  if (pacing->wall_bytes)
    return add_saturate(goal, pacing->wall_bytes);
  int percent = pacing->pacer.gc_percent;
  double growth = percent > 0 ? (double)percent / 100 : 0;
  double wall = (double)goal * 1.1 * (1 + growth) + (double)HARD_WALL_BYTES;
  return wall < 0x1p63 ? (uint64_t)wall : UINT64_MAX;
}

/* What the limit leaves for pages in use, where no page may go beyond it. */
static uint64_t page_cap(struct collector *collector)
{
  const struct pacing *pacing = &collector->pacing;
  if (pacing->action != DUSK_LIMIT_FAIL ||
      pacing->pacer.memory_limit == PACER_NO_LIMIT)
    return UINT64_MAX;
  uint64_t limit = (uint64_t)pacing->pacer.memory_limit;
  struct memory memory = memory_read(collector);
  uint64_t beside = memory_beside_pages(collector, &memory);
  return beside < limit ? limit - beside : 0;
}

/* Live bytes at which the memory limit is reached.  Threads wait there as well,
 * where a cycle can help: if what survived the last one (what was born during
 * it has proved nothing) is below, or if the program wants to be slowed down.
 */
static uint64_t limit_wall(const struct pacing *pacing, uint64_t goal,
                           const struct pacer_memory *memory)
{
  const struct pacer *pacer = &pacing->pacer;
  if (pacer->memory_limit == PACER_NO_LIMIT)
    return UINT64_MAX;
  uint64_t in_heap = memory->heap_free + memory->heap_alloc;
  uint64_t limit = (uint64_t)pacer->memory_limit;
  uint64_t beside = subtract_saturate(memory->mapped_ready, in_heap);
  uint64_t wall = max_u64(subtract_saturate(limit, beside), goal);
  bool helps = subtract_saturate(pacer->marked, pacer->born_black) < wall;
  return helps || pacing->action == DUSK_LIMIT_SLOW ? wall : UINT64_MAX;
}

static uint64_t hard_wall(const struct pacing *pacing, uint64_t goal,
                          const struct pacer_memory *memory)
{
  if (pacing->wall_bytes == UINT64_MAX)
    return UINT64_MAX;
  return min_u64(growth_wall(pacing, goal), limit_wall(pacing, goal, memory));
}

/* With the lock. */
static void publish(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  struct pacer_memory memory = memory_limited(collector);
  uint64_t goal;
  STORE_RELAXED(&pacing->trigger,
                pacer_trigger(&pacing->pacer, &memory, &goal));
  STORE_RELAXED(&pacing->goal, goal);
  uint64_t hard = hard_wall(pacing, goal, &memory);
  STORE_RELAXED(&pacing->wall, min_u64(soft_wall(goal), hard));
  STORE_RELAXED(&pacing->hard_wall, hard);
  STORE_RELAXED(&pacing->is_limited, pacer_is_limited(&pacing->pacer, &memory));
  pages_set_cap(&collector->arena.pages, page_cap(collector));
  scavenger_retarget(collector, goal, &memory);
}

/* With the lock. */
static void revise(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  const struct flow *flow = &collector->arena.flow;
  struct pacer_memory memory = memory_limited(collector);
  /* What is born during the cycle is black: it adds nothing to scan. */
  pacer_revise(&pacing->pacer, &memory, flow_live(flow),
               pacing->pacer.scannable, work_done(pacing));
  store_double(&pacing->work_per_byte,
               pacer_assist_work_per_byte(&pacing->pacer));
  store_double(&pacing->bytes_per_work,
               pacer_assist_bytes_per_work(&pacing->pacer));
}

void pacing_init(struct collector *collector,
                 const struct collector_setup *setup)
{
  struct pacing *pacing = &collector->pacing;
  lock_init(&pacing->lock, RANK_control);
  pacing->memory_limit = setup->memory_limit;
  pacing->budget_limit = PACER_NO_LIMIT;
  pacing->wall_bytes = setup->wall_bytes;
  pacing->ended_ns = collector->opened_ns;
  pacer_init(&pacing->pacer, setup->gc_percent, setup->memory_limit);
  pacer_set_policy(&pacing->pacer, setup->policy);
  pacer_set_bounds(&pacing->pacer, setup->trigger_low, setup->trigger_high);
  pacer_commit(&pacing->pacer, 0, true);
  publish(collector);
}

void pacing_destroy(struct collector *collector)
{
  lock_destroy(&collector->pacing.lock);
}

/* The processor time of the process has begun anew, so has the limiter. */
void pacing_revive(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  lock_renew(&pacing->lock);
  limiting_init(collector);
  pacer_abandon(&pacing->pacer);
  pacer_commit(&pacing->pacer, flow_live(&collector->arena.flow), true);
  STORE_RELAXED(&pacing->credit, 0);
  publish(collector);
}

/* A setting has changed: it holds from now on.  With the lock. */
static void settings_changed(struct collector *collector)
{
  enum phase phase = collector_phase(collector);
  pacer_commit(&collector->pacing.pacer, flow_live(&collector->arena.flow),
               phase < PHASE_END);
  publish(collector);
  /* The phase is set without the lock: only the pacer knows whether its cycle
   * has begun. */
  if (collector->pacing.pacer.triggered != PACER_NO_TRIGGER)
    revise(collector);
}

int pacing_set_percent(struct collector *collector, int percent)
{
  lock_acquire(&collector->pacing.lock);
  int old = pacer_set_percent(&collector->pacing.pacer, percent);
  settings_changed(collector);
  lock_release(&collector->pacing.lock);
  return old;
}

enum pacer_policy pacing_set_policy(struct collector *collector,
                                    enum pacer_policy policy)
{
  lock_acquire(&collector->pacing.lock);
  enum pacer_policy old = pacer_set_policy(&collector->pacing.pacer, policy);
  settings_changed(collector);
  lock_release(&collector->pacing.lock);
  return old;
}

/* The lower of both holds.  With the lock. */
static void limit_changed(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  pacer_set_limit(&pacing->pacer, pacing->budget_limit < pacing->memory_limit
                                      ? pacing->budget_limit
                                      : pacing->memory_limit);
  settings_changed(collector);
}

int64_t pacing_set_limit(struct collector *collector, int64_t bytes)
{
  struct pacing *pacing = &collector->pacing;
  lock_acquire(&pacing->lock);
  int64_t old = pacing->memory_limit;
  if (bytes >= 0) {
    pacing->memory_limit = bytes;
    limit_changed(collector);
  }
  lock_release(&pacing->lock);
  return old;
}

void pacing_set_budget_limit(struct collector *collector, int64_t bytes)
{
  lock_acquire(&collector->pacing.lock);
  collector->pacing.budget_limit = bytes;
  limit_changed(collector);
  lock_release(&collector->pacing.lock);
}

dusk_limit_action pacing_set_limit_action(struct collector *collector,
                                          dusk_limit_action action)
{
  struct pacing *pacing = &collector->pacing;
  lock_acquire(&pacing->lock);
  dusk_limit_action old = (dusk_limit_action)pacing->action;
  STORE_RELAXED(&pacing->action, action);
  publish(collector);
  lock_release(&pacing->lock);
  return old;
}

/* The goal and the trigger are looked at again when a cycle ends; only the cap,
 * which may fail an allocation, cannot wait. */
void pacing_external_changed(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  if (LOAD_RELAXED(&pacing->action) == DUSK_LIMIT_FAIL) {
    lock_acquire(&pacing->lock);
    publish(collector);
    lock_release(&pacing->lock);
  }
}

bool pacing_is_automatic(struct collector *collector)
{
  lock_acquire(&collector->pacing.lock);
  bool automatic = collector->pacing.pacer.gc_percent != PACER_OFF;
  lock_release(&collector->pacing.lock);
  return automatic;
}

struct pacing_figures pacing_figures(struct collector *collector)
{
  const struct pacer *pacer = &collector->pacing.pacer;
  lock_acquire(&collector->pacing.lock);
  struct pacer_memory memory = memory_limited(collector);
  struct pacing_figures figures = {.gc_percent = pacer->gc_percent,
                                   .memory_limit = pacer->memory_limit,
                                   .goal = pacer_goal(pacer, &memory)};
  lock_release(&collector->pacing.lock);
  return figures;
}

uint64_t pacing_goal(struct collector *collector)
{
  return pacing_figures(collector).goal;
}

/* All registered stacks in full would be address space, not work: a thread's
 * 8 MiB of stack hold a few KiB.  The most that stacks grow between two cycles
 * is what the pacer asks for. */
static uint64_t most_stack(const struct collector *collector)
{
  enum { GROWTH_BYTES = 64 * 1024 };
  uint64_t threads = LOAD_RELAXED(&collector->registry.attached);
  return collector->pacing.pacer.last_stack_scan + threads * GROWTH_BYTES;
}

void pacing_start(struct collector *collector)
{
  struct pacing *pacing = &collector->pacing;
  const struct flow *flow = &collector->arena.flow;
  lock_acquire(&pacing->lock);
  STORE_RELAXED(&pacing->heap_work, 0);
  STORE_RELAXED(&pacing->stack_work, 0);
  STORE_RELAXED(&pacing->root_work, 0);
  STORE_RELAXED(&pacing->assist_ns, 0);
  STORE_RELAXED(&pacing->worker_ns, 0);
  STORE_RELAXED(&pacing->idle_ns, 0);
  STORE_RELAXED(&pacing->credit, 0);
  pacer_start(&pacing->pacer, flow_live(flow), flow_scannable(flow),
              most_stack(collector), LOAD_RELAXED(&collector->roots.bytes));
  revise(collector);
  limiting_turn_locked(collector, true);
  lock_release(&pacing->lock);
}

/* What the cycle found to be needed, whatever is freed, over the limit.  With
 * the lock. */
static void feel_pressure(struct pacing *pacing,
                          const struct pacer_memory *memory, uint64_t marked)
{
  uint64_t in_heap = memory->heap_free + memory->heap_alloc;
  uint64_t beside =
      memory->mapped_ready > in_heap ? memory->mapped_ready - in_heap : 0;
  int64_t limit = pacing->pacer.memory_limit;
  enum pressure level =
      pressure_next((enum pressure)pacing->pressure, beside + marked,
                    limit == PACER_NO_LIMIT ? UINT64_MAX : (uint64_t)limit);
  STORE_RELAXED(&pacing->pressure, level);
}

/* Workers that the program has asked for may take more than the quarter that
 * the pacer counts on.  It knows no other name for that than assists. */
static uint64_t beyond_quarter(const struct collector *collector,
                               uint64_t duration_ns)
{
  uint64_t worker_ns = LOAD_RELAXED(&collector->pacing.worker_ns);
  uint64_t quarter = duration_ns * collector->processors / 4;
  bool more = collector->workers_are_asked && worker_ns > quarter;
  return more ? worker_ns - quarter : 0;
}

void pacing_end(struct collector *collector, const struct cycle_record *record)
{
  struct pacing *pacing = &collector->pacing;
  uint64_t duration = record->end_ns - record->start_ns;
  lock_acquire(&pacing->lock);
  struct pacer_memory memory = memory_limited(collector);
  /* The figures of the end of marking: the census has lowered them since. */
  pacer_revise(&pacing->pacer, &memory, record->live_at_end,
               pacing->pacer.scannable, work_done(pacing));
  pacer_end(&pacing->pacer,
            &(struct pacer_cycle){
                .assist_ns = LOAD_RELAXED(&pacing->assist_ns) +
                             beyond_quarter(collector, duration),
                .idle_ns = LOAD_RELAXED(&pacing->idle_ns),
                .duration_ns = duration,
                .interval_ns = record->end_ns - pacing->ended_ns,
                .processors = collector->processors,
                .marked = record->marked,
                .done = work_done(pacing),
            });
  pacing->ended_ns = record->end_ns;
  feel_pressure(pacing, &memory, record->marked);
  pacer_commit(&pacing->pacer, flow_live(&collector->arena.flow), true);
  scavenger_note_cycle(collector, record);
  publish(collector);
  limiter_add_gc(&collector->limiting.limiter, record->other_ns);
  limiting_turn_locked(collector, false);
  lock_release(&pacing->lock);
}

void pacing_revise(struct collector *collector)
{
  if (lock_try(&collector->pacing.lock)) {
    if (collector_phase(collector) == PHASE_MARK)
      revise(collector);
    lock_release(&collector->pacing.lock);
  }
}

struct price pacing_price(const struct collector *collector)
{
  return (struct price){
      .work_per_byte = load_double(&collector->pacing.work_per_byte),
      .bytes_per_work = load_double(&collector->pacing.bytes_per_work),
  };
}
