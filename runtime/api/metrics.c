/* SPDX-License-Identifier: MIT */
/* metrics.c -- everything that a heap measures, by name and as text
 *
 * Tested by tests/api/metrics.c and tests/api/openmetrics.c. */
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

int dusk_write_openmetrics(dusk_heap *heap, int fd)
{
  return heap ? openmetrics_write(heap, fd, OPENMETRICS_1_0) : EINVAL;
}

int dusk_write_prometheus(dusk_heap *heap, int fd)
{
  return heap ? openmetrics_write(heap, fd, OPENMETRICS_0_0_4) : EINVAL;
}
