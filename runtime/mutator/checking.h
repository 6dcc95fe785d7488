/* SPDX-License-Identifier: MIT */
/* checking.h -- DUSK_DEBUG=barriercheck: telling the shadow what is stored
 *
 * THE FRESH OBJECT.  What a thread allocated last it fills as it likes, with
 * dusk_init() or plain stores, until it allocates again, stores elsewhere
 * through the library, or comes to a safepoint.  From then on, what is in the
 * object counts as announced, and nothing else does. */
#ifndef DUSK_MUTATOR_CHECKING_H
#define DUSK_MUTATOR_CHECKING_H

#include "mutator/thread.h"

static inline bool checking_is_on(const struct dusk_thread *thread)
{
  return UNLIKELY(thread->abi.barrier & BARRIER_CHECK);
}

/* The thread has been given an object; it is the fresh one. */
void checking_begin(struct dusk_thread *thread, uintptr_t object);

/* The fresh object's content counts. */
void checking_settle(struct dusk_thread *thread);

/* The library itself writes to the heap, for the thread; or no longer. */
void checking_let(struct dusk_thread *thread, bool everywhere);

/* The thread is about to store so many words. */
void checking_expect(struct dusk_thread *thread, void *slot, size_t words);

/* What it stores, or has just stored, where it was expected to; and both for
 * several. */
void checking_note(struct dusk_thread *thread, void *slot, const void *value);
void checking_note_words(struct dusk_thread *thread, void **slots,
                         void *const *values, size_t words);

#endif
