/* SPDX-License-Identifier: MIT */
/* race.h -- mutators that do one thing at a time, and a cycle that is led
 *
 * For scripts (play.h).  A racer waits at the point "ready" until the script
 * gives it something to do; it can be led to a point inside, and stays there.
 * The driver goes as far as it is led, too.  What racers hold is in `hold`, on
 * their stacks; what nobody may see is in `hidden`, as complements. */
#ifndef DUSK_TESTS_STEPS_RACE_H
#define DUSK_TESTS_STEPS_RACE_H

#include "collect/heap.h"
#include "play.h"

#include "dusk.h"

enum { RACE_HOLDS = 2, RACE_ROOTS = 4, RACE_HIDDEN = 8 };

struct racer;
typedef void race_act(struct racer *racer);

struct racer {
  unsigned fiber;
  dusk_thread *thread;
  void *volatile *hold;
  race_act *act; /* NULL: nothing to do */
  bool leaves;
};

struct pair {
  void *next;
  void *other;
  uintptr_t seal;
  uintptr_t unused;
};

struct race {
  dusk_heap *heap;
  unsigned driver;
  dusk_kind pair;
  void *roots[RACE_ROOTS];
  uintptr_t hidden[RACE_HIDDEN];
};
extern struct race race;

/* Opens a heap with no threads but the driver and the scavenger; in a body. */
void race_open(void);

/* Ends all racers, and the heap. */
void race_close(void);

/* A racer that has attached, and one that has not: its first act may. */
struct racer *race_thread(const char *name);
struct racer *race_stranger(const char *name);

/* Lets the racer do something, to the end: it must not need others.  race_to()
 * lets it come to a point inside, where it stays; race_on() lets it go on from
 * there.  false: it cannot, by itself. */
void race_do(struct racer *racer, race_act *act);
void race_to(struct racer *racer, race_act *act, const char *point);
bool race_on(struct racer *racer);

/* Serves what is posted. */
void race_serve(struct racer *racer);

/* Asks for a cycle, which nobody waits for. */
void race_ask(void);

/* Lets the driver post the next round; and, once all have served, pass it. */
void race_post(void);
bool race_try_post(void);

/* All racers serve the rounds that are posted until the cycle has ended. */
void race_finish_cycle(void);

/* Racers but `except` serve once. */
void race_serve_all_but(const struct racer *except);

/* ---- objects ---- */

/* Acts.  The object goes to hidden[0]; to hold[0]; to hold[0] and roots[0]. */
race_act race_make_hidden;
race_act race_make;
race_act race_make_root;
race_act race_drop; /* forgets what it holds */
race_act race_safepoint;
race_act race_attach;
race_act race_detach;

struct pair *race_new(struct racer *racer);
struct pair *race_hidden(unsigned i);
void race_hide(unsigned i, const void *object);

/* The object must be there, with its seal. */
void race_expect(unsigned hidden, const char *what);

#endif
