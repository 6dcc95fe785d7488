/* SPDX-License-Identifier: MIT */
/* stale.c -- a program for memory checkers to watch; tests/tools.sh runs it
 *
 *   stale clean    uses the heap as it should be used
 *   stale read     and then reads an object that is dead
 *   stale write    or writes one byte behind an object
 *
 * Prints "done" if nobody stops it. */
#include <dusk.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NODES = 200, WORDS = 8 };

struct node {
  struct node *next;
  uint64_t words[WORDS - 1];
};

static dusk_heap *heap;
static dusk_kind kind;
static uintptr_t hidden[NODES]; /* inverted: no pointers */

static __attribute__((noinline)) struct node *make_node(dusk_thread *thread)
{
  return dusk_new(thread, kind);
}

static __attribute__((noinline)) void make_garbage(dusk_thread *thread)
{
  for (int i = 0; i < NODES; i++)
    hidden[i] = ~(uintptr_t)make_node(thread);
}

/* Dead for sure: no word that was left somewhere kept it. */
static struct node *find_dead(void)
{
  for (int i = 0; i < NODES; i++)
    if (dusk_size_of(heap, (void *)~hidden[i]) == 0)
      return (struct node *)~hidden[i];
  return NULL;
}

static __attribute__((noinline)) uint64_t use_stale(struct node *node)
{
  return *(volatile uint64_t *)&node->words[2];
}

static __attribute__((noinline)) void write_behind(struct node *node)
{
  ((volatile char *)node)[sizeof *node] = 1;
}

/* A list that grows and is cut, so that slots are used again. */
static int use_heap(dusk_thread *thread)
{
  struct node *list = NULL;
  for (uint64_t i = 0; i < 20000; i++) {
    struct node *node = make_node(thread);
    for (int w = 0; w < WORDS - 1; w++)
      if (node->words[w])
        return 0;
    node->words[0] = i;
    dusk_init(thread, &node->next, list);
    list = i % 500 ? node : NULL;
    if (i % 5000 == 0)
      dusk_collect(thread);
  }
  uint64_t expected = 19999;
  for (; list; list = dusk_load(&list->next))
    if (list->words[0] != expected--)
      return 0;
  char *large = dusk_alloc(thread, DUSK_LEAF, 100000);
  memset(large, 1, 100000);
  return 1;
}

/* The only pointer is a local that has an address: AddressSanitizer may keep it
 * elsewhere than on the stack.  Meanwhile `other` runs, if it is not NULL. */
static __attribute__((noinline)) int keep_in_a_local(dusk_thread *thread,
                                                     void *(*other)(void *))
{
  struct node *local[4];
  struct node **volatile there = local;
  void *result = heap;
  pthread_t id;
  for (int i = 0; i < 4; i++) {
    there[i] = make_node(thread);
    there[i]->words[0] = (uint64_t)i;
  }
  dusk_blocking_begin(thread);
  if (other &&
      (pthread_create(&id, NULL, other, NULL) || pthread_join(id, &result)))
    result = NULL;
  dusk_blocking_end(thread);
  dusk_collect(thread);
  dusk_collect(thread);
  for (int i = 0; i < 4; i++)
    if (there[i]->words[0] != (uint64_t)i ||
        dusk_size_of(heap, there[i]) < sizeof(struct node))
      return 0;
  return result != NULL;
}

static void *work(void *argument)
{
  dusk_thread *thread;
  (void)argument;
  if (dusk_attach(heap, &thread))
    return NULL;
  int good = use_heap(thread) && keep_in_a_local(thread, NULL);
  dusk_detach(thread);
  return good ? heap : NULL;
}

int main(int count, char **arguments)
{
  static const uint64_t pointers = 1;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.size = sizeof(struct node);
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &pointers;
  dusk_thread *thread;
  const char *what = count > 1 ? arguments[1] : "clean";
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread) ||
      dusk_kind_define(heap, &spec, &kind))
    return 2;
  if (!keep_in_a_local(thread, work) || !use_heap(thread))
    return 3;
  make_garbage(thread);
  dusk_collect(thread);
  dusk_collect(thread);
  struct node *dead = find_dead();
  if (!dead)
    return 4;
  if (strcmp(what, "read") == 0)
    printf("%d\n", (int)use_stale(dead));
  if (strcmp(what, "write") == 0)
    write_behind(make_node(thread));
  dusk_detach(thread);
  dusk_heap_close(heap);
  puts("done");
  return 0;
}
