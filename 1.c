#include <dusk.h>
#include <pthread.h>
#include <stdio.h>

enum { COUNT = 200000 };

struct numbers {
  dusk_heap *heap;
  double *values; /* filled by main, read by the other thread */
  double sum;
};

static void *add_up(void *argument)
{
  struct numbers *numbers = argument;
  dusk_thread *thread;
  if (dusk_attach(numbers->heap, &thread))
    return NULL;

  double *values = numbers->values;
  double sum = 0;
  for (int i = 0; i < COUNT; i++) {
    sum += values[i];
    if (i % 1024 == 0)
      dusk_safepoint(thread); /* a loop that does not allocate */
  }
  numbers->sum = sum;

  dusk_detach(thread);
  return NULL;
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;

  struct numbers numbers = {heap, NULL, 0}; /* on main's stack: a root */
  numbers.values = dusk_alloc(thread, DUSK_LEAF, COUNT * sizeof(double));
  if (!numbers.values)
    return 1;
  for (int i = 0; i < COUNT; i++)
    numbers.values[i] = i;

  pthread_t other;
  if (pthread_create(&other, NULL, add_up, &numbers))
    return 1;
  dusk_blocking_begin(thread); /* main is attached and will wait */
  pthread_join(other, NULL);
  dusk_blocking_end(thread);

  printf("the sum is %.0f\n", numbers.sum);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return numbers.sum != COUNT * (COUNT - 1.0) / 2;
}
