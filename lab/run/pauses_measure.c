/* SPDX-License-Identifier: MIT */
/* pauses_measure.c -- from traces to distributions, worst delays and
 * utilisation; see pauses.h */
#include "pauses.h"

#include "lab/lab.h"
#include "lab/show/mmu.h"

#include <math.h>
#include <stdlib.h>

const unsigned pauses_windows_ms[PAUSES_WINDOWS] = {1, 2, 5, 10, 20, 50, 100};

static void *array_make(size_t count, size_t size)
{
  void *array = calloc(count + 1, size);
  if (!array)
    lab_fail("pauses: no memory for %zu delays", count);
  return array;
}

uint64_t pauses_heap_threads(const struct samples_heap *heap)
{
  uint64_t most = 0;
  for (size_t i = 0; i < heap->thread_count; i++)
    if (heap->threads[i].thread > most)
      most = heap->threads[i].thread;
  for (size_t i = 0; i < heap->delay_count; i++)
    if (heap->delays[i].thread > most)
      most = heap->delays[i].thread;
  return most;
}

void pauses_thread_life(const struct samples_heap *heap, uint64_t thread,
                        uint64_t *start_ns, uint64_t *end_ns)
{
  *start_ns = heap->opened_ns;
  *end_ns = samples_heap_end(heap);
  for (size_t i = 0; i < heap->thread_count; i++) {
    if (heap->threads[i].thread != thread)
      continue;
    *start_ns = heap->threads[i].attached_ns;
    if (heap->threads[i].detached_ns)
      *end_ns = heap->threads[i].detached_ns;
  }
}

uint64_t pauses_cycle_at(const struct samples_heap *heap, uint64_t at_ns)
{
  for (size_t i = 0; i < heap->cycle_count; i++)
    if (heap->cycles[i].start_ns <= at_ns && at_ns <= heap->cycles[i].swept_ns)
      return heap->cycles[i].number;
  return 0;
}

/* Keeps the longest, in order. */
static void worst_add(struct pauses *pauses, struct pauses_worst entry)
{
  size_t at = pauses->worst_count;
  while (at &&
         pauses->worst[at - 1].delay->duration_ns < entry.delay->duration_ns)
    at--;
  if (at == PAUSES_WORST)
    return;
  if (pauses->worst_count < PAUSES_WORST)
    pauses->worst_count++;
  for (size_t i = pauses->worst_count - 1; i > at; i--)
    pauses->worst[i] = pauses->worst[i - 1];
  pauses->worst[at] = entry;
}

/* Thread `thread` of the heap: its life, and its delays in an array of its own.
 * A wait for a cycle that the program asked for is no delay of its work. */
static void thread_gather(const struct samples_heap *heap, uint64_t thread,
                          const size_t *offsets, struct mmu_interval *delays,
                          struct mmu_thread *gathered)
{
  pauses_thread_life(heap, thread, &gathered->life.start, &gathered->life.end);
  gathered->delays = delays + offsets[thread];
  gathered->count = offsets[thread + 1] - offsets[thread];
}

static bool delay_counts(const struct samples_delay *delay)
{
  return delay->kind != SAMPLES_COLLECT;
}

/* Delays by thread: offsets[t] is where those of thread t begin. */
static struct mmu_interval *delays_by_thread(const struct samples_heap *heap,
                                             uint64_t threads, size_t *offsets)
{
  struct mmu_interval *delays = array_make(heap->delay_count, sizeof *delays);
  size_t *next = array_make(threads + 2, sizeof *next);
  for (size_t i = 0; i < heap->delay_count; i++)
    if (delay_counts(&heap->delays[i]))
      offsets[heap->delays[i].thread + 1]++;
  for (uint64_t i = 0; i <= threads; i++)
    next[i + 1] = offsets[i + 1] += offsets[i];
  next[0] = 0;
  for (size_t i = 0; i < heap->delay_count; i++) {
    const struct samples_delay *delay = &heap->delays[i];
    if (delay_counts(delay))
      delays[next[delay->thread]++] = (struct mmu_interval){
          delay->start_ns, delay->start_ns + delay->duration_ns};
  }
  free(next);
  return delays;
}

static struct mmu *mmu_of(struct mmu_thread *threads, size_t count)
{
  struct mmu *mmu = mmu_create(threads, count);
  if (!mmu)
    lab_fail("pauses: no memory for the utilisation of %zu threads", count);
  return mmu;
}

static void measure_heap(struct pauses *pauses, const struct samples_heap *heap,
                         uint64_t count)
{
  size_t *offsets = array_make(count + 2, sizeof *offsets);
  struct mmu_interval *delays = delays_by_thread(heap, count, offsets);
  struct mmu_thread *threads = array_make(count, sizeof *threads);
  for (uint64_t i = 0; i < count; i++) {
    thread_gather(heap, i + 1, offsets, delays, &threads[i]);
    pauses->each_thread[pauses->each_count++] = mmu_of(&threads[i], 1);
  }
  pauses->all_threads[pauses->heap_count++] = mmu_of(threads, count);
  free(threads);
  free(delays);
  free(offsets);
}

/* Thread numbers are small: the writer counts them.  A trace in which one is
 * not was not written by Dusk. */
enum { THREADS_MAX = 1 << 20 };

void pauses_measure(struct pauses *pauses)
{
  size_t heaps = 0;
  pauses->waits = waits_create();
  for (unsigned run = 0; run < pauses->run_count; run++) {
    const struct samples *samples = &pauses->runs[run];
    waits_add(pauses->waits, samples);
    heaps += samples->heap_count;
    for (size_t i = 0; i < samples->heap_count; i++) {
      uint64_t threads = pauses_heap_threads(&samples->heaps[i]);
      if (threads > THREADS_MAX)
        lab_fail("pauses: the trace has a thread %llu: that is not a number "
                 "of one",
                 (unsigned long long)threads);
      pauses->threads += threads;
    }
  }
  pauses->all_threads = array_make(heaps, sizeof *pauses->all_threads);
  pauses->each_thread =
      array_make(pauses->threads, sizeof *pauses->each_thread);
  for (unsigned run = 0; run < pauses->run_count; run++) {
    for (size_t i = 0; i < pauses->runs[run].heap_count; i++) {
      const struct samples_heap *heap = &pauses->runs[run].heaps[i];
      for (size_t j = 0; j < heap->delay_count; j++)
        worst_add(pauses, (struct pauses_worst){heap, &heap->delays[j]});
      uint64_t threads = pauses_heap_threads(heap);
      if (threads)
        measure_heap(pauses, heap, threads);
    }
  }
}

static double mmu_least_of(struct mmu *const *list, size_t count,
                           uint64_t window_ns)
{
  double least = NAN;
  for (size_t i = 0; i < count; i++) {
    double one = mmu_least(list[i], window_ns);
    if (!(one >= least) && !isnan(one))
      least = one;
  }
  return least;
}

double pauses_mmu_all(const struct pauses *pauses, uint64_t window_ns)
{
  return mmu_least_of(pauses->all_threads, pauses->heap_count, window_ns);
}

double pauses_mmu_worst(const struct pauses *pauses, uint64_t window_ns)
{
  return mmu_least_of(pauses->each_thread, pauses->each_count, window_ns);
}
