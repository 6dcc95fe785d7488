/* SPDX-License-Identifier: MIT */
/* progress.h -- how far the work is, on stderr
 *
 * On a terminal one line that is rewritten; elsewhere a line for each run. */
#ifndef DUSK_LAB_PROGRESS_H
#define DUSK_LAB_PROGRESS_H

#include <stdbool.h>

struct progress {
  unsigned total;
  unsigned done;
  bool terminal;
  bool quiet;
  double left_s;  /* how long all that is not done will take; < 0: unknown */
  double begun_s; /* when the run under way began */
  char now[128];  /* what it is */
};

void progress_begin(struct progress *progress, unsigned total, bool quiet);

/* A run begins. */
void progress_start(struct progress *progress, const char *now, double left_s);

/* Some time has passed; its argument is a struct progress. */
void progress_tick(void *progress);

/* Clears the line, for others to write. */
void progress_clear(const struct progress *progress);

#endif
