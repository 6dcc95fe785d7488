/* SPDX-License-Identifier: MIT */
/* heap.h -- everything that one heap is: there is no global state */
#ifndef DUSK_COLLECT_HEAP_H
#define DUSK_COLLECT_HEAP_H

#include "collect/collector.h"
#include "event/history.h"
#include "mutator/thread.h"

/* What DUSK_DEBUG asks for. */
struct debug_options {
  uint64_t gctrace;       /* 1: a line on stderr for each cycle */
  uint64_t checkmark;     /* 1: verify.c after each cycle */
  uint64_t stress;        /* N: a cycle every N allocation slow paths */
  uint64_t slowsafepoint; /* ms until a late thread is named; 0: never */
};

struct dusk_heap {
  struct collector collector;
  struct history history;
  struct debug_options debug;
  pthread_t driver;
};

static inline struct collector *thread_collector(struct dusk_thread *thread)
{
  return &thread->heap->collector;
}

#endif
