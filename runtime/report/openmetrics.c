/* SPDX-License-Identifier: MIT */
/* openmetrics.c -- all metrics of a heap as text for Prometheus and its kin
 *
 *   the table --> descriptions --+
 *   the heap  --> one reading ---+--> text --> descriptor
 *
 * A name is the metric's with what is no letter or digit as "_", and "dusk_" in
 * front, once: /gc/heap/live:bytes is dusk_gc_heap_live_bytes.
 *
 * The two forms differ in three places: OpenMetrics describes a counter by its
 * name without "_total", has a line with the unit, and one that ends the text.
 *
 * HISTOGRAMS  A bound in the text is the largest value in the bucket, ours are
 * the smallest beyond it; both are whole numbers, of ns or bytes, so one less
 * is the same bound exactly.  Of times every fourth bound is written, one for
 * each doubling: a server keeps a series for each.
 *
 * Numbers are put together here and not by printf(), which asks the program's
 * locale for the point.
 *
 * Tested by tests/api/openmetrics.c, which has a strict reader of its own. */
#include "report/openmetrics.h"

#include "os/block.h"
#include "os/file.h"
#include "report/buckets.h"
#include "report/metrics.h"

#include <errno.h>
#include <string.h>

enum {
  TEXT_BYTES = 16 * 1024,
  NAME_BYTES = 96, /* of a metric here, longer than any */
  UNIT_BYTES = 32,
};

struct page {
  int fd;
  enum openmetrics_form form;
  int error;       /* of the first write that was refused; nothing follows it */
  char number[20]; /* the heap's, in digits */
  size_t length;
  char text[TEXT_BYTES];
  dusk_metric_sample samples[METRICS_COUNT];
  uint64_t counts[METRICS_BUCKETS]; /* of all histograms, in turn */
};

/* ---- text ---- */

static void flush(struct page *page)
{
  if (!page->error && page->length)
    page->error = -file_write(page->fd, page->text, page->length);
  page->length = 0;
}

static void put_char(struct page *page, char c)
{
  if (page->length == TEXT_BYTES)
    flush(page);
  page->text[page->length++] = c;
}

static void put(struct page *page, const char *text)
{
  while (*text)
    put_char(page, *text++);
}

static void put_digits(struct page *page, uint64_t number, unsigned least)
{
  char digits[20];
  unsigned count = 0;
  do
    digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (least-- > count)
    put_char(page, '0');
  while (count)
    put_char(page, digits[--count]);
}

/* The largest number stands for one that has no bound. */
static void put_count(struct page *page, uint64_t number)
{
  if (number == UINT64_MAX)
    put(page, "+Inf");
  else
    put_digits(page, number, 1);
}

/* In units of 1e-9. */
static void put_nanos(struct page *page, uint64_t nanos)
{
  put_digits(page, nanos / 1000000000, 1);
  put_char(page, '.');
  put_digits(page, nanos % 1000000000, 9);
}

static void put_float(struct page *page, double number)
{
  put_nanos(page, (uint64_t)(number * 1e9 + 0.5));
}

/* What a thread is called may be anything. */
static void put_label_value(struct page *page, const char *text)
{
  for (; *text; text++) {
    bool is_plain = *text >= ' ' && *text <= '~';
    if (*text == '"' || *text == '\\')
      put_char(page, '\\');
    put_char(page, is_plain ? *text : '?');
  }
}

/* ---- names ---- */

static void make_name(char name[NAME_BYTES], const char *metric)
{
  const char prefix[] = "/dusk/";
  size_t length = strlen(prefix) - 1;
  if (!strncmp(metric, prefix, sizeof prefix - 1))
    metric += sizeof prefix - 1;
  else
    metric++;
  memcpy(name, "dusk_", length);
  for (; *metric && length < NAME_BYTES - 1; metric++, length++) {
    bool is_letter = (*metric >= 'a' && *metric <= 'z') ||
                     (*metric >= '0' && *metric <= '9');
    name[length] = is_letter ? *metric : '_';
  }
  name[length] = '\0';
}

static const char *total(const dusk_metric *metric)
{
  bool is_counter =
      metric->is_cumulative && metric->kind != DUSK_METRIC_HISTOGRAM;
  return is_counter ? "_total" : "";
}

static void describe(struct page *page, const char *name,
                     const dusk_metric *metric, const char *keyword,
                     const char *text)
{
  put(page, "# ");
  put(page, keyword);
  put_char(page, ' ');
  put(page, name);
  if (page->form == OPENMETRICS_0_0_4)
    put(page, total(metric));
  put_char(page, ' ');
  put(page, text);
  put_char(page, '\n');
}

/* A name ends in its unit; that of processor time is the second. */
static void put_unit(struct page *page, const char *name,
                     const dusk_metric *metric)
{
  char unit[UNIT_BYTES];
  size_t length = 0;
  if (metric->kind == DUSK_METRIC_TEXT || page->form != OPENMETRICS_1_0)
    return;
  const char *from = metric->kind == DUSK_METRIC_FLOAT64 &&
                             !strcmp(metric->unit, "cpu-seconds")
                         ? "seconds"
                         : metric->unit;
  for (; from[length] && length < UNIT_BYTES - 1; length++)
    unit[length] = from[length] == '-' ? '_' : from[length];
  unit[length] = '\0';
  describe(page, name, metric, "UNIT", unit);
}

static void begin_family(struct page *page, const char *name,
                         const dusk_metric *metric)
{
  const char *type = metric->kind == DUSK_METRIC_HISTOGRAM ? "histogram"
                     : metric->is_cumulative               ? "counter"
                                                           : "gauge";
  describe(page, name, metric, "TYPE", type);
  put_unit(page, name, metric);
  describe(page, name, metric, "HELP", metric->meaning);
}

/* ---- samples ---- */

/* The line up to the labels' end, which the caller may add to. */
static void begin_sample(struct page *page, const char *name,
                         const char *suffix)
{
  put(page, name);
  put(page, suffix);
  put(page, "{heap=\"");
  put(page, page->number);
  put_char(page, '"');
}

static void put_bucket(struct page *page, const char *name, bool is_time,
                       double below, uint64_t count)
{
  begin_sample(page, name, "_bucket");
  put(page, ",le=\"");
  if (below > 1e18) /* infinite */
    put(page, "+Inf");
  else if (is_time)
    put_nanos(page, (uint64_t)(below * 1e9 + 0.5) - 1);
  else {
    put_count(page, (uint64_t)below - 1);
    put(page, ".0");
  }
  put(page, "\"} ");
  put_count(page, count);
  put_char(page, '\n');
}

static void put_histogram(struct page *page, const char *name,
                          const dusk_metric *metric,
                          const dusk_metric_sample *sample)
{
  bool is_time = metric->edges == buckets_times;
  uint64_t count = 0;
  for (unsigned i = 0; i < metric->buckets; i++) {
    bool is_last = i == metric->buckets - 1;
    count += sample->counts[i];
    if (!is_time || is_last || (i && i % (1 << HISTOGRAM_SUB_LOG2) == 0))
      put_bucket(page, name, is_time, metric->edges[i + 1], count);
  }
  begin_sample(page, name, "_count");
  put(page, "} ");
  put_count(page, count);
  put_char(page, '\n');
  begin_sample(page, name, "_sum");
  put(page, "} ");
  put_float(page, sample->value.histogram.sum);
  put_char(page, '\n');
}

static void put_sample(struct page *page, const dusk_metric *metric,
                       const dusk_metric_sample *sample)
{
  char name[NAME_BYTES];
  make_name(name, metric->name);
  begin_family(page, name, metric);
  if (metric->kind == DUSK_METRIC_HISTOGRAM) {
    put_histogram(page, name, metric, sample);
    return;
  }
  begin_sample(page, name, total(metric));
  if (metric->kind == DUSK_METRIC_TEXT) {
    put(page, ",name=\"");
    put_label_value(page, sample->value.text);
    put_char(page, '"');
  }
  put(page, "} ");
  if (metric->kind == DUSK_METRIC_UINT64)
    put_count(page, sample->value.uint64);
  else if (metric->kind == DUSK_METRIC_FLOAT64)
    put_float(page, sample->value.float64);
  else
    put_count(page, 1);
  put_char(page, '\n');
}

static void ask_for_all(struct page *page)
{
  size_t at = 0;
  for (size_t i = 0; i < METRICS_COUNT; at += metrics[i].buckets, i++)
    page->samples[i] = (dusk_metric_sample){.name = metrics[i].name,
                                            .counts = page->counts + at,
                                            .room = metrics[i].buckets};
}

int openmetrics_write(struct dusk_heap *heap, int fd,
                      enum openmetrics_form form)
{
  struct page *page = block_make(sizeof *page);
  if (!page)
    return ENOMEM;
  page->fd = fd;
  page->form = form;
  put_digits(page, heap->number, 1);
  memcpy(page->number, page->text, page->length); /* the rest is zero */
  page->length = 0;
  ask_for_all(page);
  metrics_read(heap, page->samples, METRICS_COUNT); /* all are there */
  for (size_t i = 0; i < METRICS_COUNT; i++)
    put_sample(page, &metrics[i], &page->samples[i]);
  if (form == OPENMETRICS_1_0)
    put(page, "# EOF\n");
  flush(page);
  int error = page->error ? EIO : 0;
  block_free(page);
  return error;
}
