/* SPDX-License-Identifier: MIT */
/* barrier.h -- the write barrier's slow half, and the log that it writes
 *
 * WHY IT SUFFICES.  Let a thread store `new` over `old` while a cycle marks.
 *   old  is logged always.  Whatever could be reached when the thread's stack
 *        was copied stays reachable for the collector: its last path cannot be
 *        cut unseen.
 *   new  is logged until this thread has served H2.  Its stack has not been
 *        copied, so a white object known to it alone would otherwise vanish
 *        into a black one.
 * Both are logged before the store.  Between the two, another thread could load
 * the old value and hide it, or see the new one and drop the old.
 *
 * The log holds raw words.  Before every thread has served H2 no word may be
 * tested (heap/shade.h); afterwards a word is logged only if it names a white
 * object, which is rare. */
#ifndef DUSK_MUTATOR_BARRIER_H
#define DUSK_MUTATOR_BARRIER_H

#include "mutator/thread.h"

/* At H1: nothing has been logged in this cycle. */
void barrier_begin(struct dusk_thread *thread);

/* Hands the log over: as it is before all threads have served H2; afterwards
 * only what still is white, so that a busy program does not keep termination
 * rounds dirty.  false: no packet to go on with; the log is as it was. */
WARN_UNUSED bool barrier_flush(struct dusk_thread *thread);

#endif
