/* SPDX-License-Identifier: MIT */
/* chaos.h -- named points where a race is feared
 *
 * CHAOS("name") does nothing in ordinary builds.  With --enable-chaos it yields
 * or sleeps now and then, which makes the windows wide that are narrow in
 * nature: the stress tests run with it.  In libdusk-chaos.la a test may decide
 * at each of them who goes on (base/steps.h).  chaos.def lists the names. */
#ifndef DUSK_BASE_CHAOS_H
#define DUSK_BASE_CHAOS_H

#include "base/compiler.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifndef DUSK_CHAOS
#define DUSK_CHAOS 0
#endif

void chaos_pause(const char *name);

/* For a test that wants to do something at a point: called at each of them, by
 * whoever comes there, who does not dwell then.  Set while no heap is open. */
extern void (*chaos_visitor)(const char *name);

#define CHAOS(name)                                                            \
  do {                                                                         \
    if (DUSK_CHAOS)                                                            \
      chaos_pause(name);                                                       \
  } while (0)

#endif
