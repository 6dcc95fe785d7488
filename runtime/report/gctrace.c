/* SPDX-License-Identifier: MIT */
/* gctrace.c -- DUSK_DEBUG=gctrace=1: a line for each cycle, in Go's form
 *
 *   gc N @Ts P%: a+b+c ms clock, d+e/f/g+h ms cpu, H0->H1->H2 MB, G MB goal,
 *   S MB stacks, L MB globals, n P (forced)
 *
 * so that tools made for Go's lines read ours.  Dusk has no pauses of the whole
 * program: a and c, and d and h, are the longest service of any one thread
 * before marking and after it.
 *
 * Runs on the driver.  Tested by tests/unit/gctrace.c. */
#include "report/gctrace.h"

#include "os/file.h"

#include <stdio.h>
#include <unistd.h>

enum { MICROSECOND = 1000, SECOND = 1000000000 };

/* Milliseconds as Go prints them: 0 as "0", from 10 ms on whole, below that two
 * significant digits and at most three decimals; cut off, never rounded. */
static const char *format_ms(char *text, size_t size, uint64_t ns)
{
  unsigned long long us = ns / MICROSECOND;
  unsigned long long whole = us / 1000, part = us % 1000;
  if (us == 0 || us >= 10000)
    snprintf(text, size, "%llu", whole);
  else if (us >= 1000)
    snprintf(text, size, "%llu.%llu", whole, part / 100);
  else if (us >= 100)
    snprintf(text, size, "0.%02llu", part / 10);
  else
    snprintf(text, size, "0.%03llu", part);
  return text;
}

static unsigned long long megabytes(uint64_t bytes)
{
  return bytes >> 20;
}

size_t gctrace_format(char line[GCTRACE_LINE],
                      const struct cycle_record *record,
                      const struct gctrace_context *context)
{
  char ms[8][32];
  uint64_t pause[2] = {record->pause_ns[0], record->pause_ns[1]};
  double at = (double)(record->start_ns - context->opened_ns) / SECOND;
  int length = snprintf(
      line, GCTRACE_LINE,
      "gc %llu @%.3fs %d%%: %s+%s+%s ms clock, %s+%s/%s/%s+%s ms cpu, "
      "%llu->%llu->%llu MB, %llu MB goal, %llu MB stacks, %llu MB globals, "
      "%u P%s\n",
      (unsigned long long)record->number, at,
      (int)(100 * context->cpu_fraction),
      format_ms(ms[0], sizeof ms[0], pause[0]),
      format_ms(ms[1], sizeof ms[1], record->end_ns - record->mark_ns),
      format_ms(ms[2], sizeof ms[2], pause[1]),
      format_ms(ms[3], sizeof ms[3], pause[0]),
      format_ms(ms[4], sizeof ms[4], record->assist_ns),
      format_ms(ms[5], sizeof ms[5], record->worker_ns),
      format_ms(ms[6], sizeof ms[6], record->idle_ns),
      format_ms(ms[7], sizeof ms[7], pause[1]),
      megabytes(record->live_at_start), megabytes(record->live_at_end),
      megabytes(record->marked), megabytes(record->goal),
      megabytes(record->stack_bytes), megabytes(record->root_bytes),
      context->processors, record->forced ? " (forced)" : "");
  return length < GCTRACE_LINE ? (size_t)length : GCTRACE_LINE - 1;
}

void gctrace_print(const struct dusk_heap *heap,
                   const struct cycle_record *record, double cpu_fraction)
{
  char line[GCTRACE_LINE];
  struct gctrace_context context = {
      .opened_ns = heap->collector.opened_ns,
      .cpu_fraction = cpu_fraction,
      .processors = heap->collector.processors,
  };
  size_t length = gctrace_format(line, record, &context);
  file_write(STDERR_FILENO, line, length); /* no matter if it is refused */
}
