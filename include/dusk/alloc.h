/* SPDX-License-Identifier: MIT */
/* alloc.h -- allocation
 *
 * The fast path is a compare and an add on the thread's own run of free slots.
 * All else happens once a run, in the slow path: zeroing, counting, assists,
 * safepoints, colour. */
#ifndef DUSK_ALLOC_H
#define DUSK_ALLOC_H

#include "dusk/abi.h"
#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

DUSK_API void *dusk_alloc_slow(dusk_thread *thread, dusk_kind kind,
                               size_t bytes);
DUSK_API void *dusk_new_slow(dusk_thread *thread, dusk_kind kind);

/* Allocates an object: zeroed, aligned to 16 bytes.
 *
 * The attached thread, outside blocking regions; a safepoint.  `bytes` may be
 * 0.  For a kind of fixed size it is that size; another of the same size class
 * is not found out.  NULL: out of memory, or no
 * such kind, or not the kind's size; errno says which (ENOMEM, EINVAL).  Before
 * it says ENOMEM it has collected and tried again; the heap works on.  The
 * object lives as long as a root, a stack or another object refers to it. */
DUSK_INLINE void *dusk_alloc(dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  struct dusk_thread_abi *abi = dusk_abi(thread);
  if (DUSK_LIKELY(bytes <= DUSK_SMALL_MAX && kind < DUSK_KINDS_MAX)) {
    struct dusk_run *run = &abi->rows[kind].runs[dusk_size_class(bytes)];
    uintptr_t start = __atomic_load_n(&run->cursor, __ATOMIC_RELAXED);
    uintptr_t end = start + dusk_round_size(bytes);
    if (DUSK_LIKELY(end <= __atomic_load_n(&run->limit, __ATOMIC_RELAXED) &&
                    !__atomic_load_n(&abi->poll, __ATOMIC_RELAXED))) {
      __atomic_store_n(&run->cursor, end, __ATOMIC_RELAXED);
      return (void *)start;
    }
  }
  return dusk_alloc_slow(thread, kind, bytes);
}

/* Allocates an object of a fixed-size kind.  As dusk_alloc(); EINVAL for a
 * kind whose size is 0. */
DUSK_INLINE void *dusk_new(dusk_thread *thread, dusk_kind kind)
{
  struct dusk_thread_abi *abi = dusk_abi(thread);
  if (DUSK_LIKELY(kind < DUSK_KINDS_MAX)) {
    struct dusk_row *row = &abi->rows[kind];
    struct dusk_run *run = &row->runs[row->size_class];
    uintptr_t start = __atomic_load_n(&run->cursor, __ATOMIC_RELAXED);
    uintptr_t end = start + row->step;
    /* A step of 0: the row is not set up yet. */
    if (DUSK_LIKELY(end <= __atomic_load_n(&run->limit, __ATOMIC_RELAXED) &&
                    row->step &&
                    !__atomic_load_n(&abi->poll, __ATOMIC_RELAXED))) {
      __atomic_store_n(&run->cursor, end, __ATOMIC_RELAXED);
      return (void *)start;
    }
  }
  return dusk_new_slow(thread, kind);
}

/* The usable bytes of the object that starts at `object`: at least what was
 * asked for.  Any thread that keeps the object alive.  0: not the start of an
 * object of this heap. */
DUSK_API size_t dusk_size_of(const dusk_heap *heap, const void *object);

/* The start of the object that `interior` points into; NULL: it points into
 * none.  Any thread; only an object that the caller keeps alive has a lasting
 * answer.  A free slot near one that a thread is about to hand out may count as
 * an object. */
DUSK_API void *dusk_base_of(const dusk_heap *heap, const void *interior);

#ifdef __cplusplus
}
#endif

#endif
