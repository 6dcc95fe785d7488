/* SPDX-License-Identifier: MIT */
/* stress.h -- what the stress programs share: options, time, random numbers,
 * and objects that know who they are
 *
 *   program --seconds N --threads N --seed S --gc-percent P --snapshots MS
 *
 * So many milliseconds apart one more thread takes snapshots; 0: it does not.
 *
 * A program verifies every object that it touches.  The first word of an
 * object is its seal: what it is, which one it is, and a hash of that and of
 * its address, mixed with the seed.  An object that was freed and used again,
 * or written over, has another seal or none.  A wrong one prints the address,
 * what was expected and found, and the seed, and aborts.
 *
 * Five shapes, of all four ways to scan:
 *
 *   LEAF    leaf           the seal, then words computed from it
 *   WORDS   conservative   the seal, then pointers, also to the inside
 *   PAIRS   layout, any    the seal, then pairs {pointer, the seal it must
 *           size           find there}, written once: nothing else in the heap
 *                          is verified as strictly
 *   CELL    layout, fixed  the seal, then three pointers
 *   RECORD  trace          the seal, then pointers
 *
 * Clean under ThreadSanitizer: seals are relaxed atomics, all other words that
 * are no pointers are written before the object is published by a dusk_store()
 * and read after a dusk_load(). */
#ifndef DUSK_TESTS_STRESS_H
#define DUSK_TESTS_STRESS_H

#include "dusk.h"

#include <pthread.h>

/* xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64. */
struct random {
  uint64_t state[4];
};

/* Stream `stream` of the program's seed: the same one gives the same numbers.
 */
void random_seed(struct random *random, uint64_t stream);
uint64_t random_next(struct random *random);
/* 0 to limit - 1; limit is not 0. */
uint64_t random_below(struct random *random, uint64_t limit);

enum shape { LEAF, WORDS, PAIRS, CELL, RECORD, SHAPES };

enum {
  CELL_WORDS = 4,
  MIN_WORDS = 2,               /* 16 bytes */
  MAX_WORDS = (300 << 10) / 8, /* 300 KiB */
};

/* What the options said; set before the first actor runs, then constant. */
struct stress {
  const char *name;
  unsigned seconds;
  unsigned threads;
  uint64_t seed;
  int gc_percent;
  unsigned snapshots;
  dusk_heap *heap;
  dusk_kind kinds[SHAPES];
};
extern struct stress stress;

/* One thread of a program. */
struct actor {
  unsigned index;
  struct random random;
  dusk_thread *thread; /* attached */
  uint64_t verified;   /* objects; the program's sum is printed at the end */
};

/* Parses options, opens the heap, runs `body` on each actor until it returns,
 * closes the heap and reports.  Returns main()'s result. */
int stress_run(int argc, char **argv, const char *name,
               void (*body)(struct actor *actor));

/* The time is up.  Cheap enough to ask every few operations. */
bool stress_is_over(void);

/* Prints and aborts. */
__attribute__((noreturn, format(printf, 1, 2))) void
stress_fail(const char *format, ...);

/* Aborts the program if a call did not return 0. */
void stress_expect(int error, const char *call);

/* Out of a blocking region; in one. */
void stress_sleep_us(unsigned microseconds);
void stress_nap(struct actor *actor, unsigned microseconds);

/* Seals */

struct seal {
  uint64_t word;
};

static inline size_t seal_words(struct seal seal)
{
  return (size_t)(seal.word >> 48);
}

static inline enum shape seal_shape(struct seal seal)
{
  return (enum shape)(seal.word >> 45 & 7);
}

/* A number of 8 bits that the program gave the object, for its own ends. */
static inline uint8_t seal_epoch(struct seal seal)
{
  return (uint8_t)(seal.word >> 37);
}

/* An object of `words` words, sealed, all pointers NULL; looks that it was
 * zero.  Its pointers may be set by dusk_init() until the next safepoint.
 * Aborts when there is no memory. */
void *stress_make(struct actor *actor, enum shape shape, size_t words,
                  uint8_t epoch);

/* A number of words, mostly small. */
size_t stress_pick_words(struct actor *actor);
enum shape stress_pick_shape(struct actor *actor);

/* The object is what its seal says it is. */
struct seal stress_verify(struct actor *actor, const void *object);

/* The object is the one that had this seal. */
void stress_verify_as(struct actor *actor, const void *object,
                      struct seal seal);

/* Pairs of a PAIRS object: pair 0 is in words 1 and 2. */
static inline size_t pairs_count(size_t words)
{
  return (words - 1) / 2;
}

static inline void **pairs_slot(void *object, size_t pair)
{
  return (void **)object + 1 + 2 * pair;
}

/* Fills a pair of an object just made. */
void pairs_init(struct actor *actor, void *object, size_t pair,
                const void *target);

/* Loads a pair, verified; NULL: it was never filled. */
void *pairs_load(struct actor *actor, void *object, size_t pair);

#endif
