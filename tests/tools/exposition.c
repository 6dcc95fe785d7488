/* SPDX-License-Identifier: MIT */
/* exposition.c -- a program that has collected, and says what it measured
 *
 *   exposition openmetrics|prometheus
 *
 * For tests/openmetrics.sh.  The text has objects of many sizes, a thread that
 * has left, tables of a profile, and maybe a thread's name that needs escapes:
 * that of the slowest. */
#define _GNU_SOURCE
#include <dusk.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void *table[64];

static void fill(dusk_thread *thread)
{
  for (unsigned i = 0; i < 200000; i++) {
    void *object = dusk_alloc(thread, DUSK_LEAF, 1 + i % 5000);
    if (object)
      dusk_store(thread, &table[i % 64], object);
  }
}

static void *work(void *heap)
{
  dusk_thread *thread;
  pthread_setname_np(pthread_self(), "a\"b\\c\nd");
  if (dusk_attach(heap, &thread) != 0)
    return NULL;
  fill(thread);
  dusk_detach(thread);
  return NULL;
}

int main(int count, char **arguments)
{
  dusk_heap *heap;
  dusk_thread *thread;
  pthread_t other;
  if (count != 2 || dusk_heap_open(NULL, &heap) != 0 ||
      dusk_attach(heap, &thread) != 0 ||
      dusk_root_add(heap, table, sizeof table) != 0)
    return 2;
  dusk_set_profile_rate(heap, 4096);
  if (pthread_create(&other, NULL, work, heap) != 0)
    return 2;
  fill(thread);
  dusk_blocking_begin(thread);
  pthread_join(other, NULL);
  dusk_blocking_end(thread);
  dusk_collect(thread);
  int error = strcmp(arguments[1], "openmetrics") == 0
                  ? dusk_write_openmetrics(heap, 1)
                  : dusk_write_prometheus(heap, 1);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return error ? 1 : 0;
}
