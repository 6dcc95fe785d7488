/* SPDX-License-Identifier: MIT */
/* sums.h -- sums and differences of sizes that do not wrap
 *
 * What is too large for its type is the largest value of it, and what would be
 * below zero is zero. */
#ifndef DUSK_BASE_SUMS_H
#define DUSK_BASE_SUMS_H

#include "base/compiler.h"

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
  return a > b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

static inline uint64_t add_saturate(uint64_t a, uint64_t b)
{
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static inline uint64_t subtract_saturate(uint64_t a, uint64_t b)
{
  return a > b ? a - b : 0;
}

/* value * number / parts, rounded down once, at the end.  number and parts are
 * below 2^32. */
static inline uint64_t scaled(uint64_t value, uint64_t number, uint64_t parts)
{
  uint64_t whole = value / parts;
  if (number && whole > UINT64_MAX / number)
    return UINT64_MAX;
  return add_saturate(whole * number, value % parts * number / parts);
}

#endif
