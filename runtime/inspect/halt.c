/* SPDX-License-Identifier: MIT */
/* halt.c -- threads that stand still, for debug modes and reports
 *
 * The one place in the library that makes threads wait for each other, and it
 * does so for DUSK_DEBUG and dusk_retention_report() alone
 * (tests/lint/nostop.sh sees to that).
 *
 * A round like any other is posted, whose step waits until the driver lets go.
 * Who is in a blocking region is kept SERVED: it goes on out there, and waits
 * when it comes back.
 *
 * WHY IT COMES TO AN END
 *   .late    Until all stand, the driver holds no lock while it waits: a thread
 *            that leaves, or needs the registry for anything else, gets it, and
 *            then comes to a safepoint.  One that never does delays this round
 *            as it would any, and is named like there.
 *   .owner   The driver owes the round too, so that it cannot be complete, and
 * a thread that attaches owes it as well, until the registry's lock is kept.
 * From then on attaching waits for the lock. .one     One heap of a process at
 * a time: of two whose threads are attached to both, each would keep a thread
 * for which the other one waits.
 *
 * ORDERING   `stands` release pairs with the driver's acquire: it sees where
 * the thread stands.  `over` release pairs with the thread's acquire.
 *
 * Tested by tests/unit/halt.c and, with all that uses it, by tests/stress. */
#include "inspect/halt.h"

#include "collect/handshake.h"
#include "mutator/poll.h"
#include "os/clock.h"

#include <unistd.h>

static const uint64_t look_ns = 200 * 1000;

/* .one: the process that has a halt under way, 0: none.  A number of another
 * process was inherited by a fork, and nobody here owns it. */
static uint32_t halting;

static void claim(void)
{
  uint32_t mine = (uint32_t)getpid();
  for (;;) {
    uint32_t seen = LOAD_RELAXED(&halting);
    if (seen != mine && CAS_ACQUIRE(&halting, &seen, mine)) /* unclaim() */
      return;
    clock_sleep(look_ns);
  }
}

static void unclaim(void)
{
  STORE_RELEASE(&halting, 0); /* with claim() */
}

/* The step of a thread, on itself: waits.  For a thread outside the driver runs
 * it when all is over. */
static bool serve_halt(struct dusk_thread *thread,
                       const struct stack_view *stack)
{
  struct halt *halt = thread->heap->halt;
  struct standing *standing = &thread->standing;
  uint64_t noted = park_note(&halt->go);
  if (LOAD_ACQUIRE(&halt->over)) /* with halt_end() */
    return true;
  standing->stack = *stack;
  standing->frame_count = unwind_frames(standing->frames, STANDING_FRAMES);
  STORE_RELEASE(&standing->stands, 1); /* with stands() */
  park_signal(&halt->came);
  while (!LOAD_ACQUIRE(&halt->over)) { /* with halt_end() */
    park_wait(&halt->go, noted, UINT64_MAX);
    noted = park_note(&halt->go);
  }
  STORE_RELAXED(&standing->stands, 0);
  return true;
}

/* Where a thread stands that is outside.  Its frames were written down when it
 * left, if anybody wanted them. */
static void note_outside(struct dusk_thread *thread)
{
  struct standing *standing = &thread->standing;
  standing->held = true;
  standing->stack = (struct stack_view){.sp = thread->outside_sp,
                                        .words = thread->outside_words,
                                        .count = thread->outside_count};
  if (!thread->registry->framed && !thread->framed)
    standing->frame_count = 0;
}

static bool stands(struct dusk_thread *thread)
{
  struct standing *standing = &thread->standing;
  if (standing->held || LOAD_ACQUIRE(&standing->stands)) /* serve_halt() */
    return true;
  if (!poll_hold_outside(thread))
    return false;
  note_outside(thread);
  return true;
}

/* A thread that does not stand yet.  With the registry's lock. */
static struct dusk_thread *find_late(struct registry *registry)
{
  struct dusk_thread *late = NULL;
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    if (!stands(t))
      late = t;
  return late;
}

/* Returns with the registry's lock. */
static void await_all(struct collector *collector, struct halt *halt)
{
  struct registry *registry = &collector->registry;
  uint64_t start = clock_now();
  uint64_t slow_ns = collector->slow_ms * 1000000;
  bool reported = slow_ns == 0;
  for (;;) {
    uint64_t noted = park_note(&halt->came);
    lock_acquire(&registry->lock);
    struct dusk_thread *late = find_late(registry);
    if (!late)
      return;
    if (!reported && clock_now() - start >= slow_ns) {
      reported = true;
      handshake_report_late(late, clock_now() - start);
    }
    lock_release(&registry->lock); /* .late */
    park_wait(&halt->came, noted, look_ns);
  }
}

void halt_begin(struct dusk_heap *heap, struct halt *halt)
{
  struct registry *registry = &heap->collector.registry;
  struct joining joining = registry->joining;
  claim();
  *halt = (struct halt){.over = 0};
  park_init(&halt->came);
  park_init(&halt->go);
  heap->halt = halt; /* the round publishes it */
  joining.halts = true;
  registry_post(registry, serve_halt, joining);
  await_all(&heap->collector, halt);
}

void halt_end(struct dusk_heap *heap, struct halt *halt)
{
  struct registry *registry = &heap->collector.registry;
  STORE_RELEASE(&halt->over, 1); /* with serve_halt() */
  park_signal(&halt->go);
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    if (t->standing.held) {
      t->standing.held = false;
      poll_let_go_outside(t);
    }
  lock_release(&registry->lock);
  SUB_RELEASE(&registry->owing, 1); /* .owner; with handshake_wait() */
  handshake_wait(&heap->collector);
  heap->halt = NULL;
  park_destroy(&halt->go);
  park_destroy(&halt->came);
  unclaim();
}
