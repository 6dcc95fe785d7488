/* SPDX-License-Identifier: MIT */
/* samples.h -- what a program's heaps wrote about themselves, read back
 *
 * DUSK_TRACE=FILE makes every heap append lines to FILE: see dusk-lab(1).
 * Several heaps and several processes may share one file; their lines come in
 * any order.  A reader passes over records and fields that it does not know,
 * and over a last line that was cut short, so that it can read what a killed
 * program left behind.  Times are ns of the monotonic clock, sizes bytes.
 * Tested by tests/lab/samples.c. */
#ifndef DUSK_LAB_SAMPLES_H
#define DUSK_LAB_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the record's fields, each of them a uint64_t. */
#define SAMPLES_CYCLE_FIELDS(X)                                                \
  X(number)                                                                    \
  X(forced)                                                                    \
  X(start_ns)                                                                  \
  X(mark_ns)                                                                   \
  X(end_ns)                                                                    \
  X(swept_ns)                                                                  \
  X(live_start)                                                                \
  X(live_end)                                                                  \
  X(marked)                                                                    \
  X(goal)                                                                      \
  X(trigger)                                                                   \
  X(pause_start_ns)                                                            \
  X(pause_end_ns)                                                              \
  X(assist_ns)                                                                 \
  X(worker_ns)                                                                 \
  X(idle_ns)                                                                   \
  X(other_ns)                                                                  \
  X(heap_work)                                                                 \
  X(stack_work)                                                                \
  X(root_work)                                                                 \
  X(heap_inuse)                                                                \
  X(heap_released)                                                             \
  X(heap_sys)                                                                  \
  X(sys)

struct samples_cycle {
#define SAMPLES_FIELD(name) uint64_t name;
  SAMPLES_CYCLE_FIELDS(SAMPLES_FIELD)
#undef SAMPLES_FIELD
};

/* Why a thread did not run its own program. */
enum samples_delay_kind {
  SAMPLES_SERVICE, /* a step for the collector: what others call a pause */
  SAMPLES_ASSIST,  /* it marked, to pay for what it allocates */
  SAMPLES_ASIDE,   /* it stepped aside for the collector's threads */
  SAMPLES_WALL,    /* it waited at the hard wall */
  SAMPLES_COLLECT, /* it waited for a cycle that it had asked for */
  SAMPLES_KINDS
};

/* The word in the file. */
extern const char *const samples_kind_names[SAMPLES_KINDS];

struct samples_delay {
  uint64_t thread;
  enum samples_delay_kind kind;
  uint64_t start_ns;
  uint64_t duration_ns;
};

struct samples_thread {
  uint64_t thread; /* from 1, in the order of attaching */
  uint64_t attached_ns;
  uint64_t detached_ns; /* 0: it was attached to the end */
  uint64_t assists;
  uint64_t assist_ns;
  uint64_t assist_bytes;
  uint64_t longest_assist_ns;
  uint64_t allocated_bytes;
  uint64_t cpu_ns;
};

struct samples_heap {
  char id[48]; /* PID:N */
  uint64_t opened_ns;
  uint64_t closed_ns; /* 0: it was not closed, or not within the file */
  uint64_t processors;
  uint64_t workers;
  char policy[24];
  int64_t gc_percent;    /* -1: off */
  uint64_t memory_limit; /* UINT64_MAX: off */
  uint64_t total_alloc;  /* this and the next: 0 unless closed */
  uint64_t mallocs;
  uint64_t gc_cpu_ns;
  uint64_t process_cpu_ns;
  uint64_t lost; /* delays that the writer had no room for */
  struct samples_cycle *cycles;
  size_t cycle_count;
  struct samples_delay *delays;
  size_t delay_count;
  struct samples_thread *threads;
  size_t thread_count;
};

struct samples {
  struct samples_heap *heaps;
  size_t heap_count;
};

/* Reads a file into *samples, which the caller passes to samples_free().
 *
 * Returns false and one line in message[] that names the file, and the line
 * where a known record is not as it should be; *samples is then empty.  A file
 * without a record is not an error. */
bool samples_read(const char *path, struct samples *samples, char *message,
                  size_t message_size);

void samples_free(struct samples *samples);

/* When the heap was last heard of: its close, or the latest time in it. */
uint64_t samples_heap_end(const struct samples_heap *heap);

/* The smallest value that at least a share of `part` (0 to 1) of the values
 * does not exceed.  Sorts the values; NAN if there are none. */
double samples_percentile(double *values, size_t count, double part);

/* The middle value, or the mean of the middle two.  Sorts the values; NAN if
 * there are none. */
double samples_median(double *values, size_t count);

#endif
