/* SPDX-License-Identifier: MIT */
/* timeline.h -- what the collector and the threads did, and when
 *
 * While a recording is on, each thread notes what it does for the collector in
 * a ring of its own, which keeps what is newest.  The rings can be written to a
 * file at any time: ui.perfetto.dev, chrome://tracing and other viewers show
 * it. */
#ifndef DUSK_TIMELINE_H
#define DUSK_TIMELINE_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begins to record, with a ring of this many bytes for each thread, those of
 * the collector included; 0: 256 KiB, which is some 6,500 events.  What was
 * recorded before is forgotten.  If it is recorded already, that goes on, with
 * rings of this size at least.
 *
 * Any thread.  Returns 0; EINVAL (a NULL heap; bytes, but fewer than 1 KiB or
 * more than 1 GiB), ENOMEM (nothing is recorded).  A thread that attaches later
 * and finds no memory for a ring is left out.  The rings are kept until the
 * heap is closed.  The child of a fork records nothing until it asks for it. */
DUSK_API int dusk_timeline_start(dusk_heap *heap, size_t bytes_per_thread);

/* Ends the recording; what it holds can still be written. */
DUSK_API void dusk_timeline_stop(dusk_heap *heap);

/* Writes what the rings hold to the file descriptor `fd`, as JSON in Chrome's
 * Trace Event Format.  dusk_timeline_start(3) lists what there is.
 *
 * Any thread, attached or not; stops nobody.  An attached thread is served
 * meanwhile as in a blocking region.  Returns 0; EINVAL (a NULL heap), ENOMEM
 * or EIO (the text ends early). */
DUSK_API int dusk_write_timeline(dusk_heap *heap, int fd);

#ifdef __cplusplus
}
#endif

#endif
