/* SPDX-License-Identifier: MIT */
/* metrics.h -- all that a heap measures, by name */
#ifndef DUSK_REPORT_METRICS_H
#define DUSK_REPORT_METRICS_H

#include "collect/heap.h"
#include "report/buckets.h"

#include "dusk/metrics.h"

enum {
#define METRIC(type, path, unit, over, group, meaning, value) +1
  METRICS_COUNT = 0
#include "report/metrics.def"
#undef METRIC
};

/* A type's buckets, and those of all metrics. */
enum {
  METRICS_BUCKETS_count = 0,
  METRICS_BUCKETS_seconds = 0,
  METRICS_BUCKETS_ratio = 0,
  METRICS_BUCKETS_times = BUCKETS_TIMES,
  METRICS_BUCKETS_sizes = BUCKETS_SIZES,
  METRICS_BUCKETS_text = 0,
#define METRIC(type, path, unit, over, group, meaning, value)                  \
  +METRICS_BUCKETS_##type
  METRICS_BUCKETS = 0
#include "report/metrics.def"
#undef METRIC
};

/* The table; sorted by name. */
extern const dusk_metric metrics[METRICS_COUNT];

/* Its number in the table; METRICS_COUNT: there is none. */
size_t metrics_find(const char *name);

/* See dusk_metrics_read(). */
int metrics_read(struct dusk_heap *heap, dusk_metric_sample *samples,
                 size_t count);

#endif
