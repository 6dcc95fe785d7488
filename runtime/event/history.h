/* SPDX-License-Identifier: MIT */
/* history.h -- what past cycles did, for the counters */
#ifndef DUSK_EVENT_HISTORY_H
#define DUSK_EVENT_HISTORY_H

#include "base/lock.h"

enum { HISTORY_CYCLES = 256 };

/* Of all cycles, but for the last three. */
struct history_sums {
  uint64_t cycles;
  uint64_t forced;
  uint64_t pause_ns;
  uint64_t assist_ns;   /* that threads marked */
  uint64_t worker_ns;   /* processor time of workers */
  uint64_t idle_ns;     /* the same on processors that nobody wanted */
  uint64_t other_ns;    /* processor time of the driver besides */
  uint64_t last_end;    /* wall clock, ns since 1970 */
  uint64_t stack_bytes; /* found by the last cycle */
  uint64_t marked;      /* the same */
};

/* Written by the driver after each cycle, read by anyone, under `lock`. */
struct history {
  struct lock lock; /* RANK_history */
  struct history_sums sums;
  /* Rings: cycle number n, from 1, at (n - 1) % HISTORY_CYCLES. */
  uint64_t pause_ns[HISTORY_CYCLES];
  uint64_t pause_end[HISTORY_CYCLES];
};

void history_init(struct history *history);
void history_destroy(struct history *history);

struct history_entry {
  bool forced;
  uint64_t pause_ns;
  uint64_t end; /* wall clock */
  uint64_t assist_ns;
  uint64_t worker_ns;
  uint64_t idle_ns;
  uint64_t other_ns;
  uint64_t stack_bytes;
  uint64_t marked;
};
void history_add(struct history *history, const struct history_entry *entry);

/* Any thread. */
struct history_sums history_read(struct history *history);

#endif
