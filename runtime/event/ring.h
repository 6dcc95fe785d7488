/* SPDX-License-Identifier: MIT */
/* ring.h -- the last events of one thread
 *
 * One writer, which waits for nobody: what is new takes the place of what is
 * oldest.  Any number of readers at any time; an event that is overwritten
 * while it is read does not count as read, and is counted as lost. */
#ifndef DUSK_EVENT_RING_H
#define DUSK_EVENT_RING_H

#include "base/atomic.h"

enum event_id {
#define EVENT(name, form, shown, a, b) EVENT_##name,
#include "event/events.def"
#undef EVENT
  EVENT_COUNT
};

struct event {
  uint64_t start_ns; /* clock_now() */
  uint64_t duration_ns;
  uint64_t a, b;  /* events.def */
  uint32_t owner; /* track.h */
  enum event_id id;
};

enum { RING_WORDS = 5 }; /* of an event */

struct ring {
  uint64_t written;   /* events ever; release by the writer, acquire */
  uint64_t room;      /* the last room - 1 of them can be read */
  struct ring *older; /* track.h */
  uint64_t words[][RING_WORDS];
};

/* For at least two events.  NULL: no memory. */
WARN_UNUSED struct ring *ring_make(uint64_t room);
void ring_free(struct ring *ring);

/* Memory that a ring of so many events takes, and the other way round. */
size_t ring_bytes(uint64_t room);
uint64_t ring_room(size_t bytes);

/* The writer. */
void ring_add(struct ring *ring, const struct event *event);

/* Where a reader is; all zero: before the first. */
struct ring_reader {
  uint64_t next; /* the number of the next event */
  uint64_t lost; /* that were gone before they were read */
};

/* Reads the oldest event that has not been read; false: there is none now. */
WARN_UNUSED bool ring_next(const struct ring *ring, struct ring_reader *reader,
                           struct event *event);

#endif
