/* SPDX-License-Identifier: MIT */
/* cycle.c -- one collection from H1 to the end of the census
 *
 * A CYCLE, on the driver, while the program runs:
 *
 *   1. H1: every thread's barrier goes on.  H1b: those stores are finished
 *      which began while some barrier was still off.
 *   2. H2: each thread gathers the words of its stack and registers and turns
 *      to allocating black, one by one; the driver gathers the roots.  Nothing
 *      is traced and no word is tested until all have served: until then some
 *      thread's fresh white objects look like free slots.
 *   3. Mark, with helpers and assists, until a round of H3 is clean
 *      (terminate.c).
 *   4. H4: barriers off, runs dropped, the bitmaps swap roles, a new epoch.
 *   5. Census (census.c).
 *
 * The next cycle begins after all of this; so at most two epochs exist at a
 * time, and a thread's epoch is enough to know its phase.
 *
 * ASKING.  Cycles are numbered.  `wanted` is the highest number that anybody
 * asked for; the driver runs cycles while finished < wanted. */
#include "collect/cycle.h"

#include "base/chaos.h"
#include "base/check.h"
#include "collect/census.h"
#include "collect/crew.h"
#include "collect/handshake.h"
#include "collect/limiting.h"
#include "collect/pacing.h"
#include "collect/recording.h"
#include "collect/terminate.h"
#include "collect/worker.h"
#include "os/clock.h"
#include "os/machine.h"
#include "os/probe.h"

#include <errno.h>

/* Go's: a heap that allocates nothing is still looked through now and then. */
#define PERIOD_NS (UINT64_C(120) * 1000000000)

/* Packets may take this part of the address space of the heap, and at least
 * so much.  Only what is used is ever touched. */
enum { GREY_PART = 32 };
#define GREY_MIN_BYTES ((size_t)16 << 20)
/* How long the driver waits for packets before it tries again. */
enum { PACKETS_NS = 100 * 1000 };

static const enum phase phase_before[] = {
    [PHASE_IDLE] = PHASE_CENSUS, [PHASE_START] = PHASE_IDLE,
    [PHASE_MARK] = PHASE_START,  [PHASE_END] = PHASE_MARK,
    [PHASE_CENSUS] = PHASE_END,
};

static void set_phase(struct collector *collector, enum phase phase)
{
  CHECK(collector_phase(collector) == phase_before[phase]);
  STORE_RELAXED(&collector->phase, phase);
  PROBE2(phase, collector->begun, (int)phase);
}

int collector_open(struct collector *collector,
                   const struct collector_setup *setup)
{
  int error = arena_open(&collector->arena, setup->reserve_bytes);
  if (error)
    return error;
  size_t grey_bytes = collector->arena.bytes / GREY_PART;
  if (!grey_init(&collector->grey,
                 grey_bytes < GREY_MIN_BYTES ? GREY_MIN_BYTES : grey_bytes)) {
    arena_close(&collector->arena);
    return ENOMEM;
  }
  registry_init(&collector->registry);
  rootset_init(&collector->roots, setup->data_segments);
  park_init(&collector->wake);
  park_init(&collector->done);
  park_init(&collector->spare);
  park_init(&collector->scavenging.wake);
  collector->opened_ns = clock_now();
  recording_init(collector);
  collector->processors = machine_processors();
  collector->workers_are_asked = setup->workers > 0;
  collector->workers =
      setup->workers ? setup->workers : worker_count(collector->processors);
  unsigned idle = worker_idle_count(collector->processors, collector->workers);
  collector->idle_workers =
      setup->idle_workers < idle ? setup->idle_workers : idle;
  error = helpers_make_tracks(collector);
  collector->slow_ms = setup->slow_ms;
  collector->assist_rule = setup->assist_rule;
  pacing_init(collector, setup);
  limiting_init(collector);
  if (!error)
    error = helpers_start(collector);
  if (error)
    collector_close(collector);
  return error;
}

void collector_close(struct collector *collector)
{
  helpers_stop(collector);
  recording_clear(collector);
  helpers_drop_tracks(collector);
  pacing_destroy(collector);
  park_destroy(&collector->spare);
  park_destroy(&collector->scavenging.wake);
  park_destroy(&collector->done);
  park_destroy(&collector->wake);
  rootset_destroy(&collector->roots);
  registry_destroy(&collector->registry);
  grey_destroy(&collector->grey);
  arena_close(&collector->arena);
}

static void raise_to(uint64_t *number, uint64_t to)
{
  uint64_t seen = LOAD_RELAXED(number);
  while (seen < to && !CAS_ACQ_REL(number, &seen, to)) /* with cycle_next() */
    ;
}

uint64_t cycle_ask(struct collector *collector, bool forced)
{
  /* A cycle that has begun may have passed by what is garbage now. */
  uint64_t number = LOAD_ACQUIRE(&collector->begun) + 1; /* with cycle_mark() */
  if (!crew_is_there(collector) && !crew_call(collector))
    return number;
  if (forced)
    raise_to(&collector->wanted_forced, number);
  raise_to(&collector->wanted, number);
  park_signal(&collector->wake);
  return number;
}

bool cycle_await_for(struct collector *collector, uint64_t number, uint64_t ns)
{
  for (;;) {
    uint64_t noted = park_note(&collector->done);
    if (LOAD_ACQUIRE(&collector->finished) >= number || /* cycle_finish() */
        !crew_is_there(collector))
      return true;
    if (!park_wait(&collector->done, noted, ns))
      return false;
  }
}

void cycle_await(struct collector *collector, uint64_t number)
{
  while (!cycle_await_for(collector, number, UINT64_MAX))
    ;
}

void cycle_ask_if_due(struct collector *collector)
{
  if (pacing_is_due(collector) &&
      LOAD_RELAXED(&collector->wanted) <= LOAD_RELAXED(&collector->begun) &&
      collector_phase(collector) == PHASE_IDLE)
    cycle_ask(collector, false);
}

bool cycle_next(struct collector *collector)
{
  for (;;) {
    uint64_t noted = park_note(&collector->wake);
    collector->periodic = false;
    if (LOAD_ACQUIRE(&collector->closing)) /* with the closer */
      return false;
    if (LOAD_ACQUIRE(&collector->wanted) > collector->finished ||
        pacing_is_due(collector))
      return true;
    if (!park_wait(&collector->wake, noted, PERIOD_NS) &&
        pacing_is_automatic(collector)) {
      collector->periodic = true;
      return true;
    }
  }
}

/* Step 2's roots.  Packets that are short now come back: the program drops
 * none, but the threads that served have handed theirs over. */
static uint64_t gather_roots(struct collector *collector)
{
  bool complete;
  uint64_t bytes;
  for (;;) {
    bytes = rootset_gather(&collector->roots, &collector->arena,
                           &collector->grey, &complete);
    if (complete)
      return bytes;
    clock_sleep(PACKETS_NS);
  }
}

static void start(struct collector *collector, uint32_t epoch)
{
  struct registry *registry = &collector->registry;
  set_phase(collector, PHASE_START);
  STORE_RELAXED(&registry->longest_service[SERVICE_STARTING], 0);
  STORE_RELAXED(&registry->longest_service[SERVICE_ENDING], 0);
  STORE_RELAXED(&registry->stack_bytes, 0);
  pacing_start(collector);
  rootset_log(&collector->roots, true);
  handshake_run(collector, HANDSHAKE_1, epoch);
  CHAOS("after-h1");
  handshake_run(collector, HANDSHAKE_1B, epoch);
  CHAOS("after-h1b");
  handshake_post(collector, HANDSHAKE_2, epoch);
  uint64_t roots = gather_roots(collector);
  handshake_wait(collector);
  CHAOS("after-h2");
  STORE_RELAXED(&collector->pacing.root_work, roots);
  STORE_RELAXED(&collector->pacing.stack_work,
                LOAD_RELAXED(&registry->stack_bytes));
  /* Pairs with the barrier's acquire: allocated slots are published. */
  STORE_RELEASE(&registry->all_scanned, 1);
  CHAOS("all-scanned");
}

static unsigned mark(struct collector *collector, uint32_t epoch)
{
  struct turn turn;
  set_phase(collector, PHASE_MARK);
  grey_open(&collector->grey);
  helpers_wake(collector);
  turn_begin(&turn, collector, 0);
  unsigned rounds = terminate_marking(collector, &turn, epoch);
  turn_count(&turn);
  return rounds;
}

static void end(struct collector *collector, uint32_t epoch)
{
  set_phase(collector, PHASE_END);
  CHAOS("marking-over");
  rootset_log(&collector->roots, false);
  handshake_run(collector, HANDSHAKE_4, epoch);
  CHAOS("after-h4");
  STORE_RELEASE(&collector->registry.all_scanned, 0); /* with the barrier */
  grey_discard(&collector->grey);
}

struct cycle_record cycle_mark(struct collector *collector)
{
  uint32_t epoch = collector->registry.joining.epoch;
  uint64_t cpu_at_start = clock_thread_cpu();
  struct cycle_record record = {
      .number = collector->begun + 1,
      .start_ns = clock_now(),
      .live_at_start = flow_live(&collector->arena.flow),
      .trigger = LOAD_RELAXED(&collector->pacing.trigger),
  };
  record.forced = LOAD_RELAXED(&collector->wanted_forced) >= record.number;
  STORE_RELAXED(&collector->epoch, epoch);
  STORE_RELEASE(&collector->begun, record.number); /* with cycle_ask() */

  recording_note_heap(collector, &collector->track);
  PROBE3(gc__start, record.number, record.live_at_start, record.trigger);
  start(collector, epoch);
  record.mark_ns = clock_now();
  record.other_ns = clock_thread_cpu() - cpu_at_start;
  record.rounds = mark(collector, epoch);
  record.end_ns = clock_now();
  track_note(&collector->track, EVENT_mark, record.mark_ns,
             record.end_ns - record.mark_ns, record.rounds, record.number);
  recording_note_heap(collector, &collector->track);
  record.goal = pacing_goal(collector);
  return record;
}

/* What the cycle's counters say, once they stand still. */
static void read_counters(struct collector *collector,
                          struct cycle_record *record)
{
  const struct registry *registry = &collector->registry;
  const struct pacing *pacing = &collector->pacing;
  registry_await_notes(registry);
  record->pause_ns[0] =
      LOAD_RELAXED(&registry->longest_service[SERVICE_STARTING]);
  record->pause_ns[1] =
      LOAD_RELAXED(&registry->longest_service[SERVICE_ENDING]);
  record->assist_ns = LOAD_RELAXED(&pacing->assist_ns);
  record->worker_ns = LOAD_RELAXED(&pacing->worker_ns);
  record->idle_ns = LOAD_RELAXED(&pacing->idle_ns);
  record->heap_work = LOAD_RELAXED(&pacing->heap_work);
  record->stack_bytes = LOAD_RELAXED(&pacing->stack_work);
  record->root_bytes = LOAD_RELAXED(&pacing->root_work);
}

static void note_cycle(struct collector *collector,
                       const struct cycle_record *record)
{
  PROBE3(gc__end, record->number, record->marked,
         clock_now() - record->start_ns);
  struct track *track = &collector->track;
  track_end(track, EVENT_cycle, record->start_ns, record->number,
            record->forced);
  recording_note_heap(collector, track);
  track_mark(track, EVENT_live, record->marked);
}

void cycle_sweep(struct collector *collector, struct cycle_record *record)
{
  const struct flow *flow = &collector->arena.flow;
  uint32_t epoch = collector->epoch;
  uint64_t cpu_at_end = clock_thread_cpu();
  end(collector, epoch);
  /* Once all have served H4: what they marked at birth until then is in. */
  record->live_at_end = flow_live(flow);
  record->heap_inuse = pages_read(&collector->arena).in_use;
  set_phase(collector, PHASE_CENSUS);
  profile_fold(&collector->arena, epoch);
  uint64_t census_ns = track_begin(&collector->track);
  struct census census = census_run(collector, epoch + 1);
  record->marked = census.live + flow_external(flow);
  track_end(&collector->track, EVENT_census, census_ns, record->marked,
            record->number);
  read_counters(collector, record);
  record->other_ns += clock_thread_cpu() - cpu_at_end;
  record->swept_ns = clock_now();
  record->wall_end = clock_wall();
  pacing_end(collector, record);
  record->limited = limiter_last_on(&collector->limiting.limiter);
  set_phase(collector, PHASE_IDLE);
  note_cycle(collector, record);
}

void cycle_finish(struct collector *collector,
                  const struct cycle_record *record)
{
  STORE_RELEASE(&collector->finished, record->number); /* with cycle_await() */
  park_signal(&collector->done);
}
