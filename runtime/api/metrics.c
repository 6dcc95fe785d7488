/* SPDX-License-Identifier: MIT */
/* metrics.c -- everything that a heap measures, by name and as text
 *
 * Tested by tests/api/metrics.c and tests/api/openmetrics.c. */
#include "api/caller.h"
#include "report/metrics.h"
#include "report/openmetrics.h"

#include <errno.h>

const dusk_metric *dusk_metrics_all(size_t *count)
{
  if (count)
    *count = METRICS_COUNT;
  return metrics;
}

const dusk_metric *dusk_metrics_describe(const char *name)
{
  size_t number = name ? metrics_find(name) : METRICS_COUNT;
  return number < METRICS_COUNT ? &metrics[number] : NULL;
}

int dusk_metrics_read(dusk_heap *heap, dusk_metric_sample *samples,
                      size_t count)
{
  return heap && samples ? metrics_read(heap, samples, count) : EINVAL;
}

/* The descriptor may be a slow one, for which no cycle should wait. */
static NOINLINE int write_outside(dusk_heap *heap, int fd, uintptr_t sp,
                                  enum openmetrics_form form)
{
  caller_wait_begin(heap, sp);
  int error = openmetrics_write(heap, fd, form);
  caller_wait_end();
  return error;
}

NOINLINE int dusk_write_openmetrics(dusk_heap *heap, int fd)
{
  return heap ? write_outside(heap, fd, CALLER_SP(), OPENMETRICS_1_0) : EINVAL;
}

NOINLINE int dusk_write_prometheus(dusk_heap *heap, int fd)
{
  return heap ? write_outside(heap, fd, CALLER_SP(), OPENMETRICS_0_0_4)
              : EINVAL;
}
