#include <dusk.h>

struct cell {
  struct cell *next;
  long value;
};

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;
  struct cell *list = NULL; /* a local is a root: nothing to declare */
  for (long i = 0; i < 1000000; i++) {
    struct cell *cell = dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *cell);
    if (!cell)
      return 1;
    cell->value = i;
    dusk_init(thread, &cell->next, i % 100 ? list : NULL);
    list = cell; /* what it held before is collected, some time, by itself */
  }
  dusk_detach(thread);
  dusk_heap_close(heap);
}
