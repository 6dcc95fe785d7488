/* SPDX-License-Identifier: MIT */
/* scavtrace.h -- DUSK_DEBUG=scavtrace=1: a line when memory was returned */
#ifndef DUSK_REPORT_SCAVTRACE_H
#define DUSK_REPORT_SCAVTRACE_H

#include "collect/heap.h"

/* Room for a line and its end. */
enum { SCAVTRACE_LINE = 160 };

/* Writes the line, with its newline; returns its length.  `since` is what was
 * returned since the last line. */
size_t scavtrace_format(char line[SCAVTRACE_LINE],
                        const struct scavenged *since,
                        const struct pages_figures *pages);

/* Writes it to stderr, in one piece, if anything was returned since the last
 * one.  The driver. */
void scavtrace_print(struct dusk_heap *heap);

#endif
