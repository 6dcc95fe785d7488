/* SPDX-License-Identifier: MIT */
/* assists.h -- what paying for its allocation cost a thread
 *
 * Written by the thread itself, read by any; all accesses are relaxed. */
#ifndef DUSK_EVENT_ASSISTS_H
#define DUSK_EVENT_ASSISTS_H

#include "event/histogram.h"

#include "dusk/assist.h"

/* The fields of dusk_assist_stats. */
struct assists {
  uint64_t count;
  uint64_t longest_ns;
  uint64_t bytes;
  uint64_t pool_bytes;
  uint64_t charged_bytes;
  uint64_t debt_bytes;
  uint64_t asides;
  uint64_t aside_ns;
  uint64_t walls;
  uint64_t wall_ns;
  struct histogram times;
};

/* The owner marked `bytes` of scan work in a settlement. */
void assists_add(struct assists *assists, uint64_t ns, uint64_t bytes);

/* sum += assists.  One writer of `sum` at a time. */
void assists_fold(struct assists *sum, const struct assists *assists);

/* All but the size. */
void assists_tell(const struct assists *assists, dusk_assist_stats *out);

#endif
