/* SPDX-License-Identifier: MIT */
/* stats.h -- counters, with the names and meanings of Go's runtime.MemStats */
#ifndef DUSK_STATS_H
#define DUSK_STATS_H

#include "dusk/abi.h"
#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DUSK_PAUSES 256

typedef struct {
  uint64_t size;    /* objects of the class, bytes */
  uint64_t mallocs; /* objects ever allocated in it */
  uint64_t frees;   /* of those, freed */
} dusk_by_size;

/* Sizes in bytes, times in nanoseconds.  Always true:
 *   sys = heap_sys + stack_sys + mspan_sys + mcache_sys + buck_hash_sys
 *         + gc_sys + other_sys
 *   heap_sys = heap_inuse + heap_idle,  heap_released <= heap_idle
 *   alloc = heap_alloc,  heap_objects = mallocs - frees */
typedef struct {
  uint64_t alloc;         /* bytes of objects not yet swept away */
  uint64_t total_alloc;   /* bytes ever allocated; never falls */
  uint64_t sys;           /* bytes obtained from the system */
  uint64_t lookups;       /* always 0 */
  uint64_t mallocs;       /* objects ever allocated */
  uint64_t frees;         /* objects ever freed */
  uint64_t heap_alloc;    /* as alloc */
  uint64_t heap_sys;      /* heap pages ever made ready */
  uint64_t heap_idle;     /* of those, in no span */
  uint64_t heap_inuse;    /* of those, in spans */
  uint64_t heap_released; /* idle and given back to the system */
  uint64_t heap_objects;  /* objects not yet swept away */
  uint64_t stack_inuse;   /* bytes of stacks found by the last cycle */
  uint64_t stack_sys;     /* 0: the stacks are the program's own */
  uint64_t mspan_inuse;   /* span descriptors in use */
  uint64_t mspan_sys;     /* span descriptors obtained */
  uint64_t mcache_inuse;  /* thread caches in use */
  uint64_t mcache_sys;    /* thread caches obtained */
  uint64_t buck_hash_sys; /* tables of the heap profile */
  uint64_t gc_sys;        /* mark bits, page map, grey packets */
  uint64_t other_sys;     /* the rest */
  uint64_t next_gc;       /* the heap goal of the next cycle */
  uint64_t last_gc;       /* end of the last cycle, since 1970; 0: none */
  /* Nothing stops the world: a cycle's pause is the longest time that it held
   * any one mutator, its longest handshake service. */
  uint64_t pause_total_ns;
  uint64_t pause_ns[DUSK_PAUSES];  /* newest at (num_gc + 255) % 256 */
  uint64_t pause_end[DUSK_PAUSES]; /* since 1970, same order */
  uint64_t num_gc;                 /* cycles completed */
  uint64_t num_forced_gc;          /* of those, asked for by the program */
  double gc_cpu_fraction; /* of the processors' time since open, 0 to 1 */
  bool enable_gc;         /* always true */
  bool debug_gc;          /* always false */
  dusk_by_size by_size[DUSK_SIZE_CLASSES]; /* small objects, by class */
} dusk_memstats;

/* Reads the counters.  Any thread, attached or not; stops nobody and folds the
 * threads' own counters, so that the caller's own allocations are all in.
 * Takes microseconds.  NULL arguments: does nothing. */
DUSK_API void dusk_read_memstats(dusk_heap *heap, dusk_memstats *out);

#ifdef __cplusplus
}
#endif

#endif
