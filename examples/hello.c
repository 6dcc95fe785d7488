/* SPDX-License-Identifier: MIT */
/* hello.c -- the smallest program on a Dusk heap
 *
 * Allocates a million numbers, keeps every thousandth in a list, and lets the
 * collector have the rest.  All that a program needs is here: a heap, a thread
 * attached to it, a kind, and stores that the collector knows of. */
#include <dusk.h>

#include <inttypes.h>
#include <stdio.h>

struct number {
  struct number *next; /* word 0: a pointer */
  uint64_t value;      /* word 1: not a pointer */
};

int main(void)
{
  static const uint64_t pointers = 1 << 0; /* bit 0: word 0 */
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "number";
  spec.size = sizeof(struct number);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  dusk_heap *heap;
  dusk_thread *thread;
  dusk_kind kind;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread) ||
      dusk_kind_define(heap, &spec, &kind)) {
    fputs("hello: cannot set up a heap\n", stderr);
    return 1;
  }

  struct number *list = NULL; /* a local is a root: nothing to declare */
  for (uint64_t i = 1; i <= 1000000; i++) {
    struct number *number = dusk_new(thread, kind);
    if (!number) {
      fputs("hello: out of memory\n", stderr);
      return 1;
    }
    dusk_init(thread, &number->next, list);
    number->value = i;
    if (i % 1000 == 0)
      list = number;
  }
  dusk_collect(thread);

  uint64_t sum = 0;
  for (struct number *number = list; number; number = dusk_load(&number->next))
    sum += number->value;
  dusk_memstats stats;
  dusk_read_memstats(heap, &stats);
  dusk_detach(thread);

  printf("sum %" PRIu64 "\n", sum);
  printf("%" PRIu64 " objects made, %" PRIu64 " left after %" PRIu64
         " cycles\n",
         stats.mallocs, stats.heap_objects, stats.num_gc);
  dusk_heap_close(heap);
  return 0;
}
