/* SPDX-License-Identifier: MIT */
/* park.c -- waiting for another thread to say something */
#include "base/park.h"

#include "base/steps.h"

#include <errno.h>
#include <time.h>

void park_init(struct park *park)
{
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&park->cond, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&park->mutex, NULL);
  park->count = 0;
}

void park_destroy(struct park *park)
{
  pthread_cond_destroy(&park->cond);
  pthread_mutex_destroy(&park->mutex);
}

uint64_t park_note(struct park *park)
{
  pthread_mutex_lock(&park->mutex);
  uint64_t count = park->count;
  pthread_mutex_unlock(&park->mutex);
  return count;
}

static struct timespec deadline_after(uint64_t ns)
{
  struct timespec deadline;
  clock_gettime(CLOCK_MONOTONIC, &deadline);
  deadline.tv_sec += (time_t)(ns / 1000000000);
  deadline.tv_nsec += (long)(ns % 1000000000);
  if (deadline.tv_nsec >= 1000000000) {
    deadline.tv_sec++;
    deadline.tv_nsec -= 1000000000;
  }
  return deadline;
}

static bool wait_by_steps(const struct steps *steps, const struct park *park,
                          uint64_t noted, uint64_t ns)
{
  while (park->count == noted)
    if (!steps->wait(park, "park", ns))
      break;
  return park->count != noted;
}

bool park_wait(struct park *park, uint64_t noted, uint64_t ns)
{
  if (steps_taken())
    return wait_by_steps(steps_taken(), park, noted, ns);
  int error = 0;
  struct timespec deadline = {0};
  if (ns != UINT64_MAX)
    deadline = deadline_after(ns);
  pthread_mutex_lock(&park->mutex);
  while (park->count == noted && error != ETIMEDOUT)
    error = ns == UINT64_MAX
                ? pthread_cond_wait(&park->cond, &park->mutex)
                : pthread_cond_timedwait(&park->cond, &park->mutex, &deadline);
  bool signalled = park->count != noted;
  pthread_mutex_unlock(&park->mutex);
  return signalled;
}

void park_signal(struct park *park)
{
  pthread_mutex_lock(&park->mutex);
  park->count++;
  pthread_cond_broadcast(&park->cond);
  pthread_mutex_unlock(&park->mutex);
  if (steps_taken())
    steps_taken()->wake(park);
}
