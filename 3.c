#include <dusk.h>
#include <stdio.h>

enum tag { TAG_NONE, TAG_NUMBER, TAG_PAIR };

struct value { /* what a small Lisp might have */
  enum tag tag;
  union {
    double number;
    struct {
      struct value *first, *rest;
    } pair;
  };
};

static void value_trace(void *object, size_t bytes, dusk_tracer *tracer,
                        void *context)
{
  struct value *value = object;
  (void)bytes;
  (void)context;
  if (value->tag == TAG_PAIR) { /* TAG_NONE: still all zero */
    dusk_trace(tracer, (void *const *)&value->pair.first);
    dusk_trace(tracer, (void *const *)&value->pair.rest);
  }
}

static struct value *number(dusk_thread *thread, dusk_kind kind, double n)
{
  struct value *value = dusk_new(thread, kind);
  if (value) {
    value->tag = TAG_NUMBER;
    value->number = n;
  }
  return value;
}

static struct value *pair(dusk_thread *thread, dusk_kind kind,
                          struct value *first, struct value *rest)
{
  struct value *value = dusk_new(thread, kind);
  if (value) {
    value->tag = TAG_PAIR; /* set once, never changed */
    dusk_init(thread, &value->pair.first, first);
    dusk_init(thread, &value->pair.rest, rest);
  }
  return value;
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = "value";
  spec.size = sizeof(struct value);
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = value_trace;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread) ||
      dusk_kind_define(heap, &spec, &kind))
    return 1;

  struct value *list = NULL;
  for (int i = 1; i <= 100000; i++)
    list = pair(thread, kind, number(thread, kind, i),
                i % 100 == 1 ? NULL : list);
  dusk_collect(thread);

  double sum = 0;
  for (struct value *at = list; at; at = dusk_load(&at->pair.rest)) {
    struct value *first = dusk_load(&at->pair.first);
    sum += first ? first->number : 0;
  }
  printf("the list sums to %.0f\n", sum);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return sum != 9995050;
}
