/* SPDX-License-Identifier: MIT */
/* scavenger.h -- the thread that gives a heap's free memory back */
#ifndef DUSK_COLLECT_SCAVENGER_H
#define DUSK_COLLECT_SCAVENGER_H

#include "collect/collector.h"

/* Starts the thread.  Returns 0 or EAGAIN. */
WARN_UNUSED int scavenger_start(struct collector *collector);

/* Ends it: `closing` is set. */
void scavenger_stop(struct collector *collector);

/* A cycle is over: what the next targets are measured by.  The driver, with
 * pacing.lock. */
void scavenger_note_cycle(struct collector *collector,
                          const struct cycle_record *record);

/* The goal or the limit has changed, or a cycle is over: publishes how much the
 * heap may hold.  With pacing.lock. */
void scavenger_retarget(struct collector *collector, uint64_t goal,
                        const struct pacer_memory *memory);

#endif
