/* SPDX-License-Identifier: MIT */
/* stage.h -- what the parts of a play share: play.c, order.c, report.c */
#ifndef DUSK_TESTS_STEPS_STAGE_H
#define DUSK_TESTS_STEPS_STAGE_H

#include "fiber.h"
#include "play.h"

#define PLAY_FOREVER UINT64_MAX

enum {
  ACTORS_MAX = 64,
  STACK_BYTES = 256 * 1024,
  STEPS_KEPT = 1 << 16, /* of a run, for its report */
};

enum actor_state { ACTOR_NONE, ACTOR_READY, ACTOR_WAITS, ACTOR_ENDED };

struct actor {
  struct fiber fiber;
  char name[24];
  enum actor_state state;
  const char *at; /* the last point */
  const void *on; /* of one that waits; NULL: for the time alone */
  uint64_t until_ns;
  bool is_late;    /* its time ran out */
  uint64_t number; /* of PLAY_PRIORITIES: the highest goes on */
  uint64_t used_ns;
  void *word;
  void *(*task)(void *argument); /* what it runs: this, */
  void (*body)(void *argument);  /* or this */
  void *argument;
};

struct step {
  unsigned who;
  const char *point;
};

struct stage {
  struct play play;
  struct play_end end;
  struct fiber outside; /* who called play_run() */
  struct actor actors[ACTORS_MAX];
  unsigned count;
  unsigned now; /* who runs */
  uint64_t now_ns;

  /* Choosing. */
  uint64_t random;
  uint64_t rarity;   /* one change in so many points */
  uint64_t lowest;   /* number given so far */
  uint64_t idle;     /* yields in a row with nobody else to run */
  size_t next_byte;  /* of PLAY_BYTES */
  uint64_t gap;      /* points until it is the next one's turn; the same */
  unsigned led;      /* of PLAY_SCRIPT; 0: nobody is */
  const char *until; /* the point that it is led to; NULL: none */
  bool is_there;
  unsigned patience; /* waits that it may still make */

  struct step kept[STEPS_KEPT];
  bool prints;
  bool runs;
};
extern struct stage stage;

static inline struct actor *stage_actor(void)
{
  return &stage.actors[stage.now];
}

/* order.c */
void order_begin(void);
uint64_t order_number(void); /* of a new actor */

/* Who goes on at a point; the present one can, and may be the answer. */
unsigned order_at_point(void);

/* Who goes on when the present one yields, or cannot go on. */
unsigned order_at_yield(void);
unsigned order_at_wait(void);

/* report.c */
void report_begin(void);
void report_end(void);
void report_step(const char *point);

#endif
