/* SPDX-License-Identifier: MIT */
/* store.h -- every pointer store, with the write barrier
 *
 * Each store of a pointer into a heap object or a registered root goes through
 * one of these; stores to locals and of leaf data need nothing.  While no cycle
 * runs, the barrier is one load and a branch not taken.  While one runs, the
 * word that is overwritten and, until this thread's stack has been scanned,
 * the word that is written are logged first, so that the collector finds both:
 * deletion barrier (Yuasa 1990) and insertion barrier (Dijkstra et al. 1978).
 *
 * Slots are aligned words.  None of these is a safepoint, unless the memory for
 * logging is exhausted; it is harmless then, before the store has begun.  Of
 * slots that other threads store to at the same time, each thread sees whole
 * words. */
#ifndef DUSK_STORE_H
#define DUSK_STORE_H

#include "dusk/abi.h"
#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ThreadSanitizer does not know that hardware orders a load after the load of
 * its address; under it dusk_load() acquires. */
#if defined(__SANITIZE_THREAD__)
#define DUSK_LOAD_ORDER __ATOMIC_ACQUIRE
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DUSK_LOAD_ORDER __ATOMIC_ACQUIRE
#endif
#endif
#ifndef DUSK_LOAD_ORDER
#define DUSK_LOAD_ORDER __ATOMIC_RELAXED
#endif

/* Logs the word that a store to *slot overwrites, and the word it writes. */
DUSK_API void dusk_barrier_slow(dusk_thread *thread, void *slot,
                                const void *value);
DUSK_API bool dusk_cas_slow(dusk_thread *thread, void *slot, void *expected,
                            void *desired);
DUSK_API void *dusk_exchange_slow(dusk_thread *thread, void *slot, void *value);
DUSK_API void dusk_copy_slow(dusk_thread *thread, void *dst, const void *src,
                             size_t words);
DUSK_API void dusk_clear_slow(dusk_thread *thread, void *dst, size_t words);

DUSK_INLINE bool dusk_barrier_is_on(dusk_thread *thread)
{
  return DUSK_UNLIKELY(dusk_abi(thread)->barrier);
}

/* *(void **)slot = value.  Releases: what the thread wrote before is seen by
 * who loads the value. */
DUSK_INLINE void dusk_store(dusk_thread *thread, void *slot, const void *value)
{
  if (dusk_barrier_is_on(thread))
    dusk_barrier_slow(thread, slot, value);
  __atomic_store_n((void **)slot, (void *)value, __ATOMIC_RELEASE);
}

/* *(void **)slot = value, for a field of an object that this thread has just
 * allocated: before its next safepoint, before any other store, and before any
 * other thread or object can reach it.  Never has a barrier. */
DUSK_INLINE void dusk_init(dusk_thread *thread, void *slot, const void *value)
{
  (void)thread;
  __atomic_store_n((void **)slot, (void *)value, __ATOMIC_RELAXED);
}

/* *(void **)slot: a whole word; ordered before loads through the result. */
DUSK_INLINE void *dusk_load(const void *slot)
{
  return __atomic_load_n((void *const *)slot, DUSK_LOAD_ORDER);
}

/* If *slot is `expected`, makes it `desired` and returns true.  Acquires and
 * releases.  Never fails without cause. */
DUSK_INLINE bool dusk_cas(dusk_thread *thread, void *slot, void *expected,
                          void *desired)
{
  if (dusk_barrier_is_on(thread))
    return dusk_cas_slow(thread, slot, expected, desired);
  return __atomic_compare_exchange_n((void **)slot, &expected, desired, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* Makes *slot `value` and returns what it was.  Acquires and releases. */
DUSK_INLINE void *dusk_exchange(dusk_thread *thread, void *slot, void *value)
{
  if (dusk_barrier_is_on(thread))
    return dusk_exchange_slow(thread, slot, value);
  return __atomic_exchange_n((void **)slot, value, __ATOMIC_ACQ_REL);
}

/* memmove() of `words` pointer words; the ranges may overlap. */
DUSK_INLINE void dusk_copy(dusk_thread *thread, void *dst, const void *src,
                           size_t words)
{
  void **to = (void **)dst;
  void *const *from = (void *const *)src;
  if (dusk_barrier_is_on(thread)) {
    dusk_copy_slow(thread, dst, src, words);
  } else if ((uintptr_t)to - (uintptr_t)from >= words * sizeof(void *)) {
    for (size_t i = 0; i < words; i++)
      __atomic_store_n(&to[i], dusk_load(&from[i]), __ATOMIC_RELEASE);
  } else {
    for (size_t i = words; i-- > 0;)
      __atomic_store_n(&to[i], dusk_load(&from[i]), __ATOMIC_RELEASE);
  }
}

/* Makes `words` pointer words NULL. */
DUSK_INLINE void dusk_clear(dusk_thread *thread, void *dst, size_t words)
{
  void **to = (void **)dst;
  if (dusk_barrier_is_on(thread)) {
    dusk_clear_slow(thread, dst, words);
    return;
  }
  for (size_t i = 0; i < words; i++)
    __atomic_store_n(&to[i], (void *)0, __ATOMIC_RELAXED);
}

#ifdef __cplusplus
}
#endif

#endif
