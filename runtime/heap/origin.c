/* SPDX-License-Identifier: MIT */
/* origin.c -- where objects were allocated: a stack for each
 *
 * Noted by the thread that allocates, once an object: the arena is careful, so
 * each allocation passes by.  Read for reports, by any thread.
 *
 * The depot only grows, without a lock: a stack is written first and linked
 * into its bucket then, so two threads may keep the same stack twice, which
 * costs its words and nothing else.  Numbers are offsets in units of 8 bytes.
 *
 * Unwinding is what it costs: half a microsecond for each object.
 *
 * Tested by tests/unit/origin.c. */
#include "heap/origin.h"

#include "base/bits.h"
#include "os/unwind.h"
#include "os/vm.h"

/* Stacks of a program that never repeats one fill this, and then no more are
 * kept: a quarter of a million stacks of 16 frames, or a few more. */
#define DEPOT_BYTES ((size_t)64 << 20)
#define DEPOT_UNITS ((uint32_t)(DEPOT_BYTES / sizeof(uint64_t)))

enum { BUCKETS = 1 << 16 };

/* Frames of ours below the program's, at most. */
enum { OUR_FRAMES = 8 };

struct stack {
  uint32_t below; /* the next one in its bucket */
  uint32_t count;
  uint64_t hash;
  uintptr_t pcs[];
};

enum { STACK_UNITS = sizeof(struct stack) / sizeof(uint64_t) };

struct origins {
  uint32_t *table; /* a reservation */
  size_t table_bytes;
  uint64_t *depot;   /* committed as a whole, touched as it fills */
  uint32_t used;     /* units; atomic */
  uint32_t usable;   /* pages that the table can tell of; atomic */
  uint32_t *buckets; /* the last stack of each; 0: none.  Atomic: release by
                        who links a stack, acquire by who reads it */
};

#define BUCKETS_BYTES (BUCKETS * sizeof(uint32_t))

static size_t origins_bytes(void)
{
  return align_up(sizeof(struct origins), vm_page_size());
}

static bool reserve(struct origins *origins, const struct arena *arena)
{
  origins->table_bytes = align_up(
      (arena->bytes >> GRANULE_LOG2) * sizeof(uint32_t), vm_page_size());
  origins->table = vm_reserve(origins->table_bytes, vm_page_size());
  origins->depot = vm_map(DEPOT_BYTES);
  origins->buckets = vm_map(BUCKETS_BYTES);
  return origins->table && origins->depot && origins->buckets;
}

static void destroy(struct origins *origins)
{
  if (origins->table)
    vm_unmap(origins->table, origins->table_bytes);
  if (origins->depot)
    vm_unmap(origins->depot, DEPOT_BYTES);
  if (origins->buckets)
    vm_unmap(origins->buckets, BUCKETS_BYTES);
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
  origins->used = 1; /* number 0 is "not known" */
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

static struct stack *stack_at(const struct origins *origins, uint32_t number)
{
  return (struct stack *)(void *)(origins->depot + number);
}

/* Multiplication spreads upwards and the shift brings it down again. */
static uint64_t hash_of(const uintptr_t *pcs, unsigned count)
{
  uint64_t hash = count;
  for (unsigned i = 0; i < count; i++) {
    hash = (hash ^ pcs[i]) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 29;
  }
  return hash;
}

static bool is_same(const struct stack *stack, uint64_t hash,
                    const uintptr_t *pcs, unsigned count)
{
  if (stack->hash != hash || stack->count != count)
    return false;
  for (unsigned i = 0; i < count; i++)
    if (stack->pcs[i] != pcs[i])
      return false;
  return true;
}

/* 0: the depot is full. */
static uint32_t add(struct origins *origins, uint32_t *bucket, uint32_t below,
                    uint64_t hash, const uintptr_t *pcs, unsigned count)
{
  uint32_t units = STACK_UNITS + count;
  if (LOAD_RELAXED(&origins->used) > DEPOT_UNITS - units)
    return 0;
  uint32_t number = ADD_RELAXED(&origins->used, units);
  if (number > DEPOT_UNITS - units)
    return 0; /* others were faster; `used` stays beyond the end */
  struct stack *stack = stack_at(origins, number);
  stack->count = count;
  stack->hash = hash;
  for (unsigned i = 0; i < count; i++)
    stack->pcs[i] = pcs[i];
  do
    stack->below = below;
  while (!CAS_RELEASE(bucket, &below, number)); /* with number_of() */
  return number;
}

static uint32_t number_of(struct origins *origins, const uintptr_t *pcs,
                          unsigned count)
{
  uint64_t hash = hash_of(pcs, count);
  uint32_t *bucket = &origins->buckets[hash % BUCKETS];
  uint32_t first = LOAD_ACQUIRE(bucket); /* with add() */
  for (uint32_t n = first; n; n = stack_at(origins, n)->below)
    if (is_same(stack_at(origins, n), hash, pcs, count))
      return n;
  return add(origins, bucket, first, hash, pcs, count);
}

/* The program's part of the stack begins where our function returns to it. */
static unsigned program_frames(uintptr_t *pcs, unsigned count, uintptr_t caller)
{
  unsigned first = 0;
  while (caller && first < count && pcs[first] != caller)
    first++;
  if (first == count)
    first = 0; /* not found: too much is better than nothing */
  unsigned kept =
      count - first < ORIGIN_FRAMES ? count - first : (unsigned)ORIGIN_FRAMES;
  for (unsigned i = 0; i < kept; i++)
    pcs[i] = pcs[first + i];
  return kept;
}

void origin_note(struct arena *arena, uintptr_t object, uintptr_t caller)
{
  uintptr_t pcs[OUR_FRAMES + ORIGIN_FRAMES];
  uint32_t *word = entry(arena, object);
  if (!word)
    return;
  unsigned count = unwind_here(pcs, OUR_FRAMES + ORIGIN_FRAMES);
  count = program_frames(pcs, count, caller);
  /* Release: who reads the number of an object that it was handed by a relaxed
   * load of its own still finds the stack.  Pairs with origin_stack(). */
  STORE_RELEASE(word, count ? number_of(arena->origins, pcs, count) : 0);
}

unsigned origin_stack(const struct arena *arena, uintptr_t object,
                      uintptr_t *pcs, unsigned capacity)
{
  const uint32_t *word = entry(arena, object);
  uint32_t number = word ? LOAD_ACQUIRE(word) : 0; /* with origin_note() */
  if (!number)
    return 0;
  const struct stack *stack = stack_at(arena->origins, number);
  unsigned count = stack->count < capacity ? stack->count : capacity;
  for (unsigned i = 0; i < count; i++)
    pcs[i] = stack->pcs[i];
  return count;
}
