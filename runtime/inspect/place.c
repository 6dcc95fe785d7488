/* SPDX-License-Identifier: MIT */
/* place.c -- where outside the heap the words are that keep objects alive
 *
 * Tested by tests/unit/place.c. */
#include "inspect/place.h"

#include "base/bits.h"
#include "os/self.h"
#include "os/symbol.h"

#include <dlfcn.h>
#include <stdio.h>

enum { WORD = sizeof(uintptr_t) };

struct data_visit {
  place_visit *visit;
  void *context;
};

static void visit_data(uintptr_t start, uintptr_t end, void *context)
{
  const struct data_visit *to = context;
  struct place place = {.kind = PLACE_DATA,
                        .start = align_up(start, WORD),
                        .end = align_down(end, WORD)};
  to->visit(to->context, &place);
}

static void visit_thread(const struct dusk_thread *thread, place_visit *visit,
                         void *context)
{
  const struct stack_view *stack = &thread->standing.stack;
  struct place place = {.kind = PLACE_REGISTERS,
                        .thread = thread,
                        .start = (uintptr_t)stack->words,
                        .end = (uintptr_t)(stack->words + stack->count)};
  visit(context, &place);
  place.kind = PLACE_STACK;
  place.start = align_down(stack->sp, WORD);
  place.end = thread->stack_high;
  visit(context, &place);
}

void place_each(struct dusk_heap *heap, place_visit *visit, void *context)
{
  struct collector *collector = &heap->collector;
  struct rootset *set = &collector->roots;
  for (struct dusk_thread *t = collector->registry.first; t; t = t->next)
    visit_thread(t, visit, context);
  lock_acquire(&set->lock);
  for (size_t i = 0; i < set->count; i++) {
    struct place place = {.kind = PLACE_ROOT,
                          .start = align_up(set->roots[i].start, WORD),
                          .end = align_down(set->roots[i].end, WORD)};
    visit(context, &place);
  }
  if (set->data_segments) {
    struct data_visit to = {visit, context};
    self_data_segments(visit_data, &to);
  }
  lock_release(&set->lock);
}

struct search {
  uintptr_t address;
  struct place found;
};

/* The narrowest wins: a root may lie in a data segment, or on a stack; and the
 * registers of a thread that stands are words of its own stack. */
static void look(void *context, const struct place *place)
{
  struct search *search = context;
  struct place *found = &search->found;
  if (search->address - place->start < place->end - place->start &&
      (!found->end || place->end - place->start < found->end - found->start))
    *found = *place;
}

const struct frame *place_frame(const struct place *place, uintptr_t address)
{
  const struct standing *standing = &place->thread->standing;
  const struct frame *found = NULL;
  for (uint32_t i = 0; i < standing->frame_count; i++)
    if (standing->frames[i].sp <= address)
      found = &standing->frames[i];
  return found;
}

static void print_stack(const struct place *place, uintptr_t address,
                        char *text, size_t size)
{
  char name[256] = "a frame that is not known";
  const struct frame *frame = place_frame(place, address);
  if (frame)
    symbol_print(frame->pc, name, sizeof name);
  snprintf(text, size, "stack of thread %llu, word at 0x%zx, in %s",
           (unsigned long long)place->thread->life.number, (size_t)address,
           name);
}

static void print_registers(const struct place *place, uintptr_t address,
                            char *text, size_t size)
{
  snprintf(text, size, "register %zu of thread %llu",
           (size_t)(address - place->start) / WORD,
           (unsigned long long)place->thread->life.number);
}

static void print_root(const struct place *place, uintptr_t address, char *text,
                       size_t size)
{
  Dl_info symbol;
  int used = snprintf(text, size, "%s 0x%zx+%zu",
                      place->kind == PLACE_ROOT ? "root" : "data segment",
                      (size_t)place->start, (size_t)(address - place->start));
  if (used > 0 && (size_t)used < size && dladdr((void *)address, &symbol) &&
      symbol.dli_sname)
    snprintf(text + used, size - (size_t)used, " (%s+%zu)", symbol.dli_sname,
             (size_t)(address - (uintptr_t)symbol.dli_saddr));
}

void place_print(struct dusk_heap *heap, uintptr_t address, char *text,
                 size_t size)
{
  struct search search = {.address = address};
  place_each(heap, look, &search);
  const struct place *found = &search.found;
  if (!found->end)
    snprintf(text, size, "a word at 0x%zx", (size_t)address);
  else if (found->kind == PLACE_STACK)
    print_stack(found, address, text, size);
  else if (found->kind == PLACE_REGISTERS)
    print_registers(found, address, text, size);
  else
    print_root(found, address, text, size);
}
