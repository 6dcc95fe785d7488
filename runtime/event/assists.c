/* SPDX-License-Identifier: MIT */
/* assists.c -- what paying for its allocation cost a thread
 *
 * Tested by tests/unit/assists.c and tests/api/assist.c. */
#include "event/assists.h"

unsigned assists_bucket(uint64_t ns)
{
  enum { FIRST_LOG2 = 10 };
  if (ns >> FIRST_LOG2 == 0)
    return 0;
  unsigned log2 = 63u - (unsigned)__builtin_clzll(ns);
  unsigned bucket =
      1 + 4 * (log2 - FIRST_LOG2) + (unsigned)(ns >> (log2 - 2) & 3);
  return bucket < DUSK_ASSIST_BUCKETS ? bucket : DUSK_ASSIST_BUCKETS - 1;
}

static void raise_to(uint64_t *longest, uint64_t ns)
{
  if (ns > LOAD_RELAXED(longest))
    STORE_RELAXED(longest, ns);
}

void assists_add(struct assists *assists, uint64_t ns, uint64_t bytes)
{
  counter_add(&assists->count, 1);
  counter_add(&assists->ns, ns);
  counter_add(&assists->bytes, bytes);
  counter_add(&assists->histogram[assists_bucket(ns)], 1);
  raise_to(&assists->longest_ns, ns);
}

#define SUMS(X)                                                                \
  X(count)                                                                     \
  X(ns)                                                                        \
  X(bytes)                                                                     \
  X(pool_bytes)                                                                \
  X(charged_bytes) X(debt_bytes) X(asides) X(aside_ns) X(walls) X(wall_ns)

void assists_fold(struct assists *sum, const struct assists *assists)
{
#define X(field) counter_add(&sum->field, LOAD_RELAXED(&assists->field));
  SUMS(X)
#undef X
  for (unsigned i = 0; i < DUSK_ASSIST_BUCKETS; i++)
    counter_add(&sum->histogram[i], LOAD_RELAXED(&assists->histogram[i]));
  raise_to(&sum->longest_ns, LOAD_RELAXED(&assists->longest_ns));
}

void assists_tell(const struct assists *assists, dusk_assist_stats *out)
{
  *out = (dusk_assist_stats){
      .struct_size = out->struct_size,
      .assists = LOAD_RELAXED(&assists->count),
      .total_ns = LOAD_RELAXED(&assists->ns),
      .longest_ns = LOAD_RELAXED(&assists->longest_ns),
      .marked_bytes = LOAD_RELAXED(&assists->bytes),
      .pool_bytes = LOAD_RELAXED(&assists->pool_bytes),
      .charged_bytes = LOAD_RELAXED(&assists->charged_bytes),
      .debt_bytes = LOAD_RELAXED(&assists->debt_bytes),
      .asides = LOAD_RELAXED(&assists->asides),
      .aside_ns = LOAD_RELAXED(&assists->aside_ns),
      .walls = LOAD_RELAXED(&assists->walls),
      .wall_ns = LOAD_RELAXED(&assists->wall_ns),
  };
  for (unsigned i = 0; i < DUSK_ASSIST_BUCKETS; i++)
    out->histogram[i] = LOAD_RELAXED(&assists->histogram[i]);
}
