/* SPDX-License-Identifier: MIT */
/* sampling.c -- which bytes of what a thread allocates are sampled
 *
 * Tested by tests/unit/sampling.c. */
#include "event/sampling.h"

#include <math.h>

/* Far more than anybody allocates; sums still fit. */
#define NEVER (UINT64_C(1) << 62)

/* Splitmix: Steele, Lea and Flood 2014.  From 0 to below 1. */
static double draw_uniform(struct sampling *sampling)
{
  uint64_t z = sampling->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Rounded down: then a byte is a point with probability 1 - exp(-1 / rate),
 * and n bytes have none with exp(-n / rate), as sampling_weight() has it. */
static uint64_t draw_gap(struct sampling *sampling)
{
  if (sampling->rate <= 1)
    return sampling->rate ? 0 : NEVER;
  double gap = -log1p(-draw_uniform(sampling)) * (double)sampling->rate;
  return gap < (double)NEVER ? (uint64_t)gap : NEVER;
}

bool sampling_draws(struct sampling *sampling, uint64_t rate, uint64_t bytes,
                    uint64_t *at)
{
  if (sampling->rate != rate || !rate) {
    sampling->rate = rate;
    sampling->gap = draw_gap(sampling);
  }
  if (bytes <= sampling->gap) {
    sampling->gap -= bytes;
    return false;
  }
  *at = sampling->gap;
  sampling->gap = draw_gap(sampling);
  return true;
}

double sampling_weight(uint64_t rate, uint64_t bytes)
{
  return rate <= 1 ? 1 : -1 / expm1(-(double)bytes / (double)rate);
}
