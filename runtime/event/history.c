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
  uint64_t at = history->cycles++ % HISTORY_CYCLES;
  history->forced += entry->forced;
  history->pause_total_ns += entry->pause_ns;
  history->last_end = entry->end;
  history->gc_cpu_ns += entry->cpu_ns;
  history->stack_bytes = entry->stack_bytes;
  history->pause_ns[at] = entry->pause_ns;
  history->pause_end[at] = entry->end;
  lock_release(&history->lock);
}
