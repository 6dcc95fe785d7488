/* SPDX-License-Identifier: MIT */
/* rootcheck.c -- DUSK_DEBUG=rootcheck: who holds an object that is about to be
 * freed?
 *
 *   /proc/self/maps --> words that name a white object --> is it memory that
 * the heap was told of?
 *                                                      --> who is it?
 *
 * Looks through all memory of the process that can be written to, but for what
 * is ours and what the heap knows: then, what is found is a word that the
 * program may take for a pointer later, and the heap was not told of.
 *
 * MAY BE.  Memory that was freed, or not yet written to, holds old words, so a
 * report is a question and the program goes on.  The dead part of a stack is
 * not looked at, as far as it is known where that begins; nor is, in the child
 * of a fork, the stack that a thread of the parent had.
 *
 * Memory is copied before it is looked at, as it may go away under our eyes:
 * threads that the heap does not know run on.
 *
 * Tested by tests/unit/rootcheck.c, tests/mistakes.sh and
 * tests/api/forkmodes.c. */
#include "inspect/rootcheck.h"

#include "base/bits.h"
#include "base/check.h"
#include "collect/crew.h"
#include "collect/worker.h"
#include "heap/shadow.h"
#include "inspect/thing.h"
#include "os/machine.h"
#include "os/maps.h"
#include "os/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = sizeof(uintptr_t), PIECE_WORDS = 8192 };

/* In one cycle; kinds of holders in the order in which they are told. */
enum { FOUND_MAX = 256, REPORTS_MAX = 8 };
enum holder { HOLDER_STATIC, HOLDER_STACK, HOLDER_MAPPED, HOLDERS };

struct hold {
  uintptr_t address;
  struct thing thing;
  enum holder holder;
  struct map map;
};

struct rootcheck {
  struct dusk_heap *heap;
  const struct arena *arena;
  struct roles roles;
  unsigned count;
  struct hold found[FOUND_MAX];
  uintptr_t piece[PIECE_WORDS];
};

/* The stack of a thread that a fork has left behind, or will: one of ours. */
struct vanished {
  struct vanished *next;
  uintptr_t low;
  uintptr_t high;
};

static bool is_in(uintptr_t address, const void *start, size_t bytes)
{
  return address - (uintptr_t)start < bytes;
}

static bool is_own_stack(pthread_t thread, uintptr_t address)
{
  uintptr_t low, high;
  return maps_stack(thread, &low, &high) && address >= low && address < high;
}

static bool is_of_thread(const struct dusk_thread *list, uintptr_t address)
{
  for (; list; list = list->next)
    if (is_in(address, list, sizeof *list) ||
        (thread_state(list) != THREAD_DETACHED && address >= list->stack_low &&
         address < list->stack_high))
      return true;
  return false;
}

/* Ours, or known to the heap. */
static bool is_known(const struct rootcheck *check, uintptr_t address)
{
  const struct collector *collector = &check->heap->collector;
  const struct rootset *roots = &collector->roots;
  if (is_in(address, check, sizeof *check) ||
      is_in(address, check->heap, sizeof *check->heap) ||
      is_in(address, collector->grey.packets,
            (size_t)collector->grey.limit * sizeof(struct packet)) ||
      is_of_thread(collector->registry.first, address) ||
      is_of_thread(collector->registry.spare, address) ||
      is_own_stack(pthread_self(), address) ||
      (crew_is_there(collector) &&
       is_own_stack(collector->scavenging.thread, address)))
    return true;
  for (unsigned i = 0; i < collector->helper_count; i++)
    if (is_own_stack(helper_thread(collector, i), address))
      return true;
  for (size_t i = 0; i < roots->count; i++)
    if (address >= roots->roots[i].start && address < roots->roots[i].end)
      return true;
  return false;
}

/* A thread that was there may have ended long before the fork, and its stack be
 * something else by now: but then it no longer begins where that began. */
static bool has_vanished(const struct rootcheck *check, const struct map *map,
                         uintptr_t address)
{
  bool first = strcmp(map->name, "[stack]") == 0;
  const struct vanished *stack = check->heap->vanished;
  while (stack && (address < stack->low || address >= stack->high ||
                   !(first || map->start == stack->low)))
    stack = stack->next;
  return stack != NULL;
}

static bool is_dying(const struct rootcheck *check, uintptr_t word,
                     struct thing *thing)
{
  return thing_find(check->arena, word, thing) &&
         thing_is_allocated(thing, check->roles) &&
         !thing_is_marked(thing, check->roles);
}

/* An end of an array that lives is the start of its neighbour. */
static bool is_end(const struct rootcheck *check, uintptr_t word,
                   const struct thing *thing)
{
  struct thing before;
  return word == thing->start && thing_ends_at(check->arena, word, &before) &&
         thing_is_marked(&before, check->roles);
}

static void look_at(struct rootcheck *check, const struct map *map,
                    uintptr_t address, uintptr_t word)
{
  struct thing thing;
  char text[8];
  uintptr_t sp = 0;
  if (check->count == FOUND_MAX || !is_dying(check, word, &thing) ||
      is_known(check, address))
    return;
  enum holder holder = HOLDER_MAPPED;
  if (maps_variable(address, text, sizeof text))
    holder = HOLDER_STATIC;
  else if (maps_thread(map->start, map->end, &sp))
    holder = HOLDER_STACK;
  if (address < sp ||
      (holder == HOLDER_MAPPED &&
       (is_end(check, word, &thing) || has_vanished(check, map, address))))
    return;
  check->found[check->count++] = (struct hold){address, thing, holder, *map};
}

/* What is big, ours and full of pointers is passed over as a whole: the first
 * address at or after `at` that is not in it. */
static uintptr_t pass_ours(const struct rootcheck *check, uintptr_t at)
{
  const struct arena *arena = check->arena;
  for (uintptr_t from = 0; from != at;) {
    from = at;
    if (is_in(at, (void *)arena->base, arena->bytes))
      at = arena->base + arena->bytes;
    if (is_in(at, arena->tables, arena->tables_bytes))
      at = (uintptr_t)arena->tables + arena->tables_bytes;
    at = shadow_pass(arena, at);
  }
  return at;
}

/* What is larger than the machine's memory is a table that is hardly touched,
 * as AddressSanitizer has: to look for its pages alone would take minutes. */
static bool is_too_large(const struct map *map)
{
  return map->end - map->start > machine_memory_bytes();
}

static void look_through(void *context, const struct map *map)
{
  struct rootcheck *check = context;
  uintptr_t at = map->start;
  if (is_too_large(map))
    return;
  while ((at = pass_ours(check, at)) < map->end &&
         (at = maps_touched(at, map->end)) < map->end) {
    size_t bytes = map->end - at;
    bytes = bytes < sizeof check->piece ? bytes : sizeof check->piece;
    size_t copied = maps_copy(check->piece, at, bytes);
    for (size_t i = 0; i < copied / WORD; i++)
      if (check->piece[i] - check->arena->base < check->arena->bytes &&
          pass_ours(check, at + i * WORD) == at + i * WORD)
        look_at(check, map, at + i * WORD, check->piece[i]);
    at += bytes;
  }
}

static void print_holder(const struct hold *hold, char *text, size_t size)
{
  char name[256];
  uintptr_t sp;
  int thread;
  switch (hold->holder) {
  case HOLDER_STATIC:
    maps_variable(hold->address, name, sizeof name);
    snprintf(text, size, "the static variable %s", name);
    break;
  case HOLDER_STACK:
    thread = maps_thread(hold->map.start, hold->map.end, &sp);
    snprintf(text, size, "the stack of thread %d (not attached)", thread);
    break;
  default:
    snprintf(text, size, "memory at 0x%zx (malloc, or mapped: %s+0x%zx)",
             (size_t)hold->address,
             *hold->map.name ? hold->map.name : "no name",
             (size_t)(hold->address - hold->map.start));
  }
}

static void report(const struct rootcheck *check, const struct hold *hold)
{
  char holder[512], text[256];
  print_holder(hold, holder, sizeof holder);
  thing_print(&hold->thing, text, sizeof text);
  complain("rootcheck: object %s is freed; %s points to it and is no root: it "
           "may still be in use",
           text, holder);
  thing_print_origin(check->arena, hold->thing.start, "  ");
}

static void report_all(const struct rootcheck *check)
{
  unsigned told = 0;
  for (int holder = 0; holder < HOLDERS; holder++)
    for (unsigned i = 0; i < check->count && told < REPORTS_MAX; i++)
      if (check->found[i].holder == (enum holder)holder) {
        report(check, &check->found[i]);
        told++;
      }
  if (told < check->count)
    complain("rootcheck: and %u%s more words", check->count - told,
             check->count == FOUND_MAX ? " or" : "");
}

/* Once each.  Without memory for it there are questions too many. */
static void note_stack(struct dusk_heap *heap, uintptr_t low, uintptr_t high)
{
  struct vanished *stack = heap->vanished;
  while (stack && (stack->low != low || stack->high != high))
    stack = stack->next;
  if (stack || !(stack = malloc(sizeof *stack)))
    return;
  *stack = (struct vanished){heap->vanished, low, high};
  heap->vanished = stack;
}

static void note_own_stack(struct dusk_heap *heap, pthread_t thread)
{
  uintptr_t low, high;
  if (maps_stack(thread, &low, &high))
    note_stack(heap, low, high);
}

/* In a child there will be nobody to ask; a driver that has forked itself is
 * there alone. */
static void note_own_stacks(struct dusk_heap *heap)
{
  const struct collector *collector = &heap->collector;
  note_own_stack(heap, pthread_self());
  if (!crew_is_there(collector))
    return;
  note_own_stack(heap, collector->scavenging.thread);
  for (unsigned i = 0; i < collector->helper_count; i++)
    note_own_stack(heap, helper_thread(collector, i));
}

void rootcheck_run(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  size_t bytes = align_up(sizeof(struct rootcheck), vm_page_size());
  struct rootcheck *check = vm_map(bytes);
  if (!check) {
    complain("rootcheck: no memory for it: this cycle is not checked");
    return;
  }
  note_own_stacks(heap);
  check->heap = heap;
  check->arena = &collector->arena;
  check->roles = arena_roles(&collector->arena, collector->epoch);
  maps_each(look_through, check);
  report_all(check);
  vm_unmap(check, bytes);
}

void rootcheck_revive(struct dusk_heap *heap)
{
  const struct registry *registry = &heap->collector.registry;
  for (const struct dusk_thread *t = registry->spare; t; t = t->next)
    if (t->stack_high)
      note_stack(heap, t->stack_low, t->stack_high);
}

void rootcheck_close(struct dusk_heap *heap)
{
  struct vanished *stack = heap->vanished;
  while (stack) {
    struct vanished *next = stack->next;
    free(stack);
    stack = next;
  }
  heap->vanished = NULL;
}
