/* SPDX-License-Identifier: MIT */
/* track.c -- what one thread records, while somebody wants to know
 *
 * Tested by tests/unit/ring.c. */
#include "event/track.h"

size_t track_start(struct track *track, uint64_t room)
{
  struct ring *newest = track->rings;
  size_t taken = 0;
  if (!newest || newest->room < room) {
    /* Twice as much at least: all older ones together are no larger. */
    if (newest && room < 2 * newest->room)
      room = 2 * newest->room;
    struct ring *ring = ring_make(room);
    if (ring) {
      ring->older = newest;
      newest = ring;
      STORE_RELEASE(&track->rings, ring); /* with track_newest() */
      taken = ring_bytes(room);
    }
  }
  STORE_RELEASE(&track->ring, newest); /* with track_add() */
  return taken;
}

void track_stop(struct track *track)
{
  STORE_RELAXED(&track->ring, NULL);
}

void track_clear(struct track *track)
{
  track_stop(track);
  while (track->rings) {
    struct ring *ring = track->rings;
    track->rings = ring->older;
    ring_free(ring);
  }
}

void track_add(struct track *track, enum event_id id, uint64_t start_ns,
               uint64_t duration_ns, uint64_t a, uint64_t b)
{
  struct ring *ring = LOAD_ACQUIRE(&track->ring); /* with track_start() */
  if (ring)
    ring_add(ring, &(struct event){.start_ns = start_ns,
                                   .duration_ns = duration_ns,
                                   .a = a,
                                   .b = b,
                                   .owner = track->owner,
                                   .id = id});
}
