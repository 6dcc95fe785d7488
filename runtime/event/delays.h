/* SPDX-License-Identifier: MIT */
/* delays.h -- when a thread was held up, and for how long
 *
 * Each traced thread has a ring of its own.  The thread itself writes it, in
 * its slow paths; who writes the trace empties it after each cycle, one reader
 * at a time.  Neither waits for the other: a ring that is full drops what comes
 * and counts it.  A thread that nobody traces has no ring, and pays a branch.
 *
 * Delays of one thread may overlap: a service in the middle of an assist is
 * noted as well. */
#ifndef DUSK_EVENT_DELAYS_H
#define DUSK_EVENT_DELAYS_H

#include "base/atomic.h"
#include "os/clock.h"

#define DELAY_KINDS(X)                                                         \
  X(service) /* serving a handshake, or waiting for the one who serves it */   \
  X(assist)  /* marking in an allocation: one settlement */                    \
  X(aside)   /* letting the collector have the processor */                    \
  X(wall)    /* waiting at the hard wall */                                    \
  X(collect) /* waiting for a cycle that the program asked for */

enum delay_kind {
#define X(name) DELAY_##name,
  DELAY_KINDS(X)
#undef X
      DELAY_KIND_COUNT
};

struct delay {
  uint64_t start_ns; /* clock_now() */
  uint64_t duration_ns;
  enum delay_kind kind;
};

/* 96 KiB a thread.  A thread has some ten delays a cycle, and one for each of
 * its assists, which come at most once a span: two threads that churn 128 MiB
 * had up to 1,800 a cycle. */
enum { DELAYS_ROOM = 4096 };

struct delays {
  /* The owner's.  `lost` and `written` are read by the reader. */
  _Alignas(CACHE_LINE) uint64_t written;
  uint64_t lost;
  /* The reader's.  `read` is read by the owner. */
  _Alignas(CACHE_LINE) uint64_t read;
  uint64_t lost_read;
  struct delay ring[DELAYS_ROOM];
};

/* NULL: no memory. */
WARN_UNUSED struct delays *delays_make(void);
void delays_free(struct delays *delays);

/* The thread begins a new life: forgets all.  With no reader. */
void delays_clear(struct delays *delays);

/* The owner. */
void delays_add(struct delays *delays, enum delay_kind kind, uint64_t start_ns,
                uint64_t duration_ns);

/* The reader: takes the oldest; false: there is none. */
WARN_UNUSED bool delays_take(struct delays *delays, struct delay *delay);

/* The reader: how many were dropped since it last asked. */
uint64_t delays_take_lost(struct delays *delays);

/* A delay whose length nobody else wants to know: from start to end, in that
 * order, around it. */
static inline uint64_t delays_start(const struct delays *delays)
{
  return UNLIKELY(delays != NULL) ? clock_now() : 0;
}

static inline void delays_end(struct delays *delays, enum delay_kind kind,
                              uint64_t start_ns)
{
  if (UNLIKELY(delays != NULL))
    delays_add(delays, kind, start_ns, clock_now() - start_ns);
}

/* One that has been timed. */
static inline void delays_note(struct delays *delays, enum delay_kind kind,
                               uint64_t start_ns, uint64_t duration_ns)
{
  if (UNLIKELY(delays != NULL))
    delays_add(delays, kind, start_ns, duration_ns);
}

#endif
