/* SPDX-License-Identifier: MIT */
/* bits.h -- words of bits, and rounding */
#ifndef DUSK_BASE_BITS_H
#define DUSK_BASE_BITS_H

#include "base/check.h"

static inline bool is_power_of_two(size_t value)
{
  return value && !(value & (value - 1));
}

static inline size_t align_up(size_t value, size_t alignment)
{
  CHECK(is_power_of_two(alignment));
  return (value + alignment - 1) & ~(alignment - 1);
}

static inline size_t align_down(size_t value, size_t alignment)
{
  CHECK(is_power_of_two(alignment));
  return value & ~(alignment - 1);
}

static inline size_t divide_up(size_t value, size_t by)
{
  return (value + by - 1) / by;
}

/* Index of the lowest bit set; word is not 0. */
static inline unsigned bit_lowest(uint64_t word)
{
  return (unsigned)__builtin_ctzll(word);
}

static inline unsigned bit_count(uint64_t word)
{
  return (unsigned)__builtin_popcountll(word);
}

/* Bits [from, to) of a word; 0 <= from <= to <= 64. */
static inline uint64_t bit_range(unsigned from, unsigned to)
{
  uint64_t below_to = to == 64 ? ~UINT64_C(0) : (UINT64_C(1) << to) - 1;
  uint64_t below_from = from == 64 ? ~UINT64_C(0) : (UINT64_C(1) << from) - 1;
  return below_to & ~below_from;
}

#endif
