/* SPDX-License-Identifier: MIT */
/* park.h -- waiting for another thread to say something
 *
 * A park is a count of signals.  A waiter notes the count, looks whether it
 * has to wait at all, and then waits until the count differs: a signal between
 * the look and the wait is not lost. */
#ifndef DUSK_BASE_PARK_H
#define DUSK_BASE_PARK_H

#include "base/compiler.h"

#include <pthread.h>

struct park {
  pthread_mutex_t mutex;
  pthread_cond_t cond;
  uint64_t count; /* guarded by mutex */
};

void park_init(struct park *park);
void park_destroy(struct park *park);

uint64_t park_note(struct park *park);

/* Waits until the count is no longer `noted`, or for `ns` nanoseconds; ns
 * UINT64_MAX: without end.  false: the time ran out. */
bool park_wait(struct park *park, uint64_t noted, uint64_t ns);

/* Wakes all who wait.  The only call here that mutators make: short. */
void park_signal(struct park *park);

#endif
