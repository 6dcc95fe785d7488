/* SPDX-License-Identifier: MIT */
/* cycle.pml -- a collection from H1 to the census, while two threads run
 *
 * What is checked, in every interleaving: when marking ends nothing white can
 * be living; no object that the census frees can be living; with COMPLETE,
 * everything that was garbage when the cycle began is freed.
 *
 * Any heap, any root and any stacks to begin with, all objects reachable.  The
 * machine is sequentially consistent; memory order is in runtime/README.md.
 *
 *   OBJECTS  2 or 3           DEEP0, DEEP1  the thread has two words
 *   CYCLES   how many         BUDGET        heap operations in all
 *   NO_ALLOCATION LOGS_NEVER_FULL ONE_HALF (ends when marking does)
 *   ONLY_AT_THE_END (looks at what is freed alone) and those of thread.pml
 *
 * BUG_... leave an ingredient out; README.md lists them.
 */
#ifndef OBJECTS
#define OBJECTS 2
#endif
#ifndef CYCLES
#define CYCLES 1
#endif
#ifndef DEEP0
#define DEEP0 false
#endif
#ifndef DEEP1
#define DEEP1 false
#endif

#include "world.pml"
#include "barrier.pml"
#include "thread.pml"
#include "collector.pml"

inline anything(v) {
  if
  :: v = 0
  :: allocated & 2 -> v = 1
  :: allocated & 4 -> v = 2
#if OBJECTS > 2
  :: allocated & 8 -> v = 3
#endif
  fi
}

init {
  byte x;
  atomic {
#ifdef NO_ALLOCATION
    allocated = ALL_OBJECTS;
#else
    if
    :: allocated = 2
    :: allocated = 6
#if OBJECTS > 2
    :: allocated = 14
#endif
    fi;
#endif
    do
    :: x <= OBJECTS ->
       if
       :: x == 0 || (allocated & BIT(x)) -> anything(slot[x])
       :: else
       fi;
       x++
    :: else -> break
    od;
    x = 0;
    anything(TOP(0)); anything(TOP(1));
    if :: DEEP0 -> anything(SECOND(0)) :: else fi;
    if :: DEEP1 -> anything(SECOND(1)) :: else fi;
    reach();
    if
    :: living == allocated ->
       SETTLE; run Collector(); run Thread(0); run Thread(1)
    :: else -> over = true
    fi
  }
}
