/* SPDX-License-Identifier: MIT */
/* history.h -- what past cycles did, for the counters */
#ifndef DUSK_EVENT_HISTORY_H
#define DUSK_EVENT_HISTORY_H

#include "base/lock.h"

enum { HISTORY_CYCLES = 256 };

/* Written by the driver after each cycle, read by anyone, under `lock`. */
struct history {
  struct lock lock; /* RANK_history */
  uint64_t cycles;
  uint64_t forced;
  uint64_t pause_total_ns;
  uint64_t last_end; /* wall clock, ns since 1970 */
  uint64_t gc_cpu_ns;
  uint64_t stack_bytes; /* found by the last cycle */
  /* Rings: cycle number n, from 1, at (n - 1) % HISTORY_CYCLES. */
  uint64_t pause_ns[HISTORY_CYCLES];
  uint64_t pause_end[HISTORY_CYCLES];
};

void history_init(struct history *history);
void history_destroy(struct history *history);

struct history_entry {
  bool forced;
  uint64_t pause_ns;
  uint64_t end;    /* wall clock */
  uint64_t cpu_ns; /* processor time of the cycle */
  uint64_t stack_bytes;
};
void history_add(struct history *history, const struct history_entry *entry);

#endif
