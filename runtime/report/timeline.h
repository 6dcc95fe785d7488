/* SPDX-License-Identifier: MIT */
/* timeline.h -- what a recording holds, for a trace viewer */
#ifndef DUSK_REPORT_TIMELINE_H
#define DUSK_REPORT_TIMELINE_H

#include "collect/heap.h"

/* Writes the heap's recording (collect/recording.h) as Chrome's trace events in
 * JSON.  Any thread, while others record; stops nobody.  Returns 0, ENOMEM or
 * EIO. */
WARN_UNUSED int timeline_write(struct dusk_heap *heap, int fd);

#endif
