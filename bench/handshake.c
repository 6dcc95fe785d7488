/* SPDX-License-Identifier: MIT */
/* handshake.c -- how long a cycle holds a thread, at most
 *
 * Threads churn a large heap while the first one runs full cycles and reads
 * from dusk_memstats, after each, the longest time that the cycle held any
 * thread.  So these are times of whole cycles' worst services, and of each
 * cycle there are at least five services a thread.  With more threads than
 * processors to spare, they tell how long the system kept a thread waiting in
 * the middle of its service.  Dusk alone: what others call a pause is a stop of
 * the whole world. */
#include "lists.h"
#include "option.h"

#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 256 };

struct churner {
  pthread_t pthread;
  struct peer opener;
  const struct lists *lists;
  uint64_t seed;
  bool stop; /* atomic: set by the first thread */
};

static void *churner_run(void *argument)
{
  struct churner *churner = argument;
  struct peer peer = peer_attach(churner->opener);
  struct measure_random random = measure_random_seed(churner->seed);
  while (!__atomic_load_n(&churner->stop, __ATOMIC_RELAXED))
    lists_step(churner->lists, peer, &random);
  peer_detach(peer);
  return NULL;
}

static struct churner *churners_start(struct peer peer,
                                      const struct lists *lists,
                                      uint64_t threads, uint64_t seed)
{
  struct churner *churners = calloc(threads, sizeof *churners);
  if (!churners)
    measure_fail("no memory for the threads");
  for (uint64_t i = 0; i < threads; i++) {
    churners[i].opener = peer;
    churners[i].lists = lists;
    churners[i].seed = seed * THREADS_MAX + i;
    if (pthread_create(&churners[i].pthread, NULL, churner_run, &churners[i]))
      measure_fail("a thread could not be started");
  }
  return churners;
}

static void churners_stop(struct peer peer, struct churner *churners,
                          uint64_t threads)
{
  peer_wait_begin(peer);
  for (uint64_t i = 0; i < threads; i++)
    __atomic_store_n(&churners[i].stop, true, __ATOMIC_RELAXED);
  for (uint64_t i = 0; i < threads; i++)
    pthread_join(churners[i].pthread, NULL);
  peer_wait_end(peer);
  free(churners);
}

/* Adds the pauses of the cycles that have completed since `seen` of them had;
 * returns how many have now.  Cycles may come faster than they are read, and
 * only the last DUSK_PAUSES are kept. */
static uint64_t pauses_read(struct peer peer, uint64_t seen,
                            struct measure_histogram *histogram)
{
  dusk_memstats stats;
  dusk_read_memstats(peer.heap, &stats);
  if (stats.num_gc - seen > DUSK_PAUSES)
    seen = stats.num_gc - DUSK_PAUSES;
  for (uint64_t cycle = seen; cycle < stats.num_gc; cycle++)
    measure_histogram_add(histogram, stats.pause_ns[cycle % DUSK_PAUSES]);
  return stats.num_gc;
}

int main(int argc, char **argv)
{
  enum { THREADS, LIVE, LENGTH, CYCLES, SEED, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [THREADS] = {"threads", "Threads that churn", 1, 1, NULL},
      [LIVE] = {"live", "Bytes of lists that live", 512 << 20, 32 << 20, NULL},
      [LENGTH] = {"length", "Nodes of 64 bytes to a list", 16, 16, NULL},
      [CYCLES] = {"cycles", "Cycles to run, at least", 50, 20, NULL},
      [SEED] = {"seed", "Of the operations", 1, 1, NULL}};
  static const struct option_program program = {
      "handshake", PEER_NAME, "Reads how long cycles hold a thread"};
  option_parse(&program, options, argc, argv);
  uint64_t threads = options[THREADS].value;
  if (threads > THREADS_MAX || !options[CYCLES].value)
    measure_fail("threads are at most 256, cycles at least 1");

  struct peer peer = peer_open();
  struct lists lists = lists_create(peer, options[LIVE].value,
                                    options[LENGTH].value, 4 * threads + 4);
  lists_fill(&lists, peer, 0, 1);
  struct measure_histogram *histogram = measure_histogram_create();
  struct churner *churners =
      churners_start(peer, &lists, threads, options[SEED].value);
  uint64_t seen = peer_cycles(peer);
  while (histogram->count < options[CYCLES].value) {
    peer_collect(peer);
    seen = pauses_read(peer, seen, histogram);
  }
  churners_stop(peer, churners, threads);
  measure_figure_latency(histogram);
  measure_figure("cycles", (double)histogram->count, "cycles");
  lists_finish(&lists, peer);
  measure_histogram_destroy(histogram);
  peer_close(peer);
  return EXIT_SUCCESS;
}
