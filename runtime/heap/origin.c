/* SPDX-License-Identifier: MIT */
/* origin.c -- where objects were allocated: a stack for each
 *
 * Noted by the thread that allocates, once an object: the arena is careful, so
 * each allocation passes by.  Read for reports, by any thread.
 *
 * Unwinding is what it costs: half a microsecond for each object.
 *
 * Tested by tests/unit/origin.c. */
#include "heap/origin.h"

#include "base/bits.h"
#include "heap/depot.h"
#include "os/unwind.h"
#include "os/vm.h"

struct origins {
  uint32_t *table; /* a reservation */
  size_t table_bytes;
  uint32_t usable; /* pages that the table can tell of; atomic */
  struct depot depot;
};

static size_t origins_bytes(void)
{
  return align_up(sizeof(struct origins), vm_page_size());
}

static bool reserve(struct origins *origins, const struct arena *arena)
{
  origins->table_bytes = align_up(
      (arena->bytes >> GRANULE_LOG2) * sizeof(uint32_t), vm_page_size());
  origins->table = vm_reserve(origins->table_bytes, vm_page_size());
  return depot_open(&origins->depot) && origins->table;
}

static void destroy(struct origins *origins)
{
  if (origins->table)
    vm_unmap(origins->table, origins->table_bytes);
  depot_close(&origins->depot);
  vm_unmap(origins, origins_bytes());
}

void origin_open(struct arena *arena)
{
  struct origins *origins = vm_map(origins_bytes());
  CHECK(arena->careful && !arena->origins);
  if (!origins)
    return;
  if (!reserve(origins, arena)) {
    destroy(origins);
    return;
  }
  arena->origins = origins;
  origin_commit(arena, arena->pages.committed);
}

void origin_close(struct arena *arena)
{
  if (arena->origins)
    destroy(arena->origins);
  arena->origins = NULL;
}

void origin_commit(struct arena *arena, uint32_t to)
{
  struct origins *origins = arena->origins;
  uint32_t from = LOAD_RELAXED(&origins->usable);
  size_t each = PAGE_GRANULES * sizeof(uint32_t); /* 2 KiB a page */
  size_t unit = vm_page_size();
  size_t start = align_down(from * each, unit);
  size_t end = align_up(to * each, unit);
  end = end < origins->table_bytes ? end : origins->table_bytes;
  /* After a refusal the next growth tries from the same place again. */
  if (start < end && vm_commit((char *)origins->table + start, end - start))
    STORE_RELEASE(&origins->usable, to); /* with entry() */
}

/* An object's word in the table; NULL: it has none. */
static uint32_t *entry(const struct arena *arena, uintptr_t object)
{
  const struct origins *origins = arena->origins;
  /* Pairs with origin_commit(). */
  if (!origins || !arena_holds(arena, object) ||
      arena_page_of(arena, object) >= LOAD_ACQUIRE(&origins->usable))
    return NULL;
  return &origins->table[arena_granule(arena, object)];
}

void origin_note(struct arena *arena, uintptr_t object, uintptr_t caller)
{
  uintptr_t pcs[ORIGIN_FRAMES];
  uint32_t *word = entry(arena, object);
  if (!word)
    return;
  unsigned count = unwind_program(caller, pcs, ORIGIN_FRAMES);
  /* Release: who reads the number of an object that it was handed by a relaxed
   * load of its own still finds the stack.  Pairs with origin_stack(). */
  STORE_RELEASE(word,
                count ? depot_number(&arena->origins->depot, pcs, count) : 0);
}

unsigned origin_stack(const struct arena *arena, uintptr_t object,
                      uintptr_t *pcs, unsigned capacity)
{
  const uint32_t *word = entry(arena, object);
  uint32_t number = word ? LOAD_ACQUIRE(word) : 0; /* with origin_note() */
  if (!number)
    return 0;
  unsigned count;
  const uintptr_t *stack = depot_stack(&arena->origins->depot, number, &count);
  count = count < capacity ? count : capacity;
  for (unsigned i = 0; i < count; i++)
    pcs[i] = stack[i];
  return count;
}
