/* SPDX-License-Identifier: MIT */
/* task.c -- threads of ours */
#include "os/task.h"

#include <errno.h>

static int system_start(pthread_t *task, void *(*body)(void *), void *argument)
{
  return pthread_create(task, NULL, body, argument);
}

static void system_join(pthread_t task)
{
  pthread_join(task, NULL);
}

struct task_table task_system = {.start = system_start, .join = system_join};

int task_start(pthread_t *task, void *(*body)(void *), void *argument)
{
  return task_system.start(task, body, argument) ? EAGAIN : 0;
}

void task_join(pthread_t task)
{
  task_system.join(task);
}
