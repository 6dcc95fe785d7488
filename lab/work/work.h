/* SPDX-License-Identifier: MIT */
/* work.h -- what the built-in workloads share
 *
 * A workload is a program that uses the library as anybody would: <dusk.h>
 * alone.  Its options are a table, its amount of work is fixed, so that the
 * processor time of two settings can be compared, and its data carry seals: an
 * object that was lost or recycled too early ends it with status 1.  Figures go
 * to stdout, one a line: name, value, unit.
 *
 * An operation's time runs from the end of the one before, in every workload:
 * whatever delays the program falls into some operation's time. */
#ifndef DUSK_LAB_WORK_H
#define DUSK_LAB_WORK_H

#include <dusk.h>

#include "bench/measure.h"

enum { WORK_OPTIONS_MAX = 12, WORK_THREADS_MAX = 256 };

struct work_option {
  const char *name; /* NULL ends the table */
  const char *about;
  uint64_t value; /* the default */
  uint64_t quick; /* the default with --quick */
  uint64_t low;   /* the least that makes sense, and the most */
  uint64_t high;
  bool is_switch; /* takes no value: 1 if it is given */
};

struct work {
  const char *name;
  const char *about;
  const struct work_option *options;
  /* values[] in the order of the options. */
  void (*run)(const uint64_t *values);
};

extern const struct work work_cache, work_churn, work_map, work_pool;

/* All of them; NULL ends the list. */
extern const struct work *const work_all[];

/* The workload of that name, or NULL. */
const struct work *work_find(const char *name);

/* Ends the program: it cannot run, or its data are wrong. */
_Noreturn void work_fail(const char *what, int error);

/* Opens a heap, or ends the program. */
dusk_heap *work_open(void);

/* Defines a kind of objects of `bytes` whose first `pointers` words are
 * pointers, or ends the program.  0 bytes: objects of any size, each word of
 * them a pointer. */
dusk_kind work_kind(dusk_heap *heap, const char *name, size_t bytes,
                    unsigned pointers);

/* Allocates, or ends the program. */
void *work_new(dusk_thread *thread, dusk_kind kind);
void *work_alloc(dusk_thread *thread, dusk_kind kind, size_t bytes);

/* One of the threads of a crew; a workload's own struct may begin with it. */
struct worker {
  struct crew *crew;
  dusk_thread *thread;
  unsigned index;
  struct measure_random random;
  struct measure_histogram *times;
  uint64_t last_ns; /* when its last operation ended */
  pthread_t pthread;
};

/* Threads that prepare, wait for each other, and do `operations` in all, or
 * as many as they can in `seconds`, if that is not 0. */
struct crew {
  dusk_heap *heap;
  const void *data; /* the workload's own, shared by all */
  void (*prepare)(struct worker *worker);
  void (*step)(struct worker *worker);
  void (*finish)(struct worker *worker); /* or NULL */
  unsigned threads;
  uint64_t seed;
  uint64_t operations;
  uint64_t seconds;
  pthread_barrier_t prepared;
};

/* Runs the crew to its end and prints its figures: ops, p50 to worst, wall,
 * cpu, cycles.  The caller is attached. */
void crew_run(struct crew *crew, dusk_thread *thread);

/* Notes the end of an operation; for workloads that do not use a crew. */
static inline void worker_note(struct worker *worker)
{
  uint64_t now = measure_wall_ns();
  measure_histogram_add(worker->times, now - worker->last_ns);
  worker->last_ns = now;
}

#endif
