#include <dusk.h>
#include <stdio.h>

enum { KEPT = 4096 };

/* Replaces KEPT objects of 1 KiB, over and over; returns the cycles it
 * took. */
static uint64_t churn(dusk_heap *heap, dusk_thread *thread, int percent)
{
  static dusk_memstats stats;
  void **kept = dusk_alloc(thread, DUSK_CONSERVATIVE, KEPT * sizeof *kept);
  if (!kept)
    return 0;
  dusk_set_gc_percent(heap, percent);
  dusk_read_memstats(heap, &stats);
  uint64_t before = stats.num_gc;

  for (int i = 0; i < 20 * KEPT; i++)
    dusk_store(thread, &kept[i % KEPT],
               dusk_alloc(thread, DUSK_LEAF, 1024));

  dusk_read_memstats(heap, &stats);
  printf("percent %3d: %2llu cycles, goal %llu KiB\n", percent,
         (unsigned long long)(stats.num_gc - before),
         (unsigned long long)stats.next_gc >> 10);
  return stats.num_gc - before;
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;
  uint64_t often = churn(heap, thread, 50);
  uint64_t seldom = churn(heap, thread, 400);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return often <= seldom;
}
