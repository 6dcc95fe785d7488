/* SPDX-License-Identifier: MIT */
/* churn.c -- a large live structure changed at full speed, every operation
 * timed
 *
 * Threads replace and rewire the lists of lists.h as fast as they can.  An
 * operation's time runs from the end of the one before, so that nothing that
 * delays the program falls between two operations: not a pause, not an assist,
 * not a processor lost to the collector's own threads.  Figures: operations per
 * second, their times, processor time for each, peak memory, collections. */
#include "lists.h"
#include "option.h"

#include <stdlib.h>

enum { THREADS_MAX = 256 };

/* What the workers share. */
struct crew {
  struct peer opener;
  const struct lists *lists;
  pthread_barrier_t filled; /* all workers and the first thread */
  unsigned threads;
  uint64_t seed;
  uint64_t run_ns;
};

struct worker {
  pthread_t pthread;
  struct crew *crew;
  unsigned index;
  struct measure_histogram *histogram;
  uint64_t took_ns;
};

static void crew_wait_filled(struct crew *crew, struct peer peer)
{
  peer_wait_begin(peer);
  pthread_barrier_wait(&crew->filled);
  peer_wait_end(peer);
}

static void worker_churn(struct worker *worker, struct peer peer)
{
  const struct crew *crew = worker->crew;
  struct measure_random random =
      measure_random_seed(crew->seed * THREADS_MAX + worker->index);
  uint64_t begun = measure_wall_ns();
  uint64_t last = begun;
  while (last - begun < crew->run_ns) {
    lists_step(crew->lists, peer, &random);
    uint64_t now = measure_wall_ns();
    measure_histogram_add(worker->histogram, now - last);
    last = now;
  }
  worker->took_ns = last - begun;
}

static void *worker_run(void *argument)
{
  struct worker *worker = argument;
  struct crew *crew = worker->crew;
  struct peer peer = peer_attach(crew->opener);
  lists_fill(crew->lists, peer, worker->index, crew->threads);
  crew_wait_filled(crew, peer);
  worker_churn(worker, peer);
  peer_detach(peer);
  return NULL;
}

/* The workers' memory is libc's; objects are kept alive by crew->lists, on the
 * first thread's stack. */
static struct worker *workers_start(struct crew *crew)
{
  struct worker *workers = calloc(crew->threads, sizeof *workers);
  if (!workers || pthread_barrier_init(&crew->filled, NULL, crew->threads + 1))
    measure_fail("no memory for the workers");
  for (unsigned i = 0; i < crew->threads; i++) {
    workers[i].crew = crew;
    workers[i].index = i;
    workers[i].histogram = measure_histogram_create();
    if (pthread_create(&workers[i].pthread, NULL, worker_run, &workers[i]))
      measure_fail("a thread could not be started");
  }
  return workers;
}

static void workers_join(struct crew *crew, struct worker *workers)
{
  peer_wait_begin(crew->opener);
  for (unsigned i = 0; i < crew->threads; i++)
    pthread_join(workers[i].pthread, NULL);
  peer_wait_end(crew->opener);
  pthread_barrier_destroy(&crew->filled);
}

/* Prints rate, times and cost of all workers' operations, and frees them. */
static void workers_report(struct worker *workers, unsigned threads,
                           uint64_t cpu_ns)
{
  struct measure_histogram *all = measure_histogram_create();
  double rate = 0;
  for (unsigned i = 0; i < threads; i++) {
    struct worker *worker = &workers[i];
    rate += (double)worker->histogram->count * 1e9 / (double)worker->took_ns;
    measure_histogram_merge(all, worker->histogram);
    measure_histogram_destroy(worker->histogram);
  }
  measure_figure("ops", rate, "ops/s");
  measure_figure_latency(all);
  measure_figure("cpu", (double)cpu_ns / (double)all->count, "ns");
  measure_histogram_destroy(all);
  free(workers);
}

int main(int argc, char **argv)
{
  enum { THREADS, LIVE, LENGTH, SECONDS, SEED, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [THREADS] = {"threads", "Threads at work", 1, 1, NULL},
      [LIVE] = {"live", "Bytes of lists that live", 512 << 20, 32 << 20, NULL},
      [LENGTH] = {"length", "Nodes of 64 bytes to a list", 16, 16, NULL},
      [SECONDS] = {"seconds", "How long", 10, 1, NULL},
      [SEED] = {"seed", "Of the operations", 1, 1, NULL}};
  static const struct option_program program = {
      "churn", PEER_NAME, "Rewires and replaces lists, timing each operation"};
  option_parse(&program, options, argc, argv);
  uint64_t threads = options[THREADS].value;
  uint64_t seconds = options[SECONDS].value;
  if (!threads || threads > THREADS_MAX || !seconds || seconds > 86400)
    measure_fail("threads are 1 to 256, seconds 1 to 86400");

  struct peer peer = peer_open();
  struct lists lists = lists_create(peer, options[LIVE].value,
                                    options[LENGTH].value, 4 * threads);
  struct crew crew = {.opener = peer,
                      .lists = &lists,
                      .threads = (unsigned)threads,
                      .seed = options[SEED].value,
                      .run_ns = seconds * 1000000000};
  struct worker *workers = workers_start(&crew);
  crew_wait_filled(&crew, peer);
  struct measure_stretch stretch = measure_begin();
  uint64_t cycles = peer_cycles(peer);
  workers_join(&crew, workers);
  cycles = peer_cycles(peer) - cycles;
  stretch = measure_end(stretch);

  workers_report(workers, crew.threads, stretch.cpu_ns);
  measure_figure_peak();
  if (PEER_COLLECTS)
    measure_figure("cycles", (double)cycles, "cycles");
  lists_finish(&lists, peer);
  peer_close(peer);
  return EXIT_SUCCESS;
}
