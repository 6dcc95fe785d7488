/* SPDX-License-Identifier: MIT */
/* missing_barrier.c -- a list whose tail is changed past the write barrier
 *
 * A queue of jobs: push() appends.  It stores the new job into the last one
 * with a plain `=`, so the collector is not told: when that happens while it
 * marks, the new job may be missed and freed.  That is rare, and the program
 * works in every test.
 *
 *   DUSK_DEBUG=barriercheck=1 ./missing_barrier     which slot, in whose object
 *   DUSK_DEBUG=barriercheck=2 ./missing_barrier     and which line did it
 */
#include <dusk.h>
#include <stdio.h>

struct job {
  struct job *next;
  long number;
};

struct queue {
  struct job *first;
  struct job *last;
};

static dusk_kind job_kind;
static dusk_kind queue_kind;

static void define_kinds(dusk_heap *heap)
{
  static const uint64_t job_pointers = 1, queue_pointers = 3;
  dusk_kind_spec job = DUSK_KIND_INIT, queue = DUSK_KIND_INIT;
  job.name = "job";
  job.size = sizeof(struct job);
  job.scan = DUSK_SCAN_LAYOUT;
  job.pointers = &job_pointers;
  queue.name = "queue";
  queue.size = sizeof(struct queue);
  queue.scan = DUSK_SCAN_LAYOUT;
  queue.pointers = &queue_pointers;
  if (dusk_kind_define(heap, &job, &job_kind) ||
      dusk_kind_define(heap, &queue, &queue_kind))
    fprintf(stderr, "no kinds\n");
}

static struct job *make_job(dusk_thread *thread, long number)
{
  struct job *job = dusk_new(thread, job_kind);
  job->number = number;
  return job;
}

static void push(dusk_thread *thread, struct queue *queue, struct job *job)
{
  if (queue->last)
    queue->last->next = job; /* MISTAKE */
  else
    dusk_store(thread, &queue->first, job);
  dusk_store(thread, &queue->last, job);
}
/* The fix: dusk_store(thread, &queue->last->next, job); */

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;
  define_kinds(heap);
  struct queue *queue = dusk_new(thread, queue_kind);
  for (long i = 0; i < 3; i++)
    push(thread, queue, make_job(thread, i));
  dusk_collect(thread);
  for (struct job *job = queue->first; job; job = job->next)
    printf("job %ld\n", job->number);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}
