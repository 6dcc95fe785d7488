/* SPDX-License-Identifier: MIT */
/* progress.c -- how far the work is, on stderr; see progress.h */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void progress_print(const struct progress *progress)
{
  char left[48] = "";
  double seconds = progress->left_s - (seconds_now() - progress->begun_s);
  if (progress->left_s >= 0 && seconds >= 90)
    snprintf(left, sizeof left, ", about %.0f min left", seconds / 60);
  else if (progress->left_s >= 0)
    snprintf(left, sizeof left, ", about %.0f s left",
             seconds > 1 ? seconds : 1);
  fprintf(stderr, "%s%u of %u done: %s%s%s", progress->terminal ? "\r" : "",
          progress->done, progress->total, progress->now, left,
          progress->terminal ? "\033[K" : "\n");
  fflush(stderr);
}

void progress_begin(struct progress *progress, unsigned total, bool quiet)
{
  *progress = (struct progress){
      .total = total, .terminal = isatty(STDERR_FILENO), .quiet = quiet};
}

void progress_start(struct progress *progress, const char *now, double left_s)
{
  snprintf(progress->now, sizeof progress->now, "%s", now);
  progress->left_s = left_s;
  progress->begun_s = seconds_now();
  if (!progress->quiet)
    progress_print(progress);
}

void progress_tick(void *context)
{
  const struct progress *progress = context;
  if (progress->terminal && !progress->quiet)
    progress_print(progress);
}

void progress_clear(const struct progress *progress)
{
  if (progress->terminal && !progress->quiet)
    fputs("\r\033[K", stderr);
}
