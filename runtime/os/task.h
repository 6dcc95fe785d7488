/* SPDX-License-Identifier: MIT */
/* task.h -- threads of ours: the driver, workers, the scavenger
 *
 * Each is started and joined through `task_system`, a table that a test can
 * replace: to refuse the n-th, or to run tasks in an order of its own. */
#ifndef DUSK_OS_TASK_H
#define DUSK_OS_TASK_H

#include "base/compiler.h"

#include <pthread.h>

struct task_table {
  /* As pthread_create(): 0, or an errno value. */
  int (*start)(pthread_t *task, void *(*body)(void *), void *argument);
  void (*join)(pthread_t task);
};
extern struct task_table task_system;

/* Runs body(argument), whose result nobody reads, on a thread of its own.
 * Returns 0 or EAGAIN: the system has no more threads. */
WARN_UNUSED int task_start(pthread_t *task, void *(*body)(void *),
                           void *argument);

/* Waits until its body has returned. */
void task_join(pthread_t task);

#endif
