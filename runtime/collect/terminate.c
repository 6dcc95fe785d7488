/* SPDX-License-Identifier: MIT */
/* terminate.c -- marking until nothing is grey anywhere
 *
 * Runs on the driver.  The grey set is spread over many threads, which go on
 * while we look; no look at one place after the other can tell that all are
 * empty at once.  So: clear `dirty`, make sure that the lists are empty and
 * that nobody is inside the door, and ask every thread for its log (H3).  If
 * all have served, the lists are empty, nobody is inside, and `dirty` is still
 * clear, the round was clean.  Then at the moment of its first service nothing
 * was grey anywhere, so nothing that can be reached was white, so no later
 * shade can find anything.
 *
 *   .dirty   cleared before the set is seen empty, and that before the round is
 *            posted; set before anything is pushed, by somebody who is inside.
 *            Cleared later, it could hide a hand-over that began before the
 *            round and whose packet a marker empties during it.
 *   .door    once grey_shut() returned true, nobody is inside and no marker
 * will be.  Asked last: a marker that was inside during the round may have
 *            handed something over.
 *
 * Without the handshake a log is filled behind the collector's back.
 *
 * Tested by tests/unit/terminate.c, which fixes the interleavings. */
#include "collect/terminate.h"

#include "base/chaos.h"
#include "collect/handshake.h"
#include "os/clock.h"

/* How long the driver waits for other markers to run dry: an assist takes some
 * tens of microseconds. */
enum { MARKERS_NS = 20 * 1000 };

/* Drains the grey set, with others, until it looks empty and all have left. */
static void drain(struct collector *collector, struct turn *turn)
{
  struct grey *grey = &collector->grey;
  struct dusk_tracer tracer;
  for (;;) {
    uint64_t start = track_begin(turn->track);
    if (!grey_is_empty(grey) && mark_enter(&tracer, collector)) {
      while (turn_mark(turn, &tracer))
        ;
      mark_leave(&tracer);
      track_end(turn->track, EVENT_slice, start, tracer.work, 0);
    } else if (LOAD_ACQUIRE(&grey->busy)) { /* with grey_leave() */
      clock_sleep(MARKERS_NS);
    } else if (LOAD_RELAXED(&grey->overflowed) &&
               mark_enter(&tracer, collector)) {
      mark_rescan(&tracer);
      mark_leave(&tracer);
    } else if (grey_is_empty(grey)) {
      return;
    }
  }
}

unsigned terminate_marking(struct collector *collector, struct turn *turn,
                           uint32_t epoch)
{
  struct grey *grey = &collector->grey;
  for (unsigned rounds = 1;; rounds++) {
    drain(collector, turn);
    grey_begin_round(grey); /* .dirty */
    CHAOS("round-begun");
    if (!grey_shut(grey))
      continue;
    grey_open(grey);
    CHAOS("round-not-posted");
    handshake_run(collector, HANDSHAKE_3, epoch);
    CHAOS("round-served");
    if (!grey_shut(grey)) /* .door */
      continue;
    if (!LOAD_RELAXED(&grey->dirty) && !LOAD_RELAXED(&grey->overflowed))
      return rounds;
    grey_open(grey);
  }
}
