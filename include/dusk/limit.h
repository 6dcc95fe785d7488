/* SPDX-License-Identifier: MIT */
/* limit.h -- what counts against the memory limit, how close it is, and what
 * happens at its end
 *
 * The limit itself is set in the options, in the environment or with
 * dusk_set_memory_limit(). */
#ifndef DUSK_LIMIT_H
#define DUSK_LIMIT_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Declares that objects of the heap hold `delta` bytes more (negative: fewer)
 * that the heap does not see: malloc'd buffers, mapped files, textures.  They
 * count as live in goal, trigger and memory limit, so garbage that holds much
 * is collected early, and threads pay for them as for what they allocate.
 *
 * The attached thread, outside blocking regions; no safepoint.  A number that
 * would take back more than was declared leaves none, with one line on
 * stderr. */
DUSK_API void dusk_external_adjust(dusk_thread *thread, int64_t delta);

/* What is declared now, bytes.  Any thread; a NULL heap: 0. */
DUSK_API uint64_t dusk_external_bytes(const dusk_heap *heap);

/* How much of the memory limit the last cycle found to be needed: live objects,
 * declared bytes, the collector's own tables, free slots among living objects.
 * A level is left only a sixteenth of the limit below where it was entered. */
typedef enum {
  DUSK_PRESSURE_NONE,     /* less than three quarters, or no limit */
  DUSK_PRESSURE_MODERATE, /* three quarters: caches should stop growing */
  DUSK_PRESSURE_HIGH,     /* nine tenths: let go of what can be made again */
  DUSK_PRESSURE_CRITICAL  /* the limit cannot hold */
} dusk_pressure;

/* The level.  Any thread; a NULL heap: DUSK_PRESSURE_NONE. */
DUSK_API dusk_pressure dusk_pressure_now(const dusk_heap *heap);

/* `call` is called after each cycle that changed the level, and after every
 * cycle while it is DUSK_PRESSURE_CRITICAL: on the collector's thread, between
 * two cycles, which wait for it.  It must not attach to the heap, allocate from
 * it, wait for an attached thread, or close the heap; it sets a flag, wakes
 * somebody, or frees memory of its own.
 *
 * Any thread.  NULL: nobody is called from now on.  A call that is under way
 * when this returns may still be the old one's.  Returns 0; EINVAL: heap is
 * NULL. */
DUSK_API int dusk_on_pressure(dusk_heap *heap,
                              void (*call)(dusk_heap *heap, dusk_pressure level,
                                           void *context),
                              void *context);

/* What happens when the memory limit cannot hold. */
typedef enum {
  /* The heap grows beyond it, as Go's does: collection takes half of the
   * processors' time at most, and the program goes on. */
  DUSK_LIMIT_GROW,
  /* The program slows down: collection may take all the time there is, and what
   * allocates pays for it. */
  DUSK_LIMIT_SLOW,
  /* Allocation fails: pages that would go beyond the limit are not to be had.
   * dusk_alloc() collects, asks dusk_on_exhausted(), and returns NULL with
   * ENOMEM. */
  DUSK_LIMIT_FAIL
} dusk_limit_action;

/* Chooses; DUSK_LIMIT_GROW is what a heap begins with.  Any thread, also while
 * a cycle runs.  Returns the old choice; -1: heap is NULL, or there is no such
 * choice, and nothing is changed. */
DUSK_API int dusk_set_limit_action(dusk_heap *heap, dusk_limit_action action);

/* `call` is called when an allocation of `bytes` bytes would fail for want of
 * memory, after collecting in vain: on the thread that allocates, at its
 * safepoint.  true: something was let go; the heap is collected and the
 * allocation tried once more, as often as it says so.  false: the allocation
 * fails.  It may store, drop references and read counters; an allocation of
 * its own that fails is not asked about.
 *
 * Any thread.  NULL: nobody is asked.  Returns 0; EINVAL: heap is NULL. */
DUSK_API int dusk_on_exhausted(dusk_heap *heap,
                               bool (*call)(dusk_thread *thread, size_t bytes,
                                            void *context),
                               void *context);

#ifdef __cplusplus
}
#endif

#endif
