/* SPDX-License-Identifier: MIT */
/* scavenger.c -- the thread that gives a heap's free memory back
 *
 *   cycle, settings --targets--> scavenger --> heap/scavenge --> the system
 *
 * TARGETS.  After each cycle the pages that hold memory may be as many as the
 * coming cycle is likely to use (pace/scavenger.c); under a memory limit all
 * that the process holds stays a little below it.  What is more than that goes,
 * in slices that are one percent of a processor's time.
 *
 * IDLE.  A program that stops allocating runs no more cycles, so what it has
 * let go of would be found by the periodic one at the earliest.  Once nothing
 * has been allocated for IDLE_NS, the thread asks for a cycle, once: there is
 * no second one before the program has allocated so much again that a cycle was
 * due, or a part of the heap that is worth one.  That a cycle was due shortly
 * before is no reason against it: that one found alive what was let go of while
 * it ran.  The dearer cycles are, the longer the thread waits, so that a
 * program which stops for a moment now and then pays at most a twentieth of a
 * processor for it.  An idle heap then keeps no more than it uses, and a tenth.
 *
 * SLEEPING.  While the program allocates, and until its idleness is settled,
 * the thread looks once a second.  Otherwise it sleeps until a cycle ends or a
 * setting changes: an idle process has no wake-ups from here.
 *
 *   .asleep   the thread says that it sleeps before it looks at `changes` for
 *             the last time; who changes a target counts first and then looks
 *             whether it sleeps.  So one of them sees the other.
 *
 * The thread runs at an ordinary priority: it takes pages.lock for moments, and
 * a holder that others may keep from running would make them wait for it.
 *
 * Tested by tests/api/idle.c. */
#include "collect/scavenger.h"

#include "base/sums.h"
#include "collect/cycle.h"
#include "collect/pacing.h"
#include "heap/scavenge.h"
#include "os/clock.h"
#include "os/task.h"
#include "os/vm.h"
#include "pace/scavenger.h"

#define SECOND_NS UINT64_C(1000000000)

static const uint64_t look_ns = SECOND_NS;
static const uint64_t idle_ns = 5 * SECOND_NS;

enum {
  /* An early cycle waits this many times as long as one takes. */
  CYCLE_PART = 20,
  /* The least growth since the last cycle that is worth one: so much, and this
   * part of the heap.  A sixteenth as well as a cycle that was due. */
  GROWTH_BYTES = 1 << 20,
  GROWTH_PART = 16,
};

/* What the thread remembers about the program. */
struct watch {
  uint64_t finished; /* cycles, at the last look */
  uint64_t taken;    /* bytes since the last cycle, at the last look */
  uint64_t since_ns; /* the last time that something was seen to be taken */
  uint32_t changes;  /* of targets, at the last look */
  bool is_idle;
  bool is_settled; /* a cycle began after the program had fallen idle, or it
                      has done too little since for another */
};

static uint64_t taken_since_cycle(const struct collector *collector)
{
  const struct flow *flow = &collector->arena.flow;
  return LOAD_RELAXED(&flow->taken[0]) + LOAD_RELAXED(&flow->taken[1]);
}

static bool is_worth_a_cycle(uint64_t taken, const struct collector *collector)
{
  uint64_t least = flow_live(&collector->arena.flow) / GROWTH_PART;
  return taken >= (least > GROWTH_BYTES ? least : GROWTH_BYTES);
}

/* Has anything been allocated since the last look?  A cycle starts the count
 * anew, so while one runs there is no telling. */
static void look_for_life(struct watch *watch, struct collector *collector)
{
  uint64_t finished = LOAD_ACQUIRE(&collector->finished); /* cycle_finish() */
  uint64_t taken = taken_since_cycle(collector);
  bool is_new_cycle = finished != watch->finished;
  bool has_run = taken != (is_new_cycle ? 0 : watch->taken);
  if (LOAD_RELAXED(&collector->begun) != finished)
    return;
  watch->finished = finished;
  watch->taken = taken;
  if (has_run) {
    watch->since_ns = clock_now();
    watch->is_idle = false;
  } else if (!watch->is_idle && clock_now() - watch->since_ns >= idle_ns) {
    watch->is_idle = true;
    pages_forget_use(&collector->arena);
  }
  if ((is_new_cycle && !watch->is_idle) ||
      (has_run && is_worth_a_cycle(taken, collector)))
    watch->is_settled = false;
}

/* Looks at what has changed.  A cycle of an idle program notes what was in use
 * before it, too: that is over. */
static void look(struct watch *watch, struct collector *collector)
{
  uint32_t changes =
      __atomic_load_n(&collector->scavenging.changes, __ATOMIC_SEQ_CST);
  look_for_life(watch, collector);
  if (watch->is_idle && changes != watch->changes)
    pages_forget_use(&collector->arena);
  watch->changes = changes;
}

static bool may_ask(const struct watch *watch, struct collector *collector)
{
  return !watch->is_settled && pacing_is_automatic(collector);
}

static void ask_if_idle(struct watch *watch, struct collector *collector)
{
  uint64_t wait = CYCLE_PART * LOAD_RELAXED(&collector->scavenging.cycle_ns);
  if (watch->is_idle && may_ask(watch, collector) &&
      clock_now() - watch->since_ns >= wait) {
    watch->is_settled = true;
    ADD_RELAXED(&collector->scavenging.idle_cycles, 1);
    cycle_ask(collector, false);
  }
}

/* Bytes that are to go. */
static uint64_t bytes_over(const struct watch *watch,
                           struct collector *collector)
{
  struct pages_figures pages = pages_read(&collector->arena);
  uint64_t held = pages.committed - pages.released;
  uint64_t retain = LOAD_RELAXED(&collector->arena.pages.retain);
  uint64_t limit = LOAD_RELAXED(&collector->scavenging.limit_target);
  if (watch->is_idle) {
    uint64_t idle = scavenger_idle_target(pages.in_use, vm_page_size());
    retain = min_u64(retain, idle);
  }
  uint64_t over = scavenger_over(held, retain);
  uint64_t over_limit = scavenger_over(held, limit);
  return max_u64(over, over_limit);
}

/* Works for a slice.  0: there is nothing to do, or nothing to be had. */
static uint64_t work(struct collector *collector, const struct watch *watch,
                     struct scavenger_pace *pace)
{
  for (uint64_t all = 0;;) {
    uint64_t over = bytes_over(watch, collector);
    uint64_t bytes = min_u64(over, SCAVENGER_QUANTUM_BYTES);
    uint64_t before = clock_thread_cpu();
    uint64_t gone = bytes ? scavenge(&collector->arena, bytes, SCAVENGE_SPARSE,
                                     SCAVENGE_BACKGROUND)
                          : 0;
    all += gone;
    if (!gone ||
        scavenger_pace_worked(pace, gone, clock_thread_cpu() - before) ||
        LOAD_ACQUIRE(&collector->closing)) /* with dusk_heap_close() */
      return all;
  }
}

static bool work_and_note(struct collector *collector,
                          const struct watch *watch,
                          struct scavenger_pace *pace)
{
  struct track *track = &collector->scavenging.track;
  uint64_t start = track_begin(track);
  uint64_t gone = work(collector, watch, pace);
  if (gone)
    track_end(track, EVENT_scavenge, start, gone, 0);
  return gone > 0;
}

static void rest(struct collector *collector, struct scavenger_pace *pace,
                 uint64_t noted)
{
  uint64_t before = clock_now();
  park_wait(&collector->scavenging.wake, noted, scavenger_pace_sleep(pace));
  scavenger_pace_slept(pace, clock_now() - before);
}

/* Nothing is to be done now: waits for what may change that. */
static void wait(struct collector *collector, struct watch *watch,
                 uint64_t noted)
{
  struct scavenging *scavenging = &collector->scavenging;
  if (!watch->is_idle || may_ask(watch, collector)) {
    park_wait(&scavenging->wake, noted, look_ns);
    return;
  }
  __atomic_store_n(&scavenging->asleep, 1, __ATOMIC_SEQ_CST); /* .asleep */
  if (__atomic_load_n(&scavenging->changes, __ATOMIC_SEQ_CST) == watch->changes)
    park_wait(&scavenging->wake, noted, UINT64_MAX);
  STORE_RELAXED(&scavenging->asleep, 0);
}

static void *scavenger_main(void *argument)
{
  struct collector *collector = argument;
  struct scavenging *scavenging = &collector->scavenging;
  struct scavenger_pace pace;
  struct watch watch = {.since_ns = clock_now(), .is_settled = true};
  scavenger_pace_init(&pace, vm_page_size());
  for (;;) {
    uint64_t noted = park_note(&scavenging->wake);
    if (LOAD_ACQUIRE(&collector->closing)) /* with dusk_heap_close() */
      return NULL;
    look(&watch, collector);
    ask_if_idle(&watch, collector);
    if (work_and_note(collector, &watch, &pace))
      rest(collector, &pace, noted);
    else
      wait(collector, &watch, noted);
  }
}

int scavenger_start(struct collector *collector)
{
  struct scavenging *scavenging = &collector->scavenging;
  return task_start(&scavenging->thread, scavenger_main, collector);
}

void scavenger_stop(struct collector *collector)
{
  park_signal(&collector->scavenging.wake);
  task_join(collector->scavenging.thread);
}

void scavenger_note_cycle(struct collector *collector,
                          const struct cycle_record *record)
{
  collector->scavenging.last_goal = record->goal;
  STORE_RELAXED(&collector->scavenging.cycle_ns,
                record->assist_ns + record->worker_ns + record->other_ns);
}

/* The limit is for all that was taken from the system; what is not the heap's
 * pages (tables, packets, what the program declared) leaves less for those. */
static uint64_t less_others(uint64_t limit, uint64_t others)
{
  if (limit >= INT64_MAX)
    return SCAVENGER_OFF;
  return subtract_saturate(limit, others);
}

void scavenger_retarget(struct collector *collector, uint64_t goal,
                        const struct pacer_memory *memory)
{
  struct scavenging *scavenging = &collector->scavenging;
  struct pages *pages = &collector->arena.pages;
  int64_t limit = collector->pacing.pacer.memory_limit;
  struct pages_figures now = pages_read(&collector->arena);
  uint64_t held = now.committed - now.released;
  uint64_t others = scavenger_over(memory->mapped_ready, held);
  uint64_t in_use = LOAD_RELAXED(&pages->last_in_use) << PAGE_LOG2;
  STORE_RELAXED(&pages->retain,
                scavenger_percent_target(in_use, goal, scavenging->last_goal,
                                         vm_page_size()));
  STORE_RELAXED(&pages->ready_limit, less_others((uint64_t)limit, others));
  STORE_RELAXED(&scavenging->limit_target,
                less_others(scavenger_limit_target(limit), others));
  __atomic_fetch_add(&scavenging->changes, 1, __ATOMIC_SEQ_CST); /* .asleep */
  if (__atomic_load_n(&scavenging->asleep, __ATOMIC_SEQ_CST))
    park_signal(&scavenging->wake);
}
