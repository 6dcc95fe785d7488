/* SPDX-License-Identifier: MIT */
/* sampling.h -- which bytes of what a thread allocates are sampled
 *
 *   ----|------------------|------|---------------------------|----> bytes
 *       sample points: the gaps between them are exponential
 *
 * Each byte is a sample point with the same probability, 1 / rate, whatever was
 * sampled before; an object is sampled that contains one.  So no period of the
 * program can keep in step with the sampling, and an object of n bytes is
 * sampled with the probability 1 - exp(-n / rate), whose inverse is what it
 * stands for.
 *
 * The gaps have no memory.  So a thread may ask about its runs in any order,
 * and what is left of a run that is dropped is forgotten together with the
 * points in it.
 *
 * Arithmetic alone; a thread has its own. */
#ifndef DUSK_EVENT_SAMPLING_H
#define DUSK_EVENT_SAMPLING_H

#include "base/compiler.h"

/* The mean bytes between two points when nobody says (Go's). */
#define SAMPLING_RATE (UINT64_C(512) << 10)

struct sampling {
  uint64_t rate;  /* for which the gap was drawn; 0: there are no points */
  uint64_t gap;   /* bytes before the next point */
  uint64_t state; /* of the random numbers */
};

/* Does a point fall into the next `bytes`?  *at: before it, so many of them.
 * The bytes are behind us then, and those after the point must be asked about
 * again.  rate 0: no; 1: each byte is a point. */
bool sampling_draws(struct sampling *sampling, uint64_t rate, uint64_t bytes,
                    uint64_t *at);

static inline bool sampling_falls(struct sampling *sampling, uint64_t rate,
                                  uint64_t bytes, uint64_t *at)
{
  if (LIKELY(sampling->rate == rate && bytes <= sampling->gap)) {
    sampling->gap -= bytes;
    return false;
  }
  return sampling_draws(sampling, rate, bytes, at);
}

/* For how many objects of `bytes` a sampled one stands. */
double sampling_weight(uint64_t rate, uint64_t bytes);

#endif
