/* SPDX-License-Identifier: MIT */
/* dusk.h -- the one header that most programs include
 *
 *   dusk/types.h    handles, kinds, the export mark
 *   dusk/heap.h     open, close, options
 *   dusk/thread.h   attach, detach, safepoints, blocking regions
 *   dusk/kind.h     how the collector reads an object
 *   dusk/alloc.h    dusk_alloc, dusk_new
 *   dusk/store.h    every pointer store, with the write barrier
 *   dusk/root.h     memory outside the heap that holds pointers into it
 *   dusk/control.h  collect, GC percent, memory limit
 *   dusk/budget.h   one memory limit for several heaps
 *   dusk/limit.h    what counts against the limit, and what happens at its end
 *   dusk/assist.h   how much of the collector's work a thread does
 *   dusk/stats.h    MemStats-style counters
 *   dusk/metrics.h  all that is measured, by name, and as OpenMetrics text
 *   dusk/profile.h  who allocates, what is in use, how long it lives
 *   dusk/inspect.h  what a heap holds, and why
 *   dusk/timeline.h what the collector and the threads did, and when
 *
 * Functions that can fail return 0 or a positive errno value, or a pointer
 * that is NULL on failure.  Nothing here aborts on bad input: a function that
 * has no way to answer prints one line on stderr and changes nothing.
 */
#ifndef DUSK_H
#define DUSK_H

#include "dusk/types.h"

#include "dusk/heap.h"
#include "dusk/thread.h"

#include "dusk/kind.h"

#include "dusk/alloc.h"
#include "dusk/budget.h"
#include "dusk/store.h"

#include "dusk/root.h"

#include "dusk/assist.h"
#include "dusk/control.h"
#include "dusk/limit.h"
#include "dusk/metrics.h"
#include "dusk/stats.h"

#include "dusk/inspect.h"
#include "dusk/profile.h"
#include "dusk/timeline.h"

#endif
