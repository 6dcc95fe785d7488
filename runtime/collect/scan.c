/* SPDX-License-Identifier: MIT */
/* scan.c -- reading one object: its pointers are marked
 *
 * Runs on markers while the program writes to the same objects.  Pointer words
 * are loaded with acquire, which pairs with the release in dusk_store(): the
 * marker sees the fields of an object, not only its address.  Words of
 * conservative objects may be written with plain stores, so they are loaded
 * where no sanitizer looks (gather's reasons).
 *
 * Tested by tests/unit/scan.c on objects of each kind. */
#include "collect/scan.h"

#include "base/bits.h"
#include "os/tools.h"

/* About 50 us of work for one marker. */
enum { PIECE_BYTES = 64 * 1024 };

enum { WORD = sizeof(uintptr_t) };

static void scan_bits(struct dusk_tracer *tracer, const uintptr_t *words,
                      uint64_t bits)
{
  for (; bits; bits &= bits - 1)
    mark_word(tracer, LOAD_ACQUIRE(&words[bit_lowest(bits)])); /* dusk_store */
}

/* One copy of the bitmap, as far as `end` reaches. */
static void scan_period(struct dusk_tracer *tracer, const struct kind *kind,
                        const uintptr_t *words, size_t count)
{
  if (count > kind->period)
    count = kind->period;
  for (size_t i = 0; i < count; i += 64) {
    uint64_t bits = kind->pointers[i / 64];
    if (count - i < 64)
      bits &= bit_range(0, (unsigned)(count - i));
    scan_bits(tracer, words + i, bits);
  }
}

static void scan_layout(struct dusk_tracer *tracer, const struct kind *kind,
                        uintptr_t start, uintptr_t end)
{
  const uintptr_t *words = (const uintptr_t *)start;
  size_t count = (end - start) / WORD;
  if (!kind->repeat) {
    scan_period(tracer, kind, words, count);
    return;
  }
  for (size_t i = 0; i < count; i += kind->period)
    scan_period(tracer, kind, words + i, count - i);
}

READS_AMBIGUOUS_WORDS
static void scan_words(struct dusk_tracer *tracer, uintptr_t start,
                       uintptr_t end)
{
  const struct arena *arena = &tracer->collector->arena;
  for (; start < end; start += WORD) {
    uintptr_t word = *(const volatile uintptr_t *)start;
    uintptr_t object;
    if (word - tracer->base < tracer->bytes &&
        word_is_white(arena, tracer->roles, word, &object))
      mark_word(tracer, object);
  }
}

/* Under Valgrind: see heap/gather.c. */
static COLD void scan_copies(struct dusk_tracer *tracer, uintptr_t start,
                             uintptr_t end)
{
  uintptr_t words[GRANULE_BYTES / WORD];
  for (; start < end; start += GRANULE_BYTES) {
    tool_copy_words(words, (const uintptr_t *)start, GRANULE_BYTES / WORD);
    scan_words(tracer, (uintptr_t)words, (uintptr_t)words + GRANULE_BYTES);
  }
}

static void scan_conservative(struct dusk_tracer *tracer, uintptr_t start,
                              uintptr_t end)
{
  if (LIKELY(!tracer->collector->arena.copies))
    scan_words(tracer, start, end);
  else
    scan_copies(tracer, start, end);
}

void scan_range(struct dusk_tracer *tracer, const struct kind *kind,
                uintptr_t start, uintptr_t end)
{
  switch (kind->scan) {
  case DUSK_SCAN_LEAF:
    break;
  case DUSK_SCAN_CONSERVATIVE:
    scan_conservative(tracer, start, end);
    break;
  case DUSK_SCAN_LAYOUT:
    scan_layout(tracer, kind, start, end);
    break;
  case DUSK_SCAN_TRACE:
    kind->trace((void *)start, kind->size ? kind->size : end - start, tracer,
                kind->context);
    break;
  }
}

size_t scan_piece_bytes(const struct kind *kind)
{
  if (kind->scan == DUSK_SCAN_CONSERVATIVE)
    return PIECE_BYTES;
  if (kind->scan == DUSK_SCAN_LAYOUT && kind->repeat) {
    size_t period = kind->period * WORD;
    /* Whole periods, and slots stay aligned to granules. */
    return period * 2 > PIECE_BYTES
               ? period * 2
               : align_down(PIECE_BYTES / period, 2) * period;
  }
  return 0;
}
