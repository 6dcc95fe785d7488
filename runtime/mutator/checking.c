/* SPDX-License-Identifier: MIT */
/* checking.c -- DUSK_DEBUG=barriercheck: telling the shadow what is stored
 *
 * Runs on mutators.  Tested by tests/unit/checking.c and
 * tests/api/barriercheck.c. */
#include "mutator/checking.h"

#include "heap/shadow.h"
#include "os/fence.h"

enum { WORD = sizeof(uintptr_t) };

/* What the program fills with plain stores is this thread's alone. */
READS_AMBIGUOUS_WORDS
static uintptr_t word_at(uintptr_t address)
{
  return *(const volatile uintptr_t *)address;
}

static uint32_t number(const struct dusk_thread *thread)
{
  return (uint32_t)thread->life.number;
}

static size_t size_of(const struct arena *arena, uintptr_t object)
{
  struct object found;
  bool scanned = object_find(arena, object, &found) &&
                 kind_is_scanned(&arena->kinds, found.span->kind);
  return scanned ? found.bytes : 0;
}

void checking_begin(struct dusk_thread *thread, uintptr_t object)
{
  struct arena *arena = thread->arena;
  checking_settle(thread);
  size_t bytes = size_of(arena, object);
  shadow_begin(arena, object, bytes);
  thread->fresh = object;
  if (arena->fenced && bytes) {
    fence_raise(object, bytes);
    fence_fill(object, bytes);
  }
}

void checking_settle(struct dusk_thread *thread)
{
  struct arena *arena = thread->arena;
  uintptr_t object = thread->fresh;
  uintptr_t end = object + (object ? size_of(arena, object) : 0);
  thread->fresh = 0;
  /* A zero needs no note, as shadow_begin() left one. */
  for (uintptr_t at = object; at < end; at += WORD)
    if (word_at(at))
      shadow_note(arena, number(thread), at, word_at(at));
  if (arena->fenced && end > object) {
    fence_fill(0, 0);
    fence_raise(object, end - object);
  }
}

/* A store into the fresh object leaves it fresh. */
static void settle_before(struct dusk_thread *thread, uintptr_t slot)
{
  if (thread->fresh &&
      slot - thread->fresh >= size_of(thread->arena, thread->fresh))
    checking_settle(thread);
}

void checking_expect(struct dusk_thread *thread, void *slot, size_t words)
{
  settle_before(thread, (uintptr_t)slot);
  if (thread->arena->fenced)
    fence_expect((uintptr_t)slot, words * WORD);
}

void checking_note(struct dusk_thread *thread, void *slot, const void *value)
{
  shadow_note(thread->arena, number(thread), (uintptr_t)slot, (uintptr_t)value);
}

void checking_note_words(struct dusk_thread *thread, void **slots,
                         void *const *values, size_t words)
{
  checking_expect(thread, slots, words);
  for (size_t i = 0; i < words; i++)
    checking_note(thread, &slots[i], values ? values[i] : NULL);
}

void checking_let(struct dusk_thread *thread, bool everywhere)
{
  if (thread->arena->fenced)
    fence_let(everywhere);
}
