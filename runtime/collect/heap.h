/* SPDX-License-Identifier: MIT */
/* heap.h -- everything that one heap is: there is no global state but the list
 * of heaps that are open (api/fork.c) */
#ifndef DUSK_COLLECT_HEAP_H
#define DUSK_COLLECT_HEAP_H

#include "collect/collector.h"
#include "event/history.h"
#include "mutator/thread.h"

#include "dusk/limit.h"

/* What DUSK_DEBUG asks for. */
enum { DEBUG_TEXT_BYTES = 1024 };
struct debug_options {
#define DEBUG_OPTION(key, otherwise, meaning) uint64_t key;
#define DEBUG_TEXT(key, meaning) char key[DEBUG_TEXT_BYTES];
#include "collect/debug.def"
#undef DEBUG_TEXT
#undef DEBUG_OPTION
};

/* Functions of the program that are called when memory runs short. */
struct calls {
  void (*pressure)(dusk_heap *heap, dusk_pressure level, void *context);
  void *pressure_context;
  bool (*exhausted)(dusk_thread *thread, size_t bytes, void *context);
  void *exhausted_context;
};

struct dusk_budget;
struct trace;
struct profile_file;
struct recorder;

struct dusk_heap {
  struct collector collector;
  uint64_t number;     /* of the heaps that the process has opened, from 1 */
  struct trace *trace; /* NULL: DUSK_TRACE is not set */
  struct profile_file *profile_file; /* NULL: no heapprofile=FILE */
  struct recorder *recorder;         /* NULL: DUSK_DEBUG does not ask for it */
  struct history history;
  struct debug_options debug;
  struct lock calls_lock;     /* RANK_calls */
  struct calls calls;         /* guarded by it */
  struct lock member_lock;    /* RANK_member */
  struct dusk_budget *budget; /* guarded by it; NULL: in none */
  unsigned told_pressure;     /* enum pressure; the driver's */
  struct scavenged scavenged; /* at the last line of scavtrace; the driver */
  pthread_t driver;
  struct halt *halt;                  /* under way: inspect/halt.c */
  struct noted *noted;                /* being gathered: inspect/noted.c */
  struct retention_request *reports;  /* asked for; atomic */
  struct snapshot_request *snapshots; /* the same */
  uint64_t joined_before;      /* threads that attached before this cycle */
  struct vanished *vanished;   /* stacks: inspect/rootcheck.c; NULL: none */
  bool has_driver;             /* false: it is not there, see crew.h */
  struct dusk_heap *next_open; /* in the process's list, under its lock */
};

static inline struct collector *thread_collector(struct dusk_thread *thread)
{
  return &thread->heap->collector;
}

#endif
