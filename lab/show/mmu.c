/* SPDX-License-Identifier: MIT */
/* mmu.c -- minimum mutator utilisation, exactly; see mmu.h */
#include "mmu.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* A moment at which the number of threads alive, or delayed, changes. */
struct knot {
  uint64_t at;
  int64_t delayed_step; /* until the knots are summed: by how much */
  int64_t alive_step;
  uint64_t delayed; /* threads, from here to the next knot */
  uint64_t alive;
  uint64_t delayed_sum; /* thread-ns, from the first knot up to here */
  uint64_t alive_sum;
};

struct mmu {
  struct knot *knots;
  size_t count;
  struct mmu_interval *lives; /* by their starts */
  size_t life_count;
};

static int compare_intervals(const void *left, const void *right)
{
  const struct mmu_interval *a = left;
  const struct mmu_interval *b = right;
  return (a->start > b->start) - (a->start < b->start);
}

static int compare_knots(const void *left, const void *right)
{
  const struct knot *a = left;
  const struct knot *b = right;
  return (a->at > b->at) - (a->at < b->at);
}

static void mmu_add(struct mmu *mmu, struct mmu_interval interval, bool alive)
{
  for (int end = 0; end < 2; end++) {
    struct knot *knot = &mmu->knots[mmu->count++];
    *knot = (struct knot){.at = end ? interval.end : interval.start};
    *(alive ? &knot->alive_step : &knot->delayed_step) = end ? -1 : 1;
  }
}

/* The thread's delays, each moment once, and none outside its life. */
static void mmu_add_thread(struct mmu *mmu, struct mmu_thread *thread)
{
  if (thread->life.end <= thread->life.start)
    return;
  mmu_add(mmu, thread->life, true);
  mmu->lives[mmu->life_count++] = thread->life;
  if (thread->count)
    qsort(thread->delays, thread->count, sizeof *thread->delays,
          compare_intervals);
  uint64_t done = thread->life.start;
  for (size_t i = 0; i < thread->count; i++) {
    struct mmu_interval delay = thread->delays[i];
    if (delay.start < done)
      delay.start = done;
    if (delay.end > thread->life.end)
      delay.end = thread->life.end;
    if (delay.end <= delay.start)
      continue;
    mmu_add(mmu, delay, false);
    done = delay.end;
  }
}

static void mmu_sum(struct mmu *mmu)
{
  if (!mmu->count)
    return;
  qsort(mmu->knots, mmu->count, sizeof *mmu->knots, compare_knots);
  int64_t delayed = 0;
  int64_t alive = 0;
  for (size_t i = 0; i < mmu->count; i++) {
    struct knot *knot = &mmu->knots[i];
    if (i) {
      uint64_t passed = knot->at - knot[-1].at;
      knot->delayed_sum = knot[-1].delayed_sum + (uint64_t)delayed * passed;
      knot->alive_sum = knot[-1].alive_sum + (uint64_t)alive * passed;
    }
    /* Of knots at one moment, those that count down may come first: the sums
     * in between are wrong, and are multiplied by no time. */
    delayed += knot->delayed_step;
    alive += knot->alive_step;
    knot->delayed = (uint64_t)delayed;
    knot->alive = (uint64_t)alive;
  }
}

struct mmu *mmu_create(struct mmu_thread *threads, size_t count)
{
  size_t intervals = count;
  for (size_t i = 0; i < count; i++)
    intervals += threads[i].count;
  struct mmu *mmu = calloc(1, sizeof *mmu);
  if (!mmu)
    return NULL;
  mmu->knots = calloc(2 * intervals + 1, sizeof *mmu->knots);
  mmu->lives = calloc(count + 1, sizeof *mmu->lives);
  if (!mmu->knots || !mmu->lives) {
    mmu_destroy(mmu);
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    mmu_add_thread(mmu, &threads[i]);
  mmu_sum(mmu);
  qsort(mmu->lives, mmu->life_count, sizeof *mmu->lives, compare_intervals);
  return mmu;
}

void mmu_destroy(struct mmu *mmu)
{
  if (!mmu)
    return;
  free(mmu->knots);
  free(mmu->lives);
  free(mmu);
}

/* A place that only moves forward, so that a walk costs one pass. */
struct cursor {
  size_t knot;
  uint64_t delayed;
  uint64_t alive;
};

static void cursor_move(const struct mmu *mmu, struct cursor *cursor,
                        uint64_t to)
{
  while (cursor->knot + 1 < mmu->count && mmu->knots[cursor->knot + 1].at <= to)
    cursor->knot++;
  const struct knot *knot = &mmu->knots[cursor->knot];
  cursor->delayed = knot->delayed_sum + knot->delayed * (to - knot->at);
  cursor->alive = knot->alive_sum + knot->alive * (to - knot->at);
}

/* Whether a thread lives through the window that begins at `start`.  Lives are
 * sorted by their starts: *next is the first not begun, *end the latest end of
 * those before it. */
static bool window_counts(const struct mmu *mmu, uint64_t start,
                          uint64_t window, size_t *next, uint64_t *end)
{
  for (; *next < mmu->life_count && mmu->lives[*next].start <= start; ++*next)
    if (mmu->lives[*next].end > *end)
      *end = mmu->lives[*next].end;
  return *end >= window && start <= *end - window;
}

/* The windows that begin at a knot, or that end at one. */
static double mmu_walk(const struct mmu *mmu, uint64_t window, bool at_end)
{
  struct cursor from = {0};
  struct cursor to = {0};
  size_t next = 0;
  uint64_t end = 0;
  double least = NAN;
  for (size_t i = 0; i < mmu->count; i++) {
    uint64_t start = mmu->knots[i].at;
    if (at_end) {
      if (start < window || start - window < mmu->knots[0].at)
        continue;
      start -= window;
    }
    if (!window_counts(mmu, start, window, &next, &end))
      continue;
    cursor_move(mmu, &from, start);
    cursor_move(mmu, &to, start + window);
    double used = 1 - (double)(to.delayed - from.delayed) /
                          (double)(to.alive - from.alive);
    if (!(used >= least))
      least = used;
  }
  return least;
}

double mmu_least(const struct mmu *mmu, uint64_t window)
{
  double begins = mmu_walk(mmu, window, false);
  double ends = mmu_walk(mmu, window, true);
  return ends < begins ? ends : begins;
}
