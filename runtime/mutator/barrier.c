/* SPDX-License-Identifier: MIT */
/* barrier.c -- the write barrier's slow half, and the log that it writes
 *
 * Runs on mutators, in the middle of stores: not a safepoint, but for the one
 * case where the log is full and no packet can be had.  Then the thread serves
 * its handshakes, before anything of the store has been read, until the
 * collector has emptied a packet.
 *
 * Tested by tests/unit/barrier.c, step by step, and by the stress tests. */
#include "mutator/barrier.h"

#include "base/chaos.h"
#include "base/steps.h"
#include "mutator/checking.h"
#include "mutator/poll.h"

#include "dusk/store.h"

#include <string.h>

/* Words that one round of a copy or a clear may log: two each. */
enum { PIECE_WORDS = PACKET_WORDS / 2 };

void barrier_begin(struct dusk_thread *thread)
{
  thread->log->count = 0;
  memset(thread->recent, 0, sizeof thread->recent);
}

static bool all_scanned(const struct dusk_thread *thread)
{
  /* Pairs with the release in cycle.c: all allocated slots are published. */
  return LOAD_ACQUIRE(&thread->registry->all_scanned);
}

static void keep_white(struct dusk_thread *thread)
{
  struct packet *log = thread->log;
  uint32_t kept = 0;
  uintptr_t start;
  for (uint32_t i = 0; i < log->count; i++)
    if (word_is_white(thread->arena, thread->roles, log->words[i], &start))
      log->words[kept++] = log->words[i];
  log->count = kept;
}

bool barrier_flush(struct dusk_thread *thread)
{
  if (all_scanned(thread))
    keep_white(thread);
  if (!thread->log->count)
    return true;
  struct packet *next = grey_packet(thread->grey);
  if (!next)
    return false;
  CHAOS("log-not-handed-over");
  grey_hand_over(thread->grey, &thread->grey->raw, thread->log);
  thread->log = next;
  return true;
}

/* Makes room for `words` in the log. */
static void make_room(struct dusk_thread *thread, uint32_t words)
{
  if (LIKELY(thread->log->count + words <= PACKET_WORDS))
    return;
  while (!barrier_flush(thread)) {
    poll_check(thread);
    steps_yield();
  }
}

/* Has the word been logged in this cycle, as far as can be told at once? */
static bool is_recent(struct dusk_thread *thread, uintptr_t word)
{
  size_t hash = (word >> GRANULE_LOG2) * UINT64_C(0x9E3779B97F4A7C15) >> 56;
  if (thread->recent[hash % RECENT_WORDS] == word)
    return true;
  thread->recent[hash % RECENT_WORDS] = word;
  return false;
}

/* There is room. */
static void log_word(struct dusk_thread *thread, const void *pointer)
{
  uintptr_t word = (uintptr_t)pointer;
  uintptr_t start;
  if (!arena_holds(thread->arena, word))
    return;
  if (all_scanned(thread)) {
    if (!word_is_white(thread->arena, thread->roles, word, &start))
      return;
  } else if (is_recent(thread, word)) {
    return;
  }
  thread->log->words[thread->log->count++] = word;
}

/* What a store of `value` over `old` owes. */
static void log_store(struct dusk_thread *thread, const void *old,
                      const void *value)
{
  log_word(thread, old);
  CHAOS("old-logged");
  if (!thread->scanned)
    log_word(thread, value);
  CHAOS("new-logged");
}

static bool is_logging(const struct dusk_thread *thread)
{
  return thread->abi.barrier & BARRIER_LOG;
}

void dusk_barrier_slow(dusk_thread *thread, void *slot, const void *value)
{
  if (is_logging(thread)) {
    make_room(thread, 2);
    void *old = LOAD_RELAXED((void **)slot);
    CHAOS("old-read");
    log_store(thread, old, value);
  }
  if (checking_is_on(thread)) {
    checking_expect(thread, slot, 1);
    checking_note(thread, slot, value);
  }
}

bool dusk_cas_slow(dusk_thread *thread, void *slot, void *expected,
                   void *desired)
{
  if (is_logging(thread)) {
    make_room(thread, 2);
    log_store(thread, expected, desired);
  }
  CHAOS("logged-not-swapped");
  if (checking_is_on(thread))
    checking_expect(thread, slot, 1);
  bool done = CAS_ACQ_REL((void **)slot, &expected, desired);
  if (done && checking_is_on(thread))
    checking_note(thread, slot, desired);
  return done;
}

void *dusk_exchange_slow(dusk_thread *thread, void *slot, void *value)
{
  /* A loop, not an exchange: the word that goes must be logged before it goes,
   * and what an exchange returns has gone. */
  void *old;
  if (checking_is_on(thread))
    checking_expect(thread, slot, 1);
  do {
    if (is_logging(thread))
      make_room(thread, 2);
    old = LOAD_RELAXED((void **)slot);
    if (is_logging(thread))
      log_store(thread, old, value);
    CHAOS("logged-not-swapped");
  } while (!CAS_ACQ_REL((void **)slot, &old, value));
  if (checking_is_on(thread))
    checking_note(thread, slot, value);
  return old;
}

/* Logs, then moves, one piece.  The words go through a buffer, so that what is
 * stored is what was logged, whoever stores to the source meanwhile. */
static void copy_piece(struct dusk_thread *thread, void **to, void *const *from,
                       size_t words)
{
  void *values[PIECE_WORDS];
  if (is_logging(thread))
    make_room(thread, 2 * PIECE_WORDS);
  for (size_t i = 0; i < words; i++) {
    values[i] = LOAD_ACQUIRE(&from[i]); /* with whoever stored it */
    if (is_logging(thread))
      log_store(thread, LOAD_RELAXED(&to[i]), values[i]);
  }
  CHAOS("piece-logged");
  if (checking_is_on(thread))
    checking_note_words(thread, to, values, words);
  for (size_t i = 0; i < words; i++)
    STORE_RELEASE(&to[i], values[i]); /* with the marker's load */
  CHAOS("piece-stored");
}

void dusk_copy_slow(dusk_thread *thread, void *dst, const void *src,
                    size_t words)
{
  void **to = dst;
  void *const *from = src;
  bool upwards = (uintptr_t)to - (uintptr_t)from >= words * sizeof(void *);
  for (size_t done = 0; done < words;) {
    size_t piece = words - done < PIECE_WORDS ? words - done : PIECE_WORDS;
    size_t at = upwards ? done : words - done - piece;
    copy_piece(thread, to + at, from + at, piece);
    done += piece;
  }
}

static void clear_piece(struct dusk_thread *thread, void **to, size_t words)
{
  if (is_logging(thread)) {
    make_room(thread, PIECE_WORDS);
    for (size_t i = 0; i < words; i++)
      log_word(thread, LOAD_RELAXED(&to[i]));
  }
  CHAOS("piece-logged");
  if (checking_is_on(thread))
    checking_note_words(thread, to, NULL, words);
  for (size_t i = 0; i < words; i++)
    STORE_RELAXED(&to[i], NULL);
}

void dusk_clear_slow(dusk_thread *thread, void *dst, size_t words)
{
  void **to = dst;
  while (words) {
    size_t piece = words < PIECE_WORDS ? words : PIECE_WORDS;
    clear_piece(thread, to, piece);
    to += piece;
    words -= piece;
  }
}
