/* SPDX-License-Identifier: MIT */
/* revive.c -- a heap in the child of a fork
 *
 * Of the parent's threads the child has one, and the heap as they left it. What
 * locks guard is whole, as the forking thread had the locks (api/fork.c).  What
 * they do not guard is made anew, each step below from those before it:
 *
 *   bitmaps, spans   from the bits (heap/recount.c): a cycle that had not come
 *                    to its census has never been, one that had is completed
 *   free pages       what is in no span
 *   grey set         empty: the cycle that filled it is gone
 *   threads          this one, as if it had attached between two cycles
 *   samples          as the bits have it; their sums are whole
 *   pacing, limits   the settings stay, what was measured is forgotten
 *   counters         so that what was allocated and not freed is what there is
 *   parks            nobody waits
 *
 * PHASE AND EPOCH.  The phase is the driver's word; a fork that sees it sees
 * all that the driver had waited for before it set it.  So in PHASE_CENSUS
 * every thread has served H4 and lives in the next epoch, and in any phase
 * before it nothing of the cycle has been freed.  Threads that have served
 * their H4 while others have not are moved back by an epoch: what they
 * allocated stands in the bitmap that was being marked.
 *
 * Tested by tests/unit/recount.c, tests/api/fork.c and tests/api/forkpoints.c.
 */
#include "collect/revive.h"

#include "collect/pacing.h"
#include "collect/recording.h"
#include "heap/recount.h"
#include "os/block.h"

/* Objects were counted as taken a little before or after their slots were; so
 * they are counted by what there is.  Neither count goes back. */
static void balance(uint64_t *taken, uint64_t *freed, uint64_t now)
{
  if (*taken < *freed + now)
    *taken = *freed + now;
  *freed = *taken - now;
}

static void balance_counters(struct collector *collector,
                             const struct tally *now)
{
  struct tally *taken = &collector->registry.left;
  struct tally *freed = &collector->freed;
  for (unsigned i = 0; i < COUNTER_ROWS; i++)
    balance(&taken->objects[i], &freed->objects[i], now->objects[i]);
  balance(&taken->large_bytes, &freed->large_bytes, now->large_bytes);
}

/* Nobody asks for a cycle, and none runs. */
static void revive_cycles(struct collector *collector, bool completed)
{
  if (completed)
    collector->finished = collector->begun;
  collector->begun = collector->finished;
  collector->wanted = collector->finished;
  collector->wanted_forced = collector->finished;
  collector->phase = PHASE_IDLE;
  collector->periodic = false;
  collector->late_round = 0;
  park_init(&collector->wake);
  park_init(&collector->done);
}

static void revive_workers(struct collector *collector)
{
  block_free(collector->helpers);
  collector->helpers = NULL;
  collector->helper_count = 0;
  collector->idle = (struct idle){0};
  park_init(&collector->spare);
  collector->scavenging.asleep = 0;
  park_init(&collector->scavenging.wake);
  collector->crew = CREW_LOST;
  collector->lost_is_told = false;
}

static enum unfinished unfinished_in(enum phase phase)
{
  switch (phase) {
  case PHASE_IDLE:
    return UNFINISHED_NOTHING;
  case PHASE_START:
  case PHASE_MARK:
  case PHASE_END:
    return UNFINISHED_MARKING;
  case PHASE_CENSUS:
    break;
  }
  return UNFINISHED_CENSUS;
}

void revive_heap(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  enum unfinished unfinished = unfinished_in(collector_phase(collector));
  uint32_t epoch = unfinished == UNFINISHED_MARKING
                       ? collector->epoch
                       : collector->registry.joining.epoch;
  lock_renew(&collector->arena.kinds.lock);
  struct recount recount = recount_run(&collector->arena, epoch, unfinished);
  profile_revive(&collector->arena, epoch, unfinished == UNFINISHED_CENSUS);
  grey_reset(&collector->grey);
  registry_revive(&collector->registry, epoch);
  rootset_revive(&collector->roots);
  balance_counters(collector, &recount.objects);
  revive_cycles(collector, unfinished == UNFINISHED_CENSUS);
  revive_workers(collector);
  recording_revive(collector);
  pacing_revive(collector);
  lock_renew(&heap->history.lock);
  lock_renew(&heap->calls_lock);
  lock_renew(&heap->member_lock);
}
