/* SPDX-License-Identifier: MIT */
/* openmetrics.h -- all metrics of a heap as text for Prometheus and its kin */
#ifndef DUSK_REPORT_OPENMETRICS_H
#define DUSK_REPORT_OPENMETRICS_H

#include "collect/heap.h"

enum openmetrics_form {
  OPENMETRICS_1_0,  /* OpenMetrics 1.0 */
  OPENMETRICS_0_0_4 /* what was before it: Prometheus's own text format */
};

/* See dusk_write_openmetrics(), dusk_write_prometheus(). */
int openmetrics_write(struct dusk_heap *heap, int fd,
                      enum openmetrics_form form);

#endif
