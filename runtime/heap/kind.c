/* SPDX-License-Identifier: MIT */
/* kind.c -- defining kinds: every argument is looked at before anything is kept
 *
 * Tested by tests/unit/kind.c and tests/api/kind.c. */
#include "heap/kind.h"

#include "base/bits.h"
#include "os/block.h"

#include <errno.h>
#include <string.h>

enum { WORD = sizeof(void *) };

/* Bitmaps and fixed sizes beyond this are taken for mistakes. */
enum { LAYOUT_BYTES_MAX = 1 << 20 };

static size_t bitmap_words(size_t period)
{
  return divide_up(period, 64);
}

static bool bitmap_fits(const uint64_t *pointers, size_t period, size_t words)
{
  for (size_t i = words; i < period; i++)
    if (pointers[i / 64] >> (i % 64) & 1)
      return false;
  return true;
}

static bool layout_is_valid(const dusk_kind_spec *spec)
{
  size_t words = spec->size / WORD;
  if (!spec->pointers || spec->period > LAYOUT_BYTES_MAX * 8 ||
      spec->size > LAYOUT_BYTES_MAX)
    return false;
  if (!spec->size)
    return spec->period > 0;
  return bitmap_fits(spec->pointers, spec->period, words);
}

static bool spec_is_valid(const dusk_kind_spec *spec)
{
  if (!spec || spec->struct_size != sizeof *spec)
    return false;
  switch (spec->scan) {
  case DUSK_SCAN_LEAF:
  case DUSK_SCAN_CONSERVATIVE:
    return true;
  case DUSK_SCAN_LAYOUT:
    return layout_is_valid(spec);
  case DUSK_SCAN_TRACE:
    return spec->trace != NULL;
  }
  return false;
}

static void kind_free(struct kind *kind)
{
  if (kind) {
    block_free(kind->pointers);
    block_free(kind->name);
    block_free(kind);
  }
}

static bool copy_layout(struct kind *kind, const dusk_kind_spec *spec)
{
  size_t words = spec->size / WORD;
  kind->period =
      spec->period && (!words || spec->period < words) ? spec->period : words;
  kind->repeat = spec->size == 0;
  size_t bytes = bitmap_words(kind->period) * sizeof(uint64_t);
  kind->pointers = block_make(bytes);
  if (!kind->pointers)
    return false;
  memcpy(kind->pointers, spec->pointers, bytes);
  if (kind->period % 64)
    kind->pointers[kind->period / 64] &= bit_range(0, kind->period % 64);
  return true;
}

static struct kind *kind_make(const dusk_kind_spec *spec)
{
  struct kind *kind = block_make(sizeof *kind);
  if (!kind)
    return NULL;
  kind->size = spec->size;
  kind->scan = spec->scan;
  kind->trace = spec->trace;
  kind->context = spec->context;
  if (spec->name && !(kind->name = block_copy_text(spec->name)))
    goto fail;
  if (spec->scan == DUSK_SCAN_LAYOUT && !copy_layout(kind, spec))
    goto fail;
  return kind;
fail:
  kind_free(kind);
  return NULL;
}

static struct reader reader_of(const struct kind *kind)
{
  if (kind->scan == DUSK_SCAN_LEAF)
    return (struct reader){.how = READ_NOTHING};
  if (kind->scan == DUSK_SCAN_LAYOUT && !kind->repeat && kind->period <= 64)
    return (struct reader){kind->period ? kind->pointers[0] : 0, READ_BITS};
  return (struct reader){.how = READ_OTHERWISE};
}

int kind_define(struct kinds *kinds, const dusk_kind_spec *spec,
                kind_ready *ready, void *context, dusk_kind *kind)
{
  if (!kind || !spec_is_valid(spec))
    return EINVAL;
  struct kind *made = kind_make(spec);
  if (!made)
    return ENOMEM;
  int error = 0;
  lock_acquire(&kinds->lock);
  uint32_t count = kinds->count;
  if (count == DUSK_KINDS_MAX) {
    error = ENOSPC;
  } else if (ready && !ready(context, count)) {
    error = ENOMEM;
  } else {
    kinds->table[count] = made;
    kinds->readers[count] = reader_of(made);
    *kind = count;
    STORE_RELEASE(&kinds->count, count + 1); /* pairs with kinds_count() */
  }
  lock_release(&kinds->lock);
  if (error)
    kind_free(made);
  return error;
}

bool kinds_init(struct kinds *kinds)
{
  static const dusk_kind_spec builtin[] = {
      [DUSK_LEAF] = {.struct_size = sizeof(dusk_kind_spec),
                     .name = "leaf",
                     .scan = DUSK_SCAN_LEAF},
      [DUSK_CONSERVATIVE] = {.struct_size = sizeof(dusk_kind_spec),
                             .name = "conservative",
                             .scan = DUSK_SCAN_CONSERVATIVE},
  };
  lock_init(&kinds->lock, RANK_kinds);
  for (size_t i = 0; i < sizeof builtin / sizeof *builtin; i++) {
    dusk_kind kind;
    if (kind_define(kinds, &builtin[i], NULL, NULL, &kind) != 0) {
      kinds_destroy(kinds);
      return false;
    }
  }
  return true;
}

void kinds_destroy(struct kinds *kinds)
{
  for (uint32_t i = 0; i < kinds->count; i++)
    kind_free(kinds->table[i]);
  lock_destroy(&kinds->lock);
}
