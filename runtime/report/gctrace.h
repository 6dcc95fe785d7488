/* SPDX-License-Identifier: MIT */
/* gctrace.h -- DUSK_DEBUG=gctrace=1: a line for each cycle, in Go's form */
#ifndef DUSK_REPORT_GCTRACE_H
#define DUSK_REPORT_GCTRACE_H

#include "collect/heap.h"

/* Room for a line and its end. */
enum { GCTRACE_LINE = 512 };

/* What the line needs besides the cycle's record. */
struct gctrace_context {
  uint64_t opened_ns;  /* when the heap was opened, as record->start_ns */
  double cpu_fraction; /* of the processors since then, 0 to 1 */
  unsigned processors;
};

/* Writes the line, with its newline; returns its length. */
size_t gctrace_format(char line[GCTRACE_LINE],
                      const struct cycle_record *record,
                      const struct gctrace_context *context);

/* Writes it to stderr, in one piece. */
void gctrace_print(const struct dusk_heap *heap,
                   const struct cycle_record *record, double cpu_fraction);

#endif
