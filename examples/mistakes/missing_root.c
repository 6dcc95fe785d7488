/* SPDX-License-Identifier: MIT */
/* missing_root.c -- a table in static memory that the heap was not told of
 *
 * remember() keeps the last words in a static table.  The table is no root, so
 * its words are freed under it by the next cycle, and the program prints
 * whatever came to lie there since.
 *
 *   DUSK_DEBUG=rootcheck=1 ./missing_root
 */
#include <dusk.h>
#include <stdio.h>
#include <string.h>

enum { TABLE_WORDS = 4 };

static const char *table[TABLE_WORDS];

static const char *copy_word(dusk_thread *thread, const char *word)
{
  size_t bytes = strlen(word) + 1;
  char *copy = dusk_alloc(thread, DUSK_LEAF, bytes);
  return copy ? memcpy(copy, word, bytes) : NULL;
}

static void remember(dusk_thread *thread, int index, const char *word)
{
  dusk_store(thread, &table[index], copy_word(thread, word)); /* MISTAKE */
}
/* The fix, before the first word: dusk_root_add(heap, table, sizeof table); */

/* Overwrites what finished calls left on the stack, which keeps things alive
 * that the program has forgotten. */
static __attribute__((noinline)) void scrub_stack(void)
{
  volatile char dead[16384];
  for (size_t i = 0; i < sizeof dead; i++)
    dead[i] = 0;
}

static __attribute__((noinline)) void fill(dusk_thread *thread)
{
  static const char *const words[TABLE_WORDS] = {"north", "east", "south",
                                                 "west"};
  for (int i = 0; i < TABLE_WORDS; i++)
    remember(thread, i, words[i]);
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;
  fill(thread);
  scrub_stack();
  dusk_collect(thread);
  for (int i = 0; i < TABLE_WORDS; i++)
    printf("word %d: %s\n", i, table[i]);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return 0;
}
