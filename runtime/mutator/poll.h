/* SPDX-License-Identifier: MIT */
/* poll.h -- serving handshakes, and the regions in which others serve */
#ifndef DUSK_MUTATOR_POLL_H
#define DUSK_MUTATOR_POLL_H

#include "mutator/registry.h"
#include "os/scrub.h"

/* Serves the round that is posted, if this thread has not served it.  At a
 * safepoint: no barrier between its first read and its store, no object between
 * allocation and initialisation. */
void poll_serve(struct dusk_thread *thread);

static inline void poll_check(struct dusk_thread *thread)
{
  if (UNLIKELY(LOAD_RELAXED(&thread->abi.poll)))
    poll_serve(thread);
}

/* DUSK_DEBUG=checkmark: what a later call finds in its frame before it has
 * written there must not look like a pointer that this cycle has not seen.
 * Done at H2; by who goes outside, whom the collector serves there; and after
 * library code that has handled addresses of free slots and spans. */
static inline void poll_scrub(const struct dusk_thread *thread)
{
  if (UNLIKELY(thread->registry->scrubs))
    scrub_stack(thread->stack_low);
}

/* A blocking region; the thread is IN_HEAP before and after.  `sp` is the stack
 * pointer of a caller further out whose frame lasts as long as the region.  The
 * frames in between may be left: they hold that caller's registers, and are
 * kept as they are now. */
void poll_go_outside(struct dusk_thread *thread, uintptr_t sp);
void poll_come_back(struct dusk_thread *thread);

/* The collector: serves the thread if it is outside; true: it did, or the
 * thread has served already. */
bool poll_serve_outside(struct registry *registry, struct dusk_thread *thread);

/* The collector: keeps the thread SERVED if it is outside, so that it waits
 * when it comes back; and lets it go on.  For inspect/halt.c alone. */
WARN_UNUSED bool poll_hold_outside(struct dusk_thread *thread);
void poll_let_go_outside(struct dusk_thread *thread);

#endif
