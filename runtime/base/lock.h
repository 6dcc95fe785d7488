/* SPDX-License-Identifier: MIT */
/* lock.h -- mutexes with a rank
 *
 * A thread takes locks in the order of this table, never two of one rank.
 * Checked builds (--enable-checks) abort on the first acquisition out of
 * order, naming both, whether or not it would have deadlocked that time. */
#ifndef DUSK_BASE_LOCK_H
#define DUSK_BASE_LOCK_H

#include "base/compiler.h"

#include <pthread.h>

#define LOCK_RANKS(X)                                                          \
  X(process)  /* the heaps and budgets that are open */                        \
  X(member)   /* a heap's being in a budget */                                 \
  X(budget)   /* the heaps of a budget, and their shares */                    \
  X(control)  /* who runs a cycle next; the pacer */                           \
  X(trace)    /* the trace's text and file */                                  \
  X(registry) /* the list of attached threads, and posting a handshake */      \
  X(roots)    /* the root set */                                               \
  X(kinds)    /* defining a kind */                                            \
  X(central)  /* one span class's list of spans with free slots */             \
  X(pages)    /* free pages, heap growth */                                    \
  X(grey)     /* growth of the packet store */                                 \
  X(history)  /* the record of past cycles */                                  \
  X(calls)    /* functions of the program that are called */                   \
  X(profile)  /* sums of sampled objects, and those that live */               \
  X(samples)  /* sampled objects that were not looked at yet */

enum lock_rank {
#define X(name) RANK_##name,
  LOCK_RANKS(X)
#undef X
};

struct lock {
  pthread_mutex_t mutex;
  enum lock_rank rank;
};

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_destroy(struct lock *lock);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);

/* false: somebody has it. */
WARN_UNUSED bool lock_try(struct lock *lock);

/* For a fork, which must find every lock in its own hands: takes it in whatever
 * order, and keeps no record of it.  The parent gives it back; in the child it
 * is made anew, free. */
void lock_seize(struct lock *lock);
void lock_give_back(struct lock *lock);
void lock_renew(struct lock *lock);

/* Does the calling thread hold a lock of this rank?  Always true in unchecked
 * builds: for CHECK() alone. */
bool lock_rank_is_held(enum lock_rank rank);

/* For who runs several threads' steps on one pthread: the ranks that the one
 * holds who goes on from here, for those of the one who went until now. */
unsigned lock_swap_held(unsigned held);

#endif
