/* SPDX-License-Identifier: MIT */
/* terminate.h -- marking until nothing is grey anywhere */
#ifndef DUSK_COLLECT_TERMINATE_H
#define DUSK_COLLECT_TERMINATE_H

#include "collect/worker.h"

/* The driver marks until marking is over: when it returns, every object that
 * the program can reach is marked, and nobody marks any more.  Returns the
 * number of termination rounds. */
unsigned terminate_marking(struct collector *collector, struct turn *turn,
                           uint32_t epoch);

#endif
