/* SPDX-License-Identifier: MIT */
/* measure.h -- clocks, memory, histograms and figures for every program here
 *
 * Knows nothing of any allocator: it is compiled once and linked to all.  It
 * allocates from libc alone, and nothing while a program is being timed. */
#ifndef DUSK_BENCH_MEASURE_H
#define DUSK_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Nanoseconds of real time, from an arbitrary start. */
static inline uint64_t measure_wall_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Processor time of the whole process: a collector's threads count. */
uint64_t measure_cpu_ns(void);

/* The most memory that was ever resident, bytes. */
uint64_t measure_peak_bytes(void);

/* A stretch of the program: begun by reading both clocks, ended by turning the
 * readings into what has passed since. */
struct measure_stretch {
  uint64_t wall_ns;
  uint64_t cpu_ns;
};

struct measure_stretch measure_begin(void);
struct measure_stretch measure_end(struct measure_stretch begun);

/* Prints one figure, `name value unit`, on stdout. */
void measure_figure(const char *name, double value, const char *unit);

/* The figures of a stretch of `count` steps: `wall` and `cpu`, ns each. */
void measure_figure_each(struct measure_stretch stretch, uint64_t count);

/* Prints the figure `peak`. */
void measure_figure_peak(void);

/* Ends the program: it could not run, or found that its data were wrong. */
_Noreturn void measure_fail(const char *why);

/* Makes the compiler believe that `pointer` and all memory are used here. */
static inline void measure_keep(const void *pointer)
{
  __asm__ volatile("" : : "r"(pointer) : "memory");
}

/* Random numbers: xorshift64* (Marsaglia 2003, Vigna 2016). */
struct measure_random {
  uint64_t state;
};

struct measure_random measure_random_seed(uint64_t seed);

static inline uint64_t measure_random_next(struct measure_random *random)
{
  uint64_t x = random->state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  random->state = x;
  return x * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0 to bound - 1; bound is below 2^32. */
static inline uint64_t measure_random_below(struct measure_random *random,
                                            uint64_t bound)
{
  return (measure_random_next(random) >> 32) * bound >> 32;
}

/* A log-linear histogram: each doubling in 64 equal steps, so that a
 * percentile is at most 1/64 too high, and the worst is exact.  Smaller steps
 * would push the buckets out of the first cache. */
enum {
  HISTOGRAM_STEPS_LOG2 = 6,
  HISTOGRAM_STEPS = 1 << HISTOGRAM_STEPS_LOG2,
  HISTOGRAM_BUCKETS = (64 - HISTOGRAM_STEPS_LOG2 + 1) * HISTOGRAM_STEPS
};

struct measure_histogram {
  uint64_t count;
  uint64_t worst;
  uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Outside any stack: some collectors would scan it there. */
struct measure_histogram *measure_histogram_create(void);
void measure_histogram_destroy(struct measure_histogram *histogram);
void measure_histogram_merge(struct measure_histogram *into,
                             const struct measure_histogram *from);

static inline unsigned measure_histogram_bucket(uint64_t value)
{
  unsigned log2 = 63u - (unsigned)__builtin_clzll(value | HISTOGRAM_STEPS);
  unsigned shift = log2 - HISTOGRAM_STEPS_LOG2;
  return (shift << HISTOGRAM_STEPS_LOG2) + (unsigned)(value >> shift);
}

static inline void measure_histogram_add(struct measure_histogram *histogram,
                                         uint64_t value)
{
  histogram->count++;
  histogram->buckets[measure_histogram_bucket(value)]++;
  if (value > histogram->worst)
    histogram->worst = value;
}

/* The value that a share of `part` (0 to 1) of all values does not exceed. */
uint64_t measure_histogram_percentile(const struct measure_histogram *histogram,
                                      double part);

/* Prints p50, p99, p99.9, p99.99 and worst of a histogram of nanoseconds, in
 * microseconds; no percentile that so few values leave to a single one. */
void measure_figure_latency(const struct measure_histogram *histogram);

#endif
