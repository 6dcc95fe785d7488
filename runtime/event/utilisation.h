/* SPDX-License-Identifier: MIT */
/* utilisation.h -- how little of its time a thread had, in the worst window
 *
 * The utilisation of a window of time is the share of it in which the thread
 * was not held up; its minimum over all windows of one length says how bad it
 * gets (Cheng & Blelloch 2001).  dusk-lab reckons it up from a trace, exactly;
 * here each thread keeps it up to date itself, in bounded memory, for windows
 * that end in the last ten seconds.
 *
 * A window's delays are counted from the begin of the 64th part in which the
 * window begins, so what is told is at most 1/64 too low and never too high. */
#ifndef DUSK_EVENT_UTILISATION_H
#define DUSK_EVENT_UTILISATION_H

#include "base/atomic.h"

/* Lengths in ms. */
#define UTILISATION_WINDOWS(X) X(1) X(2) X(5) X(10) X(20) X(50) X(100)

enum utilisation_window {
#define X(ms) UTILISATION_##ms,
  UTILISATION_WINDOWS(X)
#undef X
      UTILISATION_WINDOW_COUNT
};

enum {
  UTILISATION_PARTS = 64,   /* of a window */
  UTILISATION_SECONDS = 10, /* that are remembered, the running one included */
};

/* The most that windows which end in a second were delayed: the second in the
 * upper half, ns in the lower one, so that a reader finds both or neither.
 * Atomic. */
struct worst {
  uint64_t words[UTILISATION_WINDOW_COUNT][UTILISATION_SECONDS];
};

/* The owner's. */
struct utilisation {
  uint64_t until_ns;   /* where the last delay ended; clock_now() */
  uint64_t delayed_ns; /* all delays until then */
  struct {
    uint64_t part;   /* number of the part in which `until_ns` lies */
    uint64_t before; /* delayed_ns where the part UTILISATION_PARTS before that
                        one began */
    uint64_t begins[UTILISATION_PARTS]; /* and where the others did: part n at
                                           n % UTILISATION_PARTS */
  } windows[UTILISATION_WINDOW_COUNT];
};

/* No delay yet. */
void utilisation_begin(struct utilisation *utilisation, uint64_t now_ns);

/* The thread was held up, from start to end; what overlaps with earlier delays
 * counts once.  The owner. */
void utilisation_add(struct utilisation *utilisation, struct worst *worst,
                     uint64_t start_ns, uint64_t end_ns);

/* What is worse of both; one writer of `sum` at a time. */
void worst_fold(struct worst *sum, const struct worst *worst);

/* 0 to 1: the least utilisation of such a window. */
double worst_utilisation(const struct worst *worst,
                         enum utilisation_window window, uint64_t now_ns);

#endif
