/* SPDX-License-Identifier: MIT */
/* measure.c -- the parts of measure.h that are not timed themselves */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

uint64_t measure_cpu_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* VmHWM and not ru_maxrss, which a process inherits over exec from a shell or
 * a make that was larger. */
uint64_t measure_peak_bytes(void)
{
  unsigned long long kib = 0;
  char line[256];
  FILE *status = fopen("/proc/self/status", "r");
  if (status) {
    while (fgets(line, sizeof line, status)) {
      if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
        break;
    }
    fclose(status);
  }
  if (!kib) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    kib = (unsigned long long)usage.ru_maxrss;
  }
  return (uint64_t)kib * 1024;
}

struct measure_stretch measure_begin(void)
{
  struct measure_stretch now = {measure_wall_ns(), measure_cpu_ns()};
  return now;
}

struct measure_stretch measure_end(struct measure_stretch begun)
{
  struct measure_stretch passed = {
      measure_wall_ns() - begun.wall_ns,
      measure_cpu_ns() - begun.cpu_ns,
  };
  return passed;
}

/* Flushed, so that what a program measured before it crashed is not lost. */
void measure_figure(const char *name, double value, const char *unit)
{
  printf("%s %.6g %s\n", name, value, unit);
  fflush(stdout);
}

void measure_figure_each(struct measure_stretch stretch, uint64_t count)
{
  measure_figure("wall", (double)stretch.wall_ns / (double)count, "ns");
  measure_figure("cpu", (double)stretch.cpu_ns / (double)count, "ns");
}

void measure_figure_peak(void)
{
  measure_figure("peak", (double)measure_peak_bytes() / (1 << 20), "MiB");
}

void measure_fail(const char *why)
{
  fflush(stdout);
  fprintf(stderr, "failed: %s\n", why);
  exit(EXIT_FAILURE);
}

/* One step of splitmix64, so that seeds 1, 2, 3 start far apart; xorshift must
 * not start at 0. */
struct measure_random measure_random_seed(uint64_t seed)
{
  uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  struct measure_random random = {(z ^ (z >> 31)) | 1};
  return random;
}

struct measure_histogram *measure_histogram_create(void)
{
  struct measure_histogram *histogram = calloc(1, sizeof *histogram);
  if (!histogram)
    measure_fail("no memory for a histogram");
  return histogram;
}

void measure_histogram_destroy(struct measure_histogram *histogram)
{
  free(histogram);
}

void measure_histogram_merge(struct measure_histogram *into,
                             const struct measure_histogram *from)
{
  into->count += from->count;
  if (from->worst > into->worst)
    into->worst = from->worst;
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
    into->buckets[i] += from->buckets[i];
}

/* The largest value that falls into a bucket. */
static uint64_t histogram_bucket_last(unsigned bucket)
{
  if (bucket < 2 * HISTOGRAM_STEPS)
    return bucket;
  unsigned shift = (bucket >> HISTOGRAM_STEPS_LOG2) - 1;
  uint64_t step = (bucket & (HISTOGRAM_STEPS - 1)) + HISTOGRAM_STEPS;
  return ((step + 1) << shift) - 1;
}

uint64_t measure_histogram_percentile(const struct measure_histogram *histogram,
                                      double part)
{
  uint64_t above = (uint64_t)((1 - part) * (double)histogram->count);
  uint64_t seen = 0;
  for (unsigned i = HISTOGRAM_BUCKETS; i-- > 0;) {
    seen += histogram->buckets[i];
    if (seen > above) {
      uint64_t last = histogram_bucket_last(i);
      return last < histogram->worst ? last : histogram->worst;
    }
  }
  return 0;
}

void measure_figure_latency(const struct measure_histogram *histogram)
{
  static const struct {
    const char *name;
    double part;
  } rows[] = {
      {"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if ((1 - rows[i].part) * (double)histogram->count < 1)
      break;
    uint64_t ns = measure_histogram_percentile(histogram, rows[i].part);
    measure_figure(rows[i].name, (double)ns / 1000, "us");
  }
  measure_figure("worst", (double)histogram->worst / 1000, "us");
}
