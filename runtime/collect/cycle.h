/* SPDX-License-Identifier: MIT */
/* cycle.h -- one collection from H1 to the end of the census, and asking for
 * one */
#ifndef DUSK_COLLECT_CYCLE_H
#define DUSK_COLLECT_CYCLE_H

#include "collect/collector.h"

/* What a collector is opened with. */
struct collector_setup {
  size_t reserve_bytes; /* 0: from the machine */
  int gc_percent;
  int64_t memory_limit;
  enum pacer_policy policy;
  unsigned trigger_low; /* percent; 0: the policy's */
  unsigned trigger_high;
  struct assist_rule assist_rule; /* of new threads */
  uint64_t wall_bytes;            /* over the goal; 0: from the goal */
  unsigned workers;               /* 0: from the machine */
  unsigned idle_workers;          /* at most */
  bool data_segments;
  uint64_t slow_ms;
};

/* Returns 0, ENOMEM or EAGAIN.  The caller starts the driver. */
WARN_UNUSED int collector_open(struct collector *collector,
                               const struct collector_setup *setup);

/* With no thread attached and the driver gone. */
void collector_close(struct collector *collector);

/* Asks for a cycle that begins after this call; returns its number.  Any
 * thread. */
uint64_t cycle_ask(struct collector *collector, bool forced);

/* Waits until the cycle with that number is over, or there is nobody to run it
 * (crew.h).  Not IN_HEAP. */
void cycle_await(struct collector *collector, uint64_t number);
/* For at most `ns`; false: the time ran out. */
bool cycle_await_for(struct collector *collector, uint64_t number, uint64_t ns);

/* Allocation has grown: asks for a cycle if it is time and nobody has. */
void cycle_ask_if_due(struct collector *collector);

/* The driver, in turn: waits until it has something to do (false: the collector
 * is closing); begins a cycle and marks until all that can be reached is black,
 * barriers still on; ends the cycle, with what it did in the record; once that
 * is kept, lets those go on who wait for the cycle. */
bool cycle_next(struct collector *collector);
struct cycle_record cycle_mark(struct collector *collector);
void cycle_sweep(struct collector *collector, struct cycle_record *record);
void cycle_finish(struct collector *collector,
                  const struct cycle_record *record);

#endif
