/* SPDX-License-Identifier: MIT */
/* crew.h -- the threads of a collector: are they there?
 *
 * They are, from the opening of the heap to its closing, but for the child of a
 * fork: there they come with the first cycle that somebody asks for, so that a
 * child which only calls exec pays for none. */
#ifndef DUSK_COLLECT_CREW_H
#define DUSK_COLLECT_CREW_H

#include "collect/collector.h"

/* false: nobody will run a cycle, and nobody is about to be able to. */
static inline bool crew_is_there(const struct collector *collector)
{
  return LIKELY(LOAD_ACQUIRE(&collector->crew) != CREW_LOST); /* crew_call() */
}

/* Starts the threads, if they are lost.  false: the system has none; it is
 * said on stderr once. */
WARN_UNUSED bool crew_call(struct collector *collector);

#endif
