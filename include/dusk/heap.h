/* SPDX-License-Identifier: MIT */
/* heap.h -- opening and closing a heap */
#ifndef DUSK_HEAP_H
#define DUSK_HEAP_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Scan the writable data segments of the program and its libraries as roots.
 * Stores of heap pointers into static data must then go through dusk_store. */
#define DUSK_ROOTS_DATA_SEGMENTS (1u << 0)
/* Ignore DUSK_GCPERCENT, DUSK_MEMLIMIT and all other such variables: dusk(7)
 * lists them. */
#define DUSK_NO_ENV (1u << 1)
/* Leave processors alone that the program does not use: no marking on them
 * beyond the background workers. */
#define DUSK_NO_IDLE_WORKERS (1u << 2)

typedef struct {
  size_t struct_size;   /* sizeof(dusk_options), so that the struct can grow */
  size_t reserve_bytes; /* address space to reserve; 0: from the machine */
  int gc_percent;       /* 100: the heap may double; -1: automatic GC off */
  int64_t memory_limit; /* soft limit, bytes; INT64_MAX: none; 0: cgroup's */
  unsigned workers;     /* background mark workers; 0: from the machine */
  unsigned flags;       /* DUSK_ROOTS_DATA_SEGMENTS and others above */
  /* Since version 0.2; a struct_size that ends before them means zeros. */
  dusk_policy policy;    /* DUSK_POLICY_GO; see dusk_tuning(7) */
  unsigned trigger_low;  /* a cycle begins no earlier than this part of the way
                            from live to goal, percent; 0: the policy's bound */
  unsigned trigger_high; /* and no later than this */
  uint64_t wall_bytes;   /* hard wall, bytes over the goal; 0: from the goal;
                            UINT64_MAX: none; see dusk_set_assist(3) */
} dusk_options;

#define DUSK_OPTIONS_INIT                                                      \
  {                                                                            \
    .struct_size = sizeof(dusk_options), .gc_percent = 100,                    \
    .memory_limit = INT64_MAX                                                  \
  }

/* Opens a heap and starts its collector thread.
 *
 * Any thread, at any time.  options may be NULL: DUSK_OPTIONS_INIT.  The
 * environment overrides what options say, unless DUSK_NO_ENV is set: see
 * dusk(7).  reserve_bytes is rounded to 4 MiB; a reservation that the system
 * refuses is halved until it fits, with one line on stderr if that leaves less
 * than the machine's memory.
 *
 * Returns 0 and the heap in *heap; EINVAL (heap is NULL, struct_size is not
 * one this library knows, a flag is unknown, gc_percent < -1, memory_limit < 0,
 * more than 1024 workers, reserve_bytes not 0 and below 8 MiB, an unknown
 * policy, a trigger bound above 100 or trigger_low above a trigger_high that is
 * not 0), ENOMEM (address space, memory), EAGAIN (the collector's threads could
 * not be started).  On failure *heap is not written.  The caller owns the heap:
 * dusk_heap_close(). */
DUSK_API int dusk_heap_open(const dusk_options *options, dusk_heap **heap);

/* Closes a heap: waits for a cycle that is running, ends the collector's
 * threads and gives all memory back.  Every object is gone.
 *
 * Any thread.  NULL is allowed.  With threads still attached it prints one
 * line on stderr, counting them, and changes nothing.  The heap leaves its
 * budget. */
DUSK_API void dusk_heap_close(dusk_heap *heap);

#ifdef __cplusplus
}
#endif

#endif
