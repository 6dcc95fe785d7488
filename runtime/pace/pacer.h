/* SPDX-License-Identifier: MIT */
/* pacer.h -- when to start a cycle, and how hard to work in it
 *
 *   bytes marked, live, scanned --> [pacer] --> goal, trigger, assist ratios
 *
 * Arithmetic on a plain struct: no clock, no lock, no heap, so that the
 * library, a simulator and a test run the same object code.  The collector
 * serialises all calls under its own lock; readers that hold no lock are given
 * copies by it.
 *
 * Three POLICIES say what the goal is and how early a cycle may begin; all the
 * rest is common to them.  Why there are three stands in pacer.c.
 *
 * THE CALLS, in the order of a heap's life
 *
 *   pacer_init
 *   pacer_trigger     whenever live has grown: is it time for a cycle?
 *   pacer_start       the cycle begins
 *   pacer_revise      at once, then whenever live has grown or work was done
 *   pacer_revise      with the cycle's last figures
 *   pacer_end         the cycle is over
 *   pacer_commit      and its goal is known; again when the census is done
 *
 * pacer_abandon ends a cycle that will not come to its end.
 *
 * Between any two of them, pacer_set_percent, _limit, _policy or _bounds, then
 * pacer_commit, and pacer_revise while a cycle runs: the new setting then
 * holds from that moment.
 *
 * LIVE, here and below, counts the bytes in use in the heap and all that
 * threads have taken to allocate from, used or not yet.  SCANNABLE is the part
 * of it that is not leaves.  WORK is bytes scanned. */
#ifndef DUSK_PACE_PACER_H
#define DUSK_PACE_PACER_H

#include "pace/balance.h"

enum {
  PACER_OFF = -1,    /* a percent: no cycle but for the memory limit */
  PACER_HISTORY = 4, /* former cycles that the cons/mark ratio remembers */
};

enum pacer_policy {
  PACER_GO,      /* Go's, to the byte */
  PACER_DUSK,    /* Go's work for each byte allocated, with few assists */
  PACER_BALANCE, /* the square-root rule of balance.h */
};

/* No heap is ever this large: "never" as a goal or trigger, "none running" as
 * the trigger of the running cycle. */
#define PACER_NO_TRIGGER UINT64_MAX

/* A memory limit that is none. */
#define PACER_NO_LIMIT INT64_MAX

/* What the heap has from the system, bytes.  The goal that keeps a memory limit
 * is made of these, so it moves between commits.  Figures read one after the
 * other may disagree by what was allocated meanwhile; that does no harm. */
struct pacer_memory {
  uint64_t mapped_ready; /* backed by memory, metadata included */
  uint64_t heap_free;    /* of those, pages in no span */
  uint64_t heap_alloc;   /* of those, objects not yet swept away */
};

/* Scan work done since the cycle began, bytes. */
struct pacer_work {
  uint64_t heap;
  uint64_t stack;
  uint64_t globals; /* root ranges */
};

/* A cycle that is over.  Times are sums over all threads but for the duration
 * and the interval. */
struct pacer_cycle {
  uint64_t assist_ns;   /* marking beyond the quarter that workers take */
  uint64_t idle_ns;     /* marking on processors that had nothing else to do */
  uint64_t duration_ns; /* of marking */
  uint64_t interval_ns; /* since the marking before it ended; 0: not known */
  unsigned processors;  /* that the heap's program may use */
  uint64_t marked;      /* bytes, what was born black included */
  struct pacer_work done;
};

/* How many processors mark in the background. */
struct pacer_workers {
  unsigned dedicated; /* workers that only mark */
  double fractional;  /* share of each processor besides, 0 to 1 */
};

/* Read freely; written by the functions named alone. */
struct pacer {
  /* pacer_init, pacer_set_percent, _limit, _policy, _bounds. */
  enum pacer_policy policy;
  unsigned low_percent; /* trigger bounds; 0: the policy's */
  unsigned high_percent;
  int gc_percent;        /* growth over live, percent; PACER_OFF */
  int64_t memory_limit;  /* bytes; PACER_NO_LIMIT */
  uint64_t heap_minimum; /* least goal that the percent may give, bytes */

  /* pacer_commit. */
  uint64_t percent_goal; /* bytes; UINT64_MAX: off */
  uint64_t sweep_min;    /* bytes; no trigger below it; 0: all is swept */
  uint64_t runway;       /* bytes to allocate while a cycle marks, at most */
  uint64_t mean_runway;  /* the same, as the mean of the cycles remembered */

  /* pacer_end: what the last cycle found. */
  uint64_t marked;          /* bytes marked live */
  uint64_t born_black;      /* bytes of those, allocated while it marked */
  uint64_t last_heap_scan;  /* work, bytes */
  uint64_t last_stack_scan; /* work, bytes */

  /* pacer_end.  Bytes allocated for each byte marked, were both sides given
   * equal processor time: the greatest of the last cycle and the history, and
   * the mean of those that measured it. */
  double cons_mark;
  double cons_mark_mean;
  double cons_mark_history[PACER_HISTORY]; /* oldest first */
  struct balance balance;                  /* kept under any policy */

  /* pacer_start. */
  uint64_t triggered; /* live when it began; PACER_NO_TRIGGER outside a cycle */
  uint64_t max_stack; /* bytes of stack that there may be to scan, at most */
  uint64_t globals;   /* bytes of root ranges */

  /* pacer_start, pacer_revise, pacer_end: the last figures told. */
  uint64_t live;      /* bytes */
  uint64_t scannable; /* bytes */

  /* pacer_revise. */
  double assist_work_per_byte; /* to scan for each byte allocated */
  double assist_bytes_per_work;
};

/* A heap with nothing in it, and PACER_GO.  gc_percent: negative for PACER_OFF.
 * memory_limit: not negative, bytes; PACER_NO_LIMIT. */
void pacer_init(struct pacer *p, int gc_percent, int64_t memory_limit);

/* Returns the old percent.  Negative: PACER_OFF. */
int pacer_set_percent(struct pacer *p, int gc_percent);

/* Returns the old limit.  Negative: changes nothing. */
int64_t pacer_set_limit(struct pacer *p, int64_t bytes);

/* Returns the old policy. */
enum pacer_policy pacer_set_policy(struct pacer *p, enum pacer_policy policy);

/* A cycle begins no earlier and no later than these parts of the way from
 * marked to goal, 1 to 100 percent; 0: the policy's own bound.  When low is
 * above high, low holds. */
void pacer_set_bounds(struct pacer *p, unsigned low_percent,
                      unsigned high_percent);

/* "go", "dusk", "balance".  false, and *policy as it was: none of them. */
bool pacer_policy_parse(const char *text, enum pacer_policy *policy);
const char *pacer_policy_name(enum pacer_policy policy);

/* Fixes the goal that the percent asks for and the runway.  sweep_done: the
 * last census is complete; otherwise goal and trigger leave it room to run
 * beyond live. */
void pacer_commit(struct pacer *p, uint64_t live, bool sweep_done);

/* The size of heap that the next cycle, or the running one, should end at. */
uint64_t pacer_goal(const struct pacer *p, const struct pacer_memory *m);

/* Is that goal what the memory limit leaves, and less than the percent asks
 * for?
 */
bool pacer_is_limited(const struct pacer *p, const struct pacer_memory *m);

/* The size of heap at which a cycle should begin, never above the goal;
 * PACER_NO_TRIGGER: at none.  *goal, unless NULL, is what pacer_goal() says. */
uint64_t pacer_trigger(const struct pacer *p, const struct pacer_memory *m,
                       uint64_t *goal);

/* A cycle begins at this moment.  max_stack: the most that stacks may turn out
 * to need, bytes.  The assist ratios are the last cycle's until pacer_revise()
 * is called. */
void pacer_start(struct pacer *p, uint64_t live, uint64_t scannable,
                 uint64_t max_stack, uint64_t globals);

/* Sets the assist ratios so that allocation reaches the goal when marking
 * does.  scannable: a cycle need not count in what is born black during it. */
void pacer_revise(struct pacer *p, const struct pacer_memory *m, uint64_t live,
                  uint64_t scannable, struct pacer_work done);

/* The price of allocating a byte while a cycle runs, in bytes of scan work, and
 * what a byte of work buys. */
double pacer_assist_work_per_byte(const struct pacer *p);
double pacer_assist_bytes_per_work(const struct pacer *p);

/* The cycle that was begun will never end, if there was one: nothing is known
 * of it. */
void pacer_abandon(struct pacer *p);

/* The cycle is over; pacer_revise() was told its last figures. */
void pacer_end(struct pacer *p, const struct pacer_cycle *cycle);

/* A quarter of the processors, of which there is at least one. */
struct pacer_workers pacer_workers(unsigned processors);

/* Below this, bytes, the percent sets no goal: collecting a heap of a few
 * pages over and over would cost more than it gives back. */
uint64_t pacer_heap_minimum(int gc_percent);

#endif
