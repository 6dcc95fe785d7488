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

#ifdef __cplusplus
}
#endif

#endif
