/* SPDX-License-Identifier: MIT */
/* fence.h -- memory that notices who writes to it (Linux on x86-64)
 *
 * Pages behind a fence cannot be written to.  A thread that does so all the
 * same is let through, one instruction at a time, and if it was not expected
 * to, the fence remembers where it did.  For DUSK_DEBUG=barriercheck=2 alone: a
 * store to such a page takes microseconds, and system calls cannot write to it
 * (EFAULT).
 *
 * A thread says itself what it is expected to write to; one that has never said
 * anything may write everywhere. */
#ifndef DUSK_OS_FENCE_H
#define DUSK_OS_FENCE_H

#include "base/compiler.h"

/* A store that nobody expected: a word that changed, and was or became an
 * address behind the fence. */
enum { FENCE_FRAMES = 16 };
struct fence_store {
  uintptr_t address;
  uintptr_t after;
  unsigned count;
  uintptr_t pcs[FENCE_FRAMES]; /* innermost first; each behind its call */
};

enum fence_guard {
  FENCE_WANTED,
  FENCE_UNWANTED, /* any store is good */
  FENCE_FAULT,    /* none is: the program has no business there */
};

/* Memory that may be fenced.  `guards` says what holds for an address now; it
 * is called in a signal handler.  false: not here, or no room. */
typedef enum fence_guard fence_guards(void *context, uintptr_t address);
WARN_UNUSED bool fence_open(uintptr_t start, size_t bytes, fence_guards *guards,
                            void *context);
void fence_close(uintptr_t start);

/* The pages of this range are fenced from now on. */
void fence_raise(uintptr_t start, size_t bytes);

/* The calling thread is expected to write to this range, and no longer to the
 * one that it named before. */
void fence_expect(uintptr_t start, size_t bytes);

/* The same for a range that it fills, beside that one.  Pages that have nothing
 * else in them are open until they are fenced again.  0 bytes: none. */
void fence_fill(uintptr_t start, size_t bytes);

/* The calling thread may write everywhere, or not; returns what it might. */
bool fence_let(bool everywhere);

/* The last unexpected store that left `after` at `address`; false: none, or it
 * is forgotten. */
bool fence_find(uintptr_t address, uintptr_t after, struct fence_store *store);

/* For a fork, which must not find regions half entered: nobody opens or closes
 * one until it is over. */
void fence_hold(void);
void fence_let_go(void);
void fence_renew(void); /* in the child, instead */

#endif
