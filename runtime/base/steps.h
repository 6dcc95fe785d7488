/* SPDX-License-Identifier: MIT */
/* steps.h -- a test that decides which thread runs next
 *
 * In libdusk-chaos.la everything by which a thread of the library waits, sees
 * time go by, or learns who it is, asks this table first.  A test that fills it
 * runs mutators and collector as steps on one pthread, in an order of its own
 * that it can repeat: tests/steps/README.md.  The code that runs is the same;
 * only what the system would decide is decided by the test.
 *
 * Elsewhere steps_taken() is a constant NULL: nothing of this is left. */
#ifndef DUSK_BASE_STEPS_H
#define DUSK_BASE_STEPS_H

#include "base/chaos.h"

#include <pthread.h>

/* All are called by whoever runs, and return to it. */
struct steps {
  /* Somebody else may run now. */
  void (*visit)(const char *point);

  /* Nothing is to be had from going on at once: lets the others run. */
  void (*yield)(void);

  /* Waits until wake(on) is called, or for `ns` nanoseconds; UINT64_MAX:
   * without end.  on NULL: for the time alone.  false: the time ran out.  May
   * return too early, as pthread_cond_wait() does. */
  bool (*wait)(const void *on, const char *what, uint64_t ns);
  void (*wake)(const void *on);

  /* Nanoseconds: since some start, and of the caller's processor time. */
  uint64_t (*now)(void);
  uint64_t (*used)(void);
  unsigned processors;

  /* The caller: a name that pthread_equal() tells from others, its stack, and
   * one word of its own. */
  pthread_t (*self)(void);
  void (*stack)(uintptr_t *low, uintptr_t *high);
  void **(*word)(void);
};

/* Set and cleared while no heap is open. */
extern const struct steps *steps_table;

static inline const struct steps *steps_taken(void)
{
  return DUSK_CHAOS ? steps_table : NULL;
}

/* Lets other threads run, for what takes them microseconds. */
void steps_yield(void);

#endif
