/* SPDX-License-Identifier: MIT */
/* metrics.h -- everything that a heap measures, by name
 *
 * As Go's runtime/metrics: a program asks for values by their names, so that it
 * can be built against any version of the library and take what is there.
 * Where Go's names and meanings apply they are used; what Go has no name for
 * begins with /dusk/.  dusk_metrics(7) lists them all. */
#ifndef DUSK_METRICS_H
#define DUSK_METRICS_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  DUSK_METRIC_BAD, /* there is no metric of that name */
  DUSK_METRIC_UINT64,
  DUSK_METRIC_FLOAT64,
  DUSK_METRIC_HISTOGRAM,
  DUSK_METRIC_TEXT,
} dusk_metric_kind;

/* A description; all of it lives as long as the library is loaded. */
typedef struct {
  const char *name;    /* "/gc/heap/live:bytes": a path, a colon, the unit */
  const char *unit;    /* the part behind the colon */
  const char *meaning; /* one line */
  const double *edges; /* of a histogram, its buckets + 1: bucket i counts what
                          is at least edges[i] and less than edges[i + 1]; the
                          first and the last edge may be infinite */
  dusk_metric_kind kind;
  uint32_t buckets;   /* of a histogram; else 0 */
  bool is_cumulative; /* it never falls as long as the heap is open */
} dusk_metric;

/* No histogram has more buckets. */
#define DUSK_METRIC_BUCKETS_MAX 192

/* A value that is asked for.  The caller sets the first three. */
typedef struct {
  const char *name;
  uint64_t
      *counts; /* a histogram's counts go here; NULL: they are not wanted */
  size_t room; /* for so many of them */
  dusk_metric_kind kind;
  union {
    uint64_t uint64;
    double float64;
    struct {
      const dusk_metric *description; /* its edges, and how many buckets */
      uint64_t total;                 /* of all counts */
      double sum;                     /* of what was counted, in the unit */
    } histogram;
    char text[32];
  } value;
} dusk_metric_sample;

/* All metrics, sorted by name; *count, unless NULL, is their number.  Any
 * thread. */
DUSK_API const dusk_metric *dusk_metrics_all(size_t *count);

/* The metric of that name; NULL: there is none.  Any thread. */
DUSK_API const dusk_metric *dusk_metrics_describe(const char *name);

/* Reads values.  Any thread, attached or not; stops nobody, allocates nothing,
 * and takes microseconds.  What is read in one call is as of one moment, as far
 * as dusk_read_memstats() is: identities that dusk_metrics(7) names hold.
 *
 * Returns 0; EINVAL: an argument is NULL; ENOENT: some name is unknown, and its
 * kind is DUSK_METRIC_BAD; ERANGE: some histogram has less room than buckets,
 * and none of its counts is written.  All other samples are filled then too. */
DUSK_API int dusk_metrics_read(dusk_heap *heap, dusk_metric_sample *samples,
                               size_t count);

/* Writes all metrics of a heap to a file descriptor, as OpenMetrics 1.0 text,
 * ready to be served as application/openmetrics-text.  /gc/heap/live:bytes is
 * dusk_gc_heap_live_bytes there; each has the label heap="N", the heap's number
 * in its process.  Any thread; stops nobody; a thread that is attached is as in
 * a blocking region meanwhile.
 *
 * Returns 0; EINVAL: the heap is NULL; ENOMEM: nothing was written; EIO: not
 * all could be written. */
DUSK_API int dusk_write_openmetrics(dusk_heap *heap, int fd);

/* The same in the older text format of Prometheus, version 0.0.4. */
DUSK_API int dusk_write_prometheus(dusk_heap *heap, int fd);

#ifdef __cplusplus
}
#endif

#endif
