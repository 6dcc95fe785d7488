/* SPDX-License-Identifier: MIT */
/* thread.h -- mutators: attach, safepoints, blocking regions
 *
 * The collector never interrupts a thread.  It asks each one for short steps,
 * which the thread serves at its own safepoints: every allocation is one, and
 * so is every call in this header, but for a dusk_mutex_lock() that need not
 * wait.  Stacks and registers are scanned conservatively: a C local is a root,
 * with nothing to declare.
 *
 * A loop that does not allocate calls dusk_safepoint(); a call that may block
 * sits in a blocking region.  A thread that does neither delays the running
 * cycle, and no other thread; after a while (DUSK_DEBUG=slowsafepoint=MS, 10 s
 * by default, 0: never) it is named on stderr with its stack. */
#ifndef DUSK_THREAD_H
#define DUSK_THREAD_H

#include "dusk/abi.h"
#include "dusk/types.h"

#include <pthread.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Attaches the calling pthread to a heap, at any moment of a cycle.
 *
 * The pthread must run on the stack that the system gave it.  A pthread that
 * ends while attached is detached by its exit.  Returns 0 and the handle in
 * *thread; EINVAL (heap or thread is NULL), EBUSY (this pthread is attached to
 * this heap already), ENOMEM, EAGAIN (the process has no pthread key left), or
 * what pthread_getattr_np() says.  The handle belongs to the heap and is valid
 * until dusk_detach(). */
DUSK_API int dusk_attach(dusk_heap *heap, dusk_thread **thread);

/* Detaches the calling pthread.  Objects that only its stack kept are garbage
 * from here on.  On the pthread that attached, outside blocking regions.  A
 * NULL, detached or foreign handle: one line on stderr, and nothing changes. */
DUSK_API void dusk_detach(dusk_thread *thread);

DUSK_API void dusk_safepoint_slow(dusk_thread *thread);

/* Serves the collector if it asks for something: one load, one branch. */
DUSK_INLINE void dusk_safepoint(dusk_thread *thread)
{
  if (DUSK_UNLIKELY(__atomic_load_n(&dusk_abi(thread)->poll, __ATOMIC_RELAXED)))
    dusk_safepoint_slow(thread);
}

/* From dusk_blocking_begin() to dusk_blocking_end() the thread touches no heap
 * object, allocates nothing and may wait as long as it likes; its stack, as it
 * stood at the begin, still keeps objects alive.  dusk_blocking_end() waits
 * for the collector if that is copying the stack (microseconds).  Regions do
 * not nest: a begin inside one, or an end outside, prints a line on stderr and
 * changes nothing. */
DUSK_API void dusk_blocking_begin(dusk_thread *thread);
DUSK_API void dusk_blocking_end(dusk_thread *thread);

/* pthread_mutex_lock(), pthread_cond_wait() and pthread_cond_timedwait() that
 * enter a blocking region when, and only when, they must wait; inside one they
 * are the pthread function.  Return what that returns. */
DUSK_API int dusk_mutex_lock(dusk_thread *thread, pthread_mutex_t *mutex);
DUSK_API int dusk_cond_wait(dusk_thread *thread, pthread_cond_t *cond,
                            pthread_mutex_t *mutex);
DUSK_API int dusk_cond_timedwait(dusk_thread *thread, pthread_cond_t *cond,
                                 pthread_mutex_t *mutex,
                                 const struct timespec *deadline);

#ifdef __cplusplus
}
#endif

#endif
