/* SPDX-License-Identifier: MIT */
/* churn.h -- threads that come and go and allocate at random, for tests that
 * read a heap's figures meanwhile */
#ifndef DUSK_TESTS_CHURN_H
#define DUSK_TESTS_CHURN_H

#include "api.h"

enum { CHURNING_THREADS = 3 };

struct churn {
  dusk_heap *heap;
  bool stop; /* atomic */
  pthread_t threads[CHURNING_THREADS];
};

static inline void *churn(void *argument)
{
  enum { SLOTS = 500 };
  struct churn *work = argument;
  uint64_t random = (uintptr_t)&random;
  while (!__atomic_load_n(&work->stop, __ATOMIC_RELAXED)) {
    dusk_thread *thread = api_attach(work->heap);
    void **slots = api_alloc(thread, DUSK_CONSERVATIVE, SLOTS * sizeof(void *));
    for (int i = 0; i < 20000; i++) {
      size_t bytes = api_random(&random) % (i % 100 ? 600 : 60000);
      void *object = api_alloc(thread, (dusk_kind)(i % 2), bytes);
      dusk_store(thread, &slots[api_random(&random) % SLOTS], object);
    }
    dusk_detach(thread);
  }
  return NULL;
}

/* In a heap of its own, which collects often; closing it is the caller's. */
static inline void churn_start(struct churn *work)
{
  *work = (struct churn){.heap = api_open()};
  dusk_set_gc_percent(work->heap, 50);
  for (int i = 0; i < CHURNING_THREADS; i++)
    work->threads[i] = api_start(churn, work);
}

static inline void churn_stop(struct churn *work)
{
  __atomic_store_n(&work->stop, true, __ATOMIC_RELAXED);
  for (int i = 0; i < CHURNING_THREADS; i++)
    pthread_join(work->threads[i], NULL);
}

#endif
