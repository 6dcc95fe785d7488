/* SPDX-License-Identifier: MIT */
/* heapprofile.h -- the heap profile and the lifetime profile, for pprof */
#ifndef DUSK_REPORT_HEAPPROFILE_H
#define DUSK_REPORT_HEAPPROFILE_H

#include "collect/heap.h"

/* What was allocated, and what was in use after the last cycle, by site.
 * Returns 0, ENOMEM, or why the descriptor does not take it. */
int heapprofile_write(struct dusk_heap *heap, int fd);

/* What has died, and after how many cycles, by site.  The same. */
int heapprofile_write_lifetimes(struct dusk_heap *heap, int fd);

#endif
