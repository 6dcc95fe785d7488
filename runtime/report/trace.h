/* SPDX-License-Identifier: MIT */
/* trace.h -- DUSK_TRACE=FILE: each cycle, and each delay of each thread
 *
 * A line of text for each record; dusk(7) lists them.  Lines are gathered in
 * memory of the trace's own, and written by the driver after each cycle. */
#ifndef DUSK_REPORT_TRACE_H
#define DUSK_REPORT_TRACE_H

#include "collect/heap.h"

struct trace;

/* Events that a thread's ring has room for: 160 KiB.  A thread has some ten
 * delays a cycle, and one for each of its assists, which come at most once a
 * span: two threads that churn 128 MiB had up to 1,800 a cycle. */
enum { TRACE_ROOM = 4096 };

/* Begins a trace of the heap, before its first thread attaches; "%p" in the
 * name stands for the process.  A file that cannot be opened costs a line on
 * stderr, and the heap is not traced. */
void trace_open(struct dusk_heap *heap, const char *name);

/* A cycle is over: what the threads were held up since the last one, too.  The
 * driver. */
void trace_cycle(struct dusk_heap *heap, const struct cycle_record *record);

/* The calling thread has left the registry, and its record is still its own. */
void trace_thread(struct dusk_heap *heap, struct dusk_thread *thread);

/* The trace's lock; NULL: there is no trace. */
struct lock *trace_lock(const struct dusk_heap *heap);

/* In the child of a fork: the trace is the parent's, and so is what has not
 * been written yet. */
void trace_drop(struct dusk_heap *heap);

/* The heap closes; the driver is gone.  NULL trace: nothing happens, as in the
 * two calls above. */
void trace_close(struct dusk_heap *heap);

#endif
