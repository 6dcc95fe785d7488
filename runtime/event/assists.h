/* SPDX-License-Identifier: MIT */
/* assists.h -- what paying for its allocation cost a thread
 *
 * Written by the thread itself, read by any; all accesses are relaxed. */
#ifndef DUSK_EVENT_ASSISTS_H
#define DUSK_EVENT_ASSISTS_H

#include "base/atomic.h"

struct assists {
  uint64_t count; /* settlements that marked */
  uint64_t ns;    /* in them */
  uint64_t longest_ns;
  uint64_t bytes; /* of scan work */
};

/* The owner marked `bytes` of scan work in a settlement. */
void assists_add(struct assists *assists, uint64_t ns, uint64_t bytes);

/* sum += assists.  One writer of `sum` at a time. */
void assists_fold(struct assists *sum, const struct assists *assists);

#endif
