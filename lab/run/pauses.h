/* SPDX-License-Identifier: MIT */
/* pauses.h -- what the parts of dusk-lab pauses share */
#ifndef DUSK_LAB_PAUSES_H
#define DUSK_LAB_PAUSES_H

#include "host.h"
#include "measured.h"
#include "lab/show/waits.h"

enum { PAUSES_WINDOWS = 7, PAUSES_WORST = 10 };

/* The windows that utilisation is given for, ms. */
extern const unsigned pauses_windows_ms[PAUSES_WINDOWS];

/* One of the longest delays. */
struct pauses_worst {
  const struct samples_heap *heap;
  const struct samples_delay *delay;
};

struct pauses {
  struct samples *runs;
  unsigned run_count;
  struct waits *waits; /* of all runs */
  size_t threads;
  struct pauses_worst worst[PAUSES_WORST]; /* the longest first */
  size_t worst_count;
  struct mmu **all_threads; /* of each heap with threads: them together */
  size_t heap_count;
  struct mmu **each_thread;
  size_t each_count;
};

/* Works all else out of the runs.  Ends the program if there is no memory. */
void pauses_measure(struct pauses *pauses);

/* The least utilisation over all heaps, or over all threads alone; NAN if no
 * thread lived for so long. */
double pauses_mmu_all(const struct pauses *pauses, uint64_t window_ns);
double pauses_mmu_worst(const struct pauses *pauses, uint64_t window_ns);

/* The number of the cycle that was running at a moment; 0: none. */
uint64_t pauses_cycle_at(const struct samples_heap *heap, uint64_t at_ns);

/* When a thread attached and left, as far as the trace says. */
void pauses_thread_life(const struct samples_heap *heap, uint64_t thread,
                        uint64_t *start_ns, uint64_t *end_ns);

/* How many threads a heap had: numbers go from 1 to it. */
uint64_t pauses_heap_threads(const struct samples_heap *heap);

/* The page, from its begin to before its close.  `program` is what ran. */
void pauses_page_write(const struct pauses *pauses, const struct host *host,
                       const char *program, const char *command, FILE *to);

#endif
