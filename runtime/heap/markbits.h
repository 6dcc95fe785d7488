/* SPDX-License-Identifier: MIT */
/* markbits.h -- bitmaps with one bit a granule
 *
 * An arena has two, and they swap roles each cycle: what one cycle marks is
 * what the next knows to be allocated.
 *
 *   allocated   bit set: an object starts here.  Written by the owner of the
 *               span alone (a thread for a cached span, the census otherwise),
 *               with release after the slot was zeroed; read with acquire.
 *   marks       bit set: grey or black in this cycle.  Set by anybody, with an
 *               atomic OR that decides who wins; relaxed, because the grey
 *               packet is what publishes the object.  A run that is born black
 *               has its bits set with release, after it was zeroed.
 *
 * Only bits of slot starts are ever set, so a span's bits are a stride. */
#ifndef DUSK_HEAP_MARKBITS_H
#define DUSK_HEAP_MARKBITS_H

#include "heap/span.h"

static inline bool bit_test(const uint64_t *bits, size_t granule)
{
  return LOAD_RELAXED(&bits[granule >> 6]) >> (granule & 63) & 1;
}

static inline bool bit_test_acquire(const uint64_t *bits, size_t granule)
{
  /* Pairs with the release in allocated_set() and marks_set(). */
  return LOAD_ACQUIRE(&bits[granule >> 6]) >> (granule & 63) & 1;
}

/* Marks; true: this call turned the object grey, and the caller must buffer
 * it.  The plain test first keeps the line shared when it is marked already. */
static inline bool marks_win(uint64_t *marks, size_t granule)
{
  uint64_t mask = UINT64_C(1) << (granule & 63);
  uint64_t *word = &marks[granule >> 6];
  if (LOAD_RELAXED(word) & mask)
    return false;
  return !(OR_RELAXED(word, mask) & mask);
}

/* `count` bits from `first`, `stride` apart. */
void allocated_set(uint64_t *allocated, size_t first, size_t stride,
                   size_t count);
void marks_set(uint64_t *marks, size_t first, size_t stride, size_t count);
void marks_drop(uint64_t *marks, size_t first, size_t stride, size_t count);

/* All the bits of some pages. */
size_t bits_count(const uint64_t *bits, uint32_t page, uint32_t pages);
void bits_clear(uint64_t *bits, uint32_t page, uint32_t pages);

/* The first granule in [from, to) whose bit is set, or `to`. */
size_t bits_find(const uint64_t *bits, size_t from, size_t to);

#endif
