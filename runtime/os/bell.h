/* SPDX-License-Identifier: MIT */
/* bell.h -- a signal that the user sends rings, and a thread of ours that waits
 * wakes up
 *
 * The handler is installed once and never taken away: a signal that comes when
 * nobody waits any more does nothing, where it would end the program. */
#ifndef DUSK_OS_BELL_H
#define DUSK_OS_BELL_H

#include "base/compiler.h"

/* Which of the process's bells; 8 at most. */
struct bell {
  unsigned index;
};

/* Has the signal ring it.  Returns 0; EINVAL: there is no such signal, or it
 * is one that says that the program has failed; EBUSY: the program handles it
 * itself; EAGAIN: there are no more bells. */
WARN_UNUSED int bell_hang(struct bell *bell, uint64_t signal_number);
void bell_take_down(struct bell bell);

/* Waits until it rings, once for each time. */
void bell_wait(struct bell bell);

/* Rings it, without a signal. */
void bell_ring(struct bell bell);

#endif
