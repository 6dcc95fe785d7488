/* SPDX-License-Identifier: MIT */
/* depot.c -- stacks, each once, by number
 *
 * The depot only grows, without a lock: a stack is written first and linked
 * into its bucket then, so two threads may keep the same stack twice, which
 * costs its words and nothing else.  Numbers are offsets in units of 8 bytes.
 *
 * Tested by tests/unit/depot.c, and by the objects of tests/unit/origin.c. */
#include "heap/depot.h"

#include "base/bits.h"
#include "os/vm.h"

/* Stacks of a program that never repeats one fill this, and then no more are
 * kept: a quarter of a million stacks of 16 frames, or a few more. */
#define DEPOT_BYTES ((size_t)64 << 20)
#define DEPOT_UNITS ((uint32_t)(DEPOT_BYTES / sizeof(uint64_t)))

enum { BUCKETS = 1 << 16 };
#define BUCKETS_BYTES (BUCKETS * sizeof(uint32_t))

struct stack {
  uint32_t below; /* the next one in its bucket */
  uint32_t count;
  uint64_t hash;
  uintptr_t pcs[];
};

enum { STACK_UNITS = sizeof(struct stack) / sizeof(uint64_t) };

bool depot_open(struct depot *depot)
{
  *depot = (struct depot){
      .units = vm_map(DEPOT_BYTES),
      .buckets = vm_map(BUCKETS_BYTES),
      .used = 1, /* number 0 is "not known" */
  };
  if (depot->units && depot->buckets)
    return true;
  depot_close(depot);
  return false;
}

void depot_close(struct depot *depot)
{
  if (depot->units)
    vm_unmap(depot->units, DEPOT_BYTES);
  if (depot->buckets)
    vm_unmap(depot->buckets, BUCKETS_BYTES);
  *depot = (struct depot){0};
}

static struct stack *stack_at(const struct depot *depot, uint32_t number)
{
  return (struct stack *)(void *)(depot->units + number);
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
static uint32_t add(struct depot *depot, uint32_t *bucket, uint32_t below,
                    uint64_t hash, const uintptr_t *pcs, unsigned count)
{
  uint32_t units = STACK_UNITS + count;
  if (LOAD_RELAXED(&depot->used) > DEPOT_UNITS - units)
    return 0;
  uint32_t number = ADD_RELAXED(&depot->used, units);
  if (number > DEPOT_UNITS - units)
    return 0; /* others were faster; `used` stays beyond the end */
  struct stack *stack = stack_at(depot, number);
  stack->count = count;
  stack->hash = hash;
  for (unsigned i = 0; i < count; i++)
    stack->pcs[i] = pcs[i];
  do
    stack->below = below;
  while (!CAS_RELEASE(bucket, &below, number)); /* with depot_number() */
  return number;
}

uint32_t depot_number(struct depot *depot, const uintptr_t *pcs, unsigned count)
{
  uint64_t hash = hash_of(pcs, count);
  uint32_t *bucket = &depot->buckets[hash % BUCKETS];
  uint32_t first = LOAD_ACQUIRE(bucket); /* with add() */
  for (uint32_t n = first; n; n = stack_at(depot, n)->below)
    if (is_same(stack_at(depot, n), hash, pcs, count))
      return n;
  return add(depot, bucket, first, hash, pcs, count);
}

const uintptr_t *depot_stack(const struct depot *depot, uint32_t number,
                             unsigned *count)
{
  const struct stack *stack = stack_at(depot, number);
  *count = stack->count;
  return stack->pcs;
}

uint64_t depot_bytes(const struct depot *depot)
{
  uint64_t used = (uint64_t)LOAD_RELAXED(&depot->used) * sizeof(uint64_t);
  used = align_up(used, vm_page_size());
  return (used < DEPOT_BYTES ? used : DEPOT_BYTES) + BUCKETS_BYTES;
}
