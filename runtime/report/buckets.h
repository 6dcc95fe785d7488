/* SPDX-License-Identifier: MIT */
/* buckets.h -- where the buckets of histograms begin and end, in their unit */
#ifndef DUSK_REPORT_BUCKETS_H
#define DUSK_REPORT_BUCKETS_H

#include "event/counters.h"
#include "event/histogram.h"

enum {
  BUCKETS_TIMES = HISTOGRAM_BUCKETS,
  BUCKETS_SIZES = DUSK_SIZE_CLASSES + 1, /* and the large ones */
};

extern const double buckets_times[BUCKETS_TIMES + 1]; /* seconds */
extern const double buckets_sizes[BUCKETS_SIZES + 1]; /* bytes */

#endif
