#include <dusk.h>
#include <stdio.h>
#include <string.h>

enum { BUCKETS = 64 };

struct symbol {
  struct symbol *next;
  char name[24];
};

static struct symbol *symbols[BUCKETS]; /* static data: a root once added */

static struct symbol *intern(dusk_thread *thread, const char *name)
{
  unsigned hash = 0;
  for (const char *c = name; *c; c++)
    hash = hash * 31 + (unsigned char)*c;
  struct symbol **bucket = &symbols[hash % BUCKETS];

  for (struct symbol *s = dusk_load(bucket); s; s = dusk_load(&s->next))
    if (!strcmp(s->name, name))
      return s;

  struct symbol *symbol =
      dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *symbol);
  if (symbol) {
    dusk_init(thread, &symbol->next, dusk_load(bucket));
    snprintf(symbol->name, sizeof symbol->name, "%s", name);
    dusk_store(thread, bucket, symbol); /* a root: with barrier */
  }
  return symbol;
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread) ||
      dusk_root_add(heap, symbols, sizeof symbols))
    return 1;

  for (int i = 0; i < 1000; i++) {
    char name[24];
    snprintf(name, sizeof name, "symbol-%d", i);
    if (!intern(thread, name))
      return 1;
  }
  dusk_collect(thread);

  struct symbol *symbol = intern(thread, "symbol-999");
  int same = symbol && symbol == intern(thread, "symbol-999");
  printf("%s is %s\n", symbol ? symbol->name : "?", same ? "one" : "two");

  dusk_root_remove(heap, symbols);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return !same;
}
