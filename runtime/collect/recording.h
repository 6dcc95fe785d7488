/* SPDX-License-Identifier: MIT */
/* recording.h -- a heap's timeline: who records, since when
 *
 * Threads of the program and of the collector each have a track
 * (event/track.h). While a recording is on all tracks are; what they hold stays
 * readable when it is over. */
#ifndef DUSK_COLLECT_RECORDING_H
#define DUSK_COLLECT_RECORDING_H

#include "collect/collector.h"

void recording_init(struct collector *collector);

/* With nobody who records: frees the collector's rings. */
void recording_clear(struct collector *collector);

/* Rings of at least `room` events for every thread, from now on; what was
 * recorded before is left out, but for a recording that is on: that goes on.
 * Returns 0 or ENOMEM: then none is on. */
WARN_UNUSED int recording_start(struct collector *collector, uint64_t room);
void recording_stop(struct collector *collector);

/* From when to when, clock_now(). */
struct recording_times {
  uint64_t since_ns;
  uint64_t until_ns; /* UINT64_MAX: it is on */
};
struct recording_times recording_times(struct collector *collector);

/* Calls act(context, track) for each track there is, the driver's first.  Takes
 * the registry's lock for a moment, and not while it calls. */
void recording_tracks(struct collector *collector,
                      void (*act)(void *context, const struct track *track),
                      void *context);

/* The heap as it is now, as counters of the caller's track. */
void recording_note_heap(struct collector *collector, struct track *track);

/* The same, but not more often than every few milliseconds: for whoever comes
 * by. */
void recording_sample(struct collector *collector, struct track *track);

/* Watches for allocations that are held up for so long, from now on. */
void recording_watch(struct collector *collector, uint64_t ns);

/* An allocation was. */
static inline void recording_note_stall(struct collector *collector,
                                        uint64_t ns)
{
  uint64_t watch_ns = LOAD_RELAXED(&collector->recording.watch_ns);
  if (UNLIKELY(watch_ns) && ns >= watch_ns)
    STORE_RELAXED(&collector->recording.stalled, 1);
}

/* Was there such a stall since the last time? */
WARN_UNUSED bool recording_take_stall(struct collector *collector);

/* In the child of a fork: nobody records, and what was recorded is the
 * parent's. */
void recording_revive(struct collector *collector);

#endif
