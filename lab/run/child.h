/* SPDX-License-Identifier: MIT */
/* child.h -- runs a program to its end and says what it took
 *
 * The child is the leader of a process group of its own, with nothing to read:
 * Ctrl-C reaches this program alone, which then ends the child's whole group.
 * From child_signals_hold() on signals wait until child_run() looks at them, so
 * that none comes between two steps. */
#ifndef DUSK_LAB_CHILD_H
#define DUSK_LAB_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct child {
  char *const *argv;
  char *const *variables; /* NAME=VALUE, ending in NULL: over the environment */
  const char *out_path;   /* what becomes of its stdout */
  const char *err_path;   /* and its stderr */
};

struct child_end {
  int error;  /* errno value: it could not be started */
  int status; /* as wait() has it */
  double wall_s;
  double cpu_s; /* with all its own children that it waited for */
  uint64_t peak_bytes;
};

/* Holds SIGINT and SIGTERM back, unless they were ignored, for child_run(). */
void child_signals_hold(void);
void child_signals_release(void);

/* The signal that asked this program to end; 0: none so far. */
int child_interrupted(void);

/* Runs a child to its end, or until a signal comes: then it ends the child,
 * and child_interrupted() says so.  Calls tick(context) some times a second. */
void child_run(const struct child *child, void (*tick)(void *context),
               void *context, struct child_end *end);

/* Whether it started, and exited with 0. */
bool child_is_good(const struct child_end *end);

/* Why it is not good: its status and the last line in its stderr. */
void child_explain(const struct child *child, const struct child_end *end,
                   char *text, size_t size);

#endif
