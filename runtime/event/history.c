/* SPDX-License-Identifier: MIT */
/* history.c -- what past cycles did, for the counters */
#include "event/history.h"

void history_init(struct history *history)
{
  *history = (struct history){0};
  lock_init(&history->lock, RANK_history);
}

void history_destroy(struct history *history)
{
  lock_destroy(&history->lock);
}

void history_add(struct history *history, const struct history_entry *entry)
{
  lock_acquire(&history->lock);
  struct history_sums *sums = &history->sums;
  uint64_t at = sums->cycles++ % HISTORY_CYCLES;
  sums->forced += entry->forced;
  sums->pause_ns += entry->pause_ns;
  sums->assist_ns += entry->assist_ns;
  sums->worker_ns += entry->worker_ns;
  sums->idle_ns += entry->idle_ns;
  sums->other_ns += entry->other_ns;
  sums->last_end = entry->end;
  sums->stack_bytes = entry->stack_bytes;
  sums->marked = entry->marked;
  history->pause_ns[at] = entry->pause_ns;
  history->pause_end[at] = entry->end;
  lock_release(&history->lock);
}

struct history_sums history_read(struct history *history)
{
  lock_acquire(&history->lock);
  struct history_sums sums = history->sums;
  lock_release(&history->lock);
  return sums;
}
