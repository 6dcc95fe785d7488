/* SPDX-License-Identifier: MIT */
/* track.h -- what one thread records, while somebody wants to know
 *
 * A thread whose track is off pays a branch.  One that is on has a ring, which
 * is never taken from it: that it is off again, or has a larger ring, it finds
 * out with its next event.  So rings are kept until the heap closes, and are
 * used again. */
#ifndef DUSK_EVENT_TRACK_H
#define DUSK_EVENT_TRACK_H

#include "event/ring.h"
#include "os/clock.h"

/* Whose events these are: the driver, the scavenger, a worker, or a thread by
 * its number (struct life). */
enum {
  OWNER_DRIVER = 1,
  OWNER_SCAVENGER = 2,
  OWNER_WORKERS = 2, /* and the worker's number, from 1 */
  OWNER_THREADS = 10000,
};

struct track {
  struct ring *ring;  /* NULL: off; release by who turns it on, acquire */
  struct ring *rings; /* newest first; written under the registry's lock */
  uint32_t owner;     /* the writer's */
};

/* On, with a ring of at least so many events; returns the bytes that were
 * taken for it.  Without memory for one it stays as it is, perhaps off.  With
 * the registry's lock. */
size_t track_start(struct track *track, uint64_t room);
void track_stop(struct track *track);

/* With no writer: frees the rings. */
void track_clear(struct track *track);

void track_add(struct track *track, enum event_id id, uint64_t start_ns,
               uint64_t duration_ns, uint64_t a, uint64_t b);

/* The newest ring that it ever had; NULL: none. */
static inline const struct ring *track_newest(const struct track *track)
{
  return LOAD_ACQUIRE(&track->rings); /* with track_start() */
}

static inline bool track_is_on(const struct track *track)
{
  return UNLIKELY(LOAD_RELAXED(&track->ring) != NULL);
}

/* One that has been timed. */
static inline void track_note(struct track *track, enum event_id id,
                              uint64_t start_ns, uint64_t duration_ns,
                              uint64_t a, uint64_t b)
{
  if (track_is_on(track))
    track_add(track, id, start_ns, duration_ns, a, b);
}

/* A span whose length nobody else wants to know: begin and end around it. */
static inline uint64_t track_begin(const struct track *track)
{
  return track_is_on(track) ? clock_now() : 0;
}

static inline void track_end(struct track *track, enum event_id id,
                             uint64_t start_ns, uint64_t a, uint64_t b)
{
  if (track_is_on(track) && start_ns)
    track_add(track, id, start_ns, clock_now() - start_ns, a, b);
}

/* An instant, or a counter. */
static inline void track_mark(struct track *track, enum event_id id, uint64_t a)
{
  if (track_is_on(track))
    track_add(track, id, clock_now(), 0, a, 0);
}

#endif
