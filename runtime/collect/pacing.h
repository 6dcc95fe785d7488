/* SPDX-License-Identifier: MIT */
/* pacing.h -- between the pacer's arithmetic and the heap's counters
 *
 * The pacer is a struct under a lock; what allocation needs of it is published
 * as plain words: the trigger, and the price of a byte. */
#ifndef DUSK_COLLECT_PACING_H
#define DUSK_COLLECT_PACING_H

#include "collect/collector.h"

struct collector_setup;

void pacing_init(struct collector *collector,
                 const struct collector_setup *setup);
void pacing_destroy(struct collector *collector);

/* In the child of a fork: no cycle runs. */
void pacing_revive(struct collector *collector);

/* Any thread. */
int pacing_set_percent(struct collector *collector, int percent);
int64_t pacing_set_limit(struct collector *collector, int64_t bytes);
void pacing_set_budget_limit(struct collector *collector, int64_t bytes);
enum pacer_policy pacing_set_policy(struct collector *collector,
                                    enum pacer_policy policy);
/* Returns the old one. */
dusk_limit_action pacing_set_limit_action(struct collector *collector,
                                          dusk_limit_action action);
/* Bytes outside the heap were declared or taken back. */
void pacing_external_changed(struct collector *collector);
uint64_t pacing_goal(struct collector *collector);

struct pacing_figures {
  int gc_percent;       /* PACER_OFF */
  int64_t memory_limit; /* the lower of the program's and the budget's */
  uint64_t goal;
};
struct pacing_figures pacing_figures(struct collector *collector);
bool pacing_is_automatic(struct collector *collector);

/* The driver, around a cycle. */
void pacing_start(struct collector *collector);
void pacing_end(struct collector *collector, const struct cycle_record *record);

/* Sets the price of allocation anew.  Anybody, often: returns at once if
 * somebody else is at it. */
void pacing_revise(struct collector *collector);

struct price {
  double work_per_byte;
  double bytes_per_work;
};
struct price pacing_price(const struct collector *collector);

/* Is the heap so far over its goal that the thread should let the collector
 * have its processor? */
static inline bool pacing_is_over(const struct collector *collector)
{
  return flow_live(&collector->arena.flow) >=
         LOAD_RELAXED(&collector->pacing.wall);
}

/* Is it so far over that nobody takes more before a cycle has ended? */
static inline bool pacing_is_at_wall(const struct collector *collector)
{
  return flow_live(&collector->arena.flow) >=
         LOAD_RELAXED(&collector->pacing.hard_wall);
}

/* Do workers owe marking for threads that did not pay? */
static inline bool pacing_is_owed(const struct collector *collector)
{
  return LOAD_RELAXED(&collector->pacing.credit) < 0;
}

/* Is it time for a cycle?  One load and a compare of what threads have taken.
 */
static inline bool pacing_is_due(const struct collector *collector)
{
  return flow_live(&collector->arena.flow) >=
         LOAD_RELAXED(&collector->pacing.trigger);
}

#endif
