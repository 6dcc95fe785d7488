/* SPDX-License-Identifier: MIT */
/* markbits.c -- bitmaps with one bit a granule: the operations on many bits */
#include "heap/markbits.h"

#include "base/bits.h"

/* A walk over the words that a stride of bits touches. */
struct stride {
  size_t word;
  unsigned bit; /* of the next bit, in `word` */
  size_t step;
  size_t count; /* bits left */
};

static struct stride stride_start(size_t first, size_t step, size_t count)
{
  CHECK(step > 0);
  return (struct stride){first >> 6, first & 63, step, count};
}

/* The mask of the stride's bits in *word; false: no bits are left. */
static inline bool stride_next(struct stride *s, size_t *word, uint64_t *mask)
{
  if (!s->count)
    return false;
  *word = s->word;
  *mask = 0;
  size_t bit = s->bit;
  if (s->step == 1) {
    size_t n = 64 - bit < s->count ? 64 - bit : s->count;
    *mask = bit_range((unsigned)bit, (unsigned)(bit + n));
    bit += n;
    s->count -= n;
  } else {
    do {
      *mask |= UINT64_C(1) << bit;
      bit += s->step;
      s->count--;
    } while (bit < 64 && s->count);
  }
  s->word += bit >> 6;
  s->bit = bit & 63;
  return true;
}

void allocated_set(uint64_t *allocated, size_t first, size_t stride,
                   size_t count)
{
  struct stride s = stride_start(first, stride, count);
  size_t word;
  uint64_t mask;
  while (stride_next(&s, &word, &mask)) {
    uint64_t old = LOAD_RELAXED(&allocated[word]);
    /* Pairs with bit_test_acquire(): who sees the bit sees a zeroed slot. */
    STORE_RELEASE(&allocated[word], old | mask);
  }
}

void marks_set(uint64_t *marks, size_t first, size_t stride, size_t count)
{
  struct stride s = stride_start(first, stride, count);
  size_t word;
  uint64_t mask;
  while (stride_next(&s, &word, &mask))
    OR_RELEASE(&marks[word], mask); /* with bit_test_acquire() */
}

void marks_drop(uint64_t *marks, size_t first, size_t stride, size_t count)
{
  struct stride s = stride_start(first, stride, count);
  size_t word;
  uint64_t mask;
  while (stride_next(&s, &word, &mask))
    AND_RELAXED(&marks[word], ~mask);
}

size_t bits_count(const uint64_t *bits, uint32_t page, uint32_t pages)
{
  const uint64_t *word = &bits[(size_t)page * PAGE_MARK_WORDS];
  const uint64_t *end = word + (size_t)pages * PAGE_MARK_WORDS;
  size_t count = 0;
  for (; word < end; word++)
    count += bit_count(LOAD_RELAXED(word));
  return count;
}

void bits_clear(uint64_t *bits, uint32_t page, uint32_t pages)
{
  uint64_t *word = &bits[(size_t)page * PAGE_MARK_WORDS];
  uint64_t *end = word + (size_t)pages * PAGE_MARK_WORDS;
  for (; word < end; word++)
    STORE_RELEASE(word, 0); /* with object_is_allocated() */
}

size_t bits_find(const uint64_t *bits, size_t from, size_t to)
{
  if (from >= to)
    return to;
  size_t word = from >> 6;
  uint64_t found = LOAD_RELAXED(&bits[word]) & ~bit_range(0, from & 63);
  while (!found) {
    if (++word << 6 >= to)
      return to;
    found = LOAD_RELAXED(&bits[word]);
  }
  size_t at = (word << 6) + bit_lowest(found);
  return at < to ? at : to;
}
