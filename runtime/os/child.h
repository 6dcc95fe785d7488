/* SPDX-License-Identifier: MIT */
/* child.h -- a copy of this process, which looks at memory as it was
 *
 * Not a fork() as the program knows it: no handler of pthread_atfork() runs,
 * neither ours nor the program's, no signal tells of its end, and a program
 * that waits for its children does not meet it.  Its one thread is the caller's
 * copy.  Locks that others held are held for ever, malloc's among them: it may
 * take none, and so calls nothing of the C library but what a signal handler
 * may.  errno is never changed. */
#ifndef DUSK_OS_CHILD_H
#define DUSK_OS_CHILD_H

#include "base/compiler.h"

/* As fork() and waitpid(): -1 and errno when refused. */
struct child_table {
  int (*begin)(void);
  int (*wait)(int child, int *status);
};
extern struct child_table child_system;

/* 0 in the child; its number in the parent, or a negative errno value: EAGAIN
 * (too many processes), ENOMEM. */
WARN_UNUSED int child_begin(void);

/* The calling thread is inside child_begin(), for handlers of fork(). */
bool child_begins(void);

/* The child, first of all: of the program's files it keeps `file` and stderr,
 * of its handlers of signals none; and it does not press for the processor. */
void child_settle(int file);

/* The child: unless it says so again, it ends after so many seconds; 0: it may
 * take its time. */
void child_expect(unsigned seconds);

/* The child: at once, and with nothing that is done at exit. */
_Noreturn void child_end(int status);

/* Waits for the child's end, any thread.  false: it did not end of itself with
 * status 0, or nobody knows. */
bool child_wait(int child);

/* Memory, all zero, that a child has in common with this process.  NULL:
 * refused. */
WARN_UNUSED void *child_share(size_t bytes);
void child_unshare(void *start, size_t bytes);

#endif
