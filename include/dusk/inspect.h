/* SPDX-License-Identifier: MIT */
/* inspect.h -- what a heap holds, and why */
#ifndef DUSK_INSPECT_H
#define DUSK_INSPECT_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Collects, and writes to the file descriptor `fd` a text that says what is
 * alive through one place alone: a frame of some thread's stack, its registers,
 * a root, or a word of a conservative object; with the bytes that would be
 * freed were that place cleared.  The largest come first.
 *
 * The attached thread, outside blocking regions; a safepoint.  Unlike anything
 * else in this library it lets all threads of the heap wait at a safepoint
 * until the text is written: a report for a programmer, not for a program at
 * work.  Names of functions need a library built with libunwind, lines
 * addr2line.
 *
 * Returns 0; EINVAL (the thread may not call this; a line on stderr says why),
 * ENOMEM (no memory for its tables: nothing is written), EIO (not all could be
 * written). */
DUSK_API int dusk_retention_report(dusk_thread *thread, int fd);

/* Collects, and writes to `fd` all objects that are alive and what names them,
 * as a .heapsnapshot: JSON that Chrome's developer tools open, and `dusk-lab
 * heap`.  Nobody is stopped: at the end of the cycle's marking each thread
 * notes what it holds, at a safepoint of its own, and a copy of the process,
 * made as by fork(), reads the heap while the program goes on; the caller waits
 * for it, as in a blocking region.
 *
 * Any thread, attached or not; not a function that the collector calls.
 *
 * Returns 0; EINVAL (no heap, or the collector's own thread), EAGAIN (no
 * process can be made), ENOMEM, EIO (not all could be written, or the copy
 * ended before). */
DUSK_API int dusk_write_snapshot(dusk_heap *heap, int fd);

/* The same way of looking, for one object: writes to `fd` in a few lines
 * through which root and objects it is reached, on a shortest path; or that it
 * is not alive, or `pointer` no address in the heap.  Roots come before stacks,
 * and the caller's own stack, where the pointer stands, comes last. */
DUSK_API int dusk_why_alive(dusk_heap *heap, const void *pointer, int fd);

#ifdef __cplusplus
}
#endif

#endif
