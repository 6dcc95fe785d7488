/* SPDX-License-Identifier: MIT */
/* atomic.h -- one name an access, with the order in the name
 *
 * The access is marked, not the object: a field says in its comment who may
 * touch it, and each access that is shared says how.  A non-relaxed access
 * names its partner where it stands.  There are no fences: ThreadSanitizer
 * does not see them.  Built on the compiler's __atomic family, because public
 * headers, which C++ reads too, share words with these. */
#ifndef DUSK_BASE_ATOMIC_H
#define DUSK_BASE_ATOMIC_H

#include "base/compiler.h"

#define LOAD_RELAXED(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define LOAD_ACQUIRE(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define STORE_RELAXED(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define STORE_RELEASE(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define ADD_RELAXED(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define SUB_RELAXED(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
#define SUB_RELEASE(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELEASE)
#define OR_RELAXED(p, v) __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define OR_RELEASE(p, v) __atomic_fetch_or((p), (v), __ATOMIC_RELEASE)
#define AND_RELAXED(p, v) __atomic_fetch_and((p), (v), __ATOMIC_RELAXED)

/* Compare and swap; on failure *expected is what was found. */
#define CAS_RELEASE(p, expected, v)                                            \
  __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_RELEASE,   \
                              __ATOMIC_RELAXED)
#define CAS_ACQUIRE(p, expected, v)                                            \
  __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQUIRE,   \
                              __ATOMIC_RELAXED)
#define CAS_ACQ_REL(p, expected, v)                                            \
  __atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_ACQ_REL,   \
                              __ATOMIC_ACQUIRE)

/* A counter with one writer and any readers: no locked instruction. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
  STORE_RELAXED(counter, LOAD_RELAXED(counter) + n);
}

#endif
