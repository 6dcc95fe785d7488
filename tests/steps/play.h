/* SPDX-License-Identifier: MIT */
/* play.h -- threads of the library and of a test, as steps on one pthread
 *
 * play_run() runs a body as the first thread, and everything that it starts;
 * the collector's threads are started by dusk_heap_open() as always.  Whoever
 * comes to a point (CHAOS, a lock, a wait; play_point() in a test) may have to
 * let another go on: who, is decided by the order.  Time passes only when all
 * wait for it, and by a microsecond whenever somebody asks for it.
 *
 * The same order and seed make the same steps, each time.  What goes wrong is
 * reported with both, with the last steps and where everybody stands, and ends
 * the process: README.md says how to run it again. */
#ifndef DUSK_TESTS_STEPS_PLAY_H
#define DUSK_TESTS_STEPS_PLAY_H

#include "base/compiler.h"

enum play_order {
  PLAY_RANDOM,     /* at each point, somebody; how often it changes, the seed
                      says */
  PLAY_PRIORITIES, /* who has the highest goes on; few changes, at random points
                      (Burckhardt, Kothari, Musuvathi, Nagarakatte 2010) */
  PLAY_BYTES,      /* pairs of bytes: points to pass, and who is next */
  PLAY_SCRIPT,     /* the body leads the others, with play_until() */
};

struct play {
  enum play_order order;
  uint64_t seed;
  const uint8_t *bytes; /* of PLAY_BYTES */
  size_t count;
  unsigned processors; /* as the library is told; 0: 2 */
  uint64_t most_steps; /* more is a hang; 0: a million */
};

struct play_end {
  uint64_t steps;
  uint64_t changes; /* of who runs */
  uint64_t hash;    /* of all steps: who, and at which point */
};

struct play_end play_run(const struct play *play, void (*body)(void *argument),
                         void *argument);

/* ---- inside a body ---- */

/* Starts one more thread; returns its number, from 1.  The name is for reports,
 * and stays the caller's. */
unsigned play_start(const char *name, void (*body)(void *argument),
                    void *argument);
void play_join(unsigned thread);

/* Names a thread that the library started: the n-th of all, from 1. */
void play_name(unsigned thread, const char *name);

/* How many have been started: the last one's number. */
unsigned play_started(void);

void play_point(const char *name);

/* A loop that waits for another thread: it runs. */
void play_yield(void);

/* The test has failed. */
_Noreturn void play_fail(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- a script ----
 *
 * Nobody runs but the body, and the one that it leads.  When the body itself
 * has to wait (play_join(), dusk_collect(), a lock), all run, one after the
 * other as far as each comes. */

/* Lets one thread go on until it comes to the point, where it stays.  false: it
 * ended, or it cannot get there without others.  NULL: as far as it comes. */
bool play_until(unsigned thread, const char *point);

/* The same, and it fails the test if it does not get there. */
void play_must(unsigned thread, const char *point);

#endif
