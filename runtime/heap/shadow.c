/* SPDX-License-Identifier: MIT */
/* shadow.c -- DUSK_DEBUG=barriercheck: what was stored through the library
 *
 * Written by the threads that store, each word by itself and without order: it
 * is read when all of them stand.
 *
 * Tested by tests/unit/shadow.c and tests/api/barriercheck.c. */
#include "heap/shadow.h"

#include "base/bits.h"
#include "os/vm.h"

#include <string.h>

enum { WORD = sizeof(uintptr_t) };

struct shadow {
  uintptr_t *values; /* reservations */
  uint32_t *writers;
  uint32_t usable;  /* pages that they can tell of; atomic */
  uint32_t refused; /* pages that they could not, up to here; with pages.lock */
};

static size_t shadow_bytes(void)
{
  return align_up(sizeof(struct shadow), vm_page_size());
}

static size_t writers_bytes(const struct arena *arena)
{
  return align_up(arena->bytes / WORD * sizeof(uint32_t), vm_page_size());
}

static void destroy(struct shadow *shadow, const struct arena *arena)
{
  if (shadow->values)
    vm_unmap(shadow->values, arena->bytes);
  if (shadow->writers)
    vm_unmap(shadow->writers, writers_bytes(arena));
  vm_unmap(shadow, shadow_bytes());
}

void shadow_open(struct arena *arena)
{
  struct shadow *shadow = vm_map(shadow_bytes());
  if (!shadow)
    return;
  shadow->values = vm_reserve(arena->bytes, vm_page_size());
  shadow->writers = vm_reserve(writers_bytes(arena), vm_page_size());
  if (!shadow->values || !shadow->writers) {
    destroy(shadow, arena);
    return;
  }
  arena->shadow = shadow;
  shadow_commit(arena, arena->pages.committed);
}

void shadow_close(struct arena *arena)
{
  if (arena->shadow)
    destroy(arena->shadow, arena);
  arena->shadow = NULL;
}

/* Where the system refused at first there are objects by now, whose stores
 * nobody has seen: their words are as if several threads had stored. */
static void disown(struct shadow *shadow, uint32_t from, uint32_t to)
{
  enum { PAGE_WORDS = PAGE_BYTES / WORD };
  if (from < to)
    memset(&shadow->writers[(size_t)from * PAGE_WORDS], 0xff,
           (size_t)(to - from) * PAGE_WORDS * sizeof(uint32_t));
}

void shadow_commit(struct arena *arena, uint32_t to)
{
  struct shadow *shadow = arena->shadow;
  uint32_t usable = LOAD_RELAXED(&shadow->usable);
  size_t from = (size_t)usable << PAGE_LOG2;
  size_t bytes = ((size_t)to << PAGE_LOG2) - from;
  size_t part = WORD / sizeof(uint32_t); /* a page of writers is half as long */
  if (to <= usable)
    return;
  if (!vm_commit((char *)shadow->values + from, bytes) ||
      !vm_commit((char *)shadow->writers + from / part, bytes / part)) {
    shadow->refused = to;
    return;
  }
  disown(shadow, usable, shadow->refused);
  STORE_RELEASE(&shadow->usable, to); /* with index_of() */
}

/* false: nothing is known about this word. */
static bool index_of(const struct arena *arena, uintptr_t slot, size_t *index)
{
  uintptr_t offset = slot - arena->base;
  *index = offset / WORD;
  return offset < arena->bytes && slot % WORD == 0 &&
         offset >> PAGE_LOG2 <
             LOAD_ACQUIRE(&arena->shadow->usable); /* commit */
}

void shadow_begin(struct arena *arena, uintptr_t start, size_t bytes)
{
  struct shadow *shadow = arena->shadow;
  size_t index;
  for (uintptr_t at = start; at < start + bytes; at += WORD) {
    if (!index_of(arena, at, &index))
      return;
    /* Pages that were never written to stay untouched. */
    if (LOAD_RELAXED(&shadow->values[index]))
      STORE_RELAXED(&shadow->values[index], 0);
    if (LOAD_RELAXED(&shadow->writers[index]))
      STORE_RELAXED(&shadow->writers[index], 0);
  }
}

/* Becomes the slot's writer, or one of several. */
static void claim(uint32_t *writer, uint32_t mine)
{
  uint32_t seen = LOAD_RELAXED(writer);
  while (seen != mine && seen != SHADOW_SEVERAL)
    if (CAS_ACQUIRE(writer, &seen,
                    seen ? SHADOW_SEVERAL : mine)) /* each other */
      return;
}

void shadow_note(struct arena *arena, uint32_t writer, uintptr_t slot,
                 uintptr_t value)
{
  struct shadow *shadow = arena->shadow;
  size_t index;
  if (!index_of(arena, slot, &index))
    return;
  claim(&shadow->writers[index], writer);
  STORE_RELAXED(&shadow->values[index], value);
}

bool shadow_read(const struct arena *arena, uintptr_t slot, uintptr_t *value)
{
  const struct shadow *shadow = arena->shadow;
  size_t index;
  if (!index_of(arena, slot, &index) ||
      LOAD_RELAXED(&shadow->writers[index]) == SHADOW_SEVERAL)
    return false;
  *value = LOAD_RELAXED(&shadow->values[index]);
  return true;
}

void shadow_settle(struct arena *arena, uintptr_t slot, uintptr_t value)
{
  struct shadow *shadow = arena->shadow;
  size_t index;
  if (!index_of(arena, slot, &index))
    return;
  if (LOAD_RELAXED(&shadow->values[index]) != value)
    STORE_RELAXED(&shadow->values[index], value);
  if (LOAD_RELAXED(&shadow->writers[index]))
    STORE_RELAXED(&shadow->writers[index], 0);
}

uintptr_t shadow_pass(const struct arena *arena, uintptr_t at)
{
  const struct shadow *shadow = arena->shadow;
  if (!shadow)
    return at;
  uintptr_t values = (uintptr_t)shadow->values;
  uintptr_t writers = (uintptr_t)shadow->writers;
  if (at - values < arena->bytes)
    at = values + arena->bytes;
  return at - writers < writers_bytes(arena) ? writers + writers_bytes(arena)
                                             : at;
}
