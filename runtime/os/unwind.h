/* SPDX-License-Identifier: MIT */
/* unwind.h -- stacks as program counters, and their names (libunwind)
 *
 * Without libunwind (--without-libunwind) the captures return 0.  errno is
 * never changed. */
#ifndef DUSK_OS_UNWIND_H
#define DUSK_OS_UNWIND_H

#include "base/compiler.h"
#include <pthread.h>

/* The calling thread's stack, innermost first, from the function that called
 * this; returns how many were written, 64 at most.  Each is a return address:
 * it points behind the call. */
unsigned unwind_here(uintptr_t *pcs, unsigned capacity);

/* The same from the frame on that `caller` returns to, where the program called
 * us; 0, or a frame that is not found: with all of ours. */
unsigned unwind_program(uintptr_t caller, uintptr_t *pcs, unsigned capacity);

/* The same with each frame's stack pointer: a word of the stack belongs to the
 * last frame whose sp is at or below it. */
struct frame {
  uintptr_t pc;
  uintptr_t sp;
};
unsigned unwind_frames(struct frame *frames, unsigned capacity);

/* In a signal handler: the stack that it interrupted, from its context on.  The
 * innermost is where the thread stood, the others are return addresses. */
unsigned unwind_interrupted(void *context, uintptr_t *pcs, unsigned capacity);

/* Another thread's stack, for a report about a thread that does not answer: a
 * signal (SIGURG, ignored by default; its action is put back) makes it unwind
 * itself.  Waits up to 100 ms; 0: it did not answer, or has no stack to show.
 * 0 at once if the program handles SIGURG itself: its signals stay its own.
 * At most 64 are written, the innermost first; that one is exact, the others
 * are return addresses.  Like any signal, this one may end a system call of
 * that thread with EINTR.  The thread must not have been joined.  One call at a
 * time; safe to call from several threads. */
unsigned unwind_thread(pthread_t thread, uintptr_t *pcs, unsigned capacity);

/* "function+0x12 (library)" of a return address; "+0x3456 (library)", where in
 * the library's file it is, if the function has no name; or its number in
 * hex. */
void unwind_name(uintptr_t pc, char *name, size_t size);

/* For a fork: libunwind has locks, and in the child nobody would give back
 * those of another thread.  Shut, no thread is inside any of the captures, and
 * who wants to waits; the calling thread may.  Then exactly one of the other
 * two. */
void unwind_shut(void);
void unwind_reopen(void);          /* in the parent */
void unwind_reopen_in_child(void); /* where no other thread is left */

#endif
