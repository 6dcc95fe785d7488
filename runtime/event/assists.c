/* SPDX-License-Identifier: MIT */
/* assists.c -- what paying for its allocation cost a thread
 *
 * Tested by tests/unit/assists.c and tests/api/assist.c. */
#include "event/assists.h"

/* The public buckets are those of the histogram from 1024 ns to 2^30 ns; what
 * is below, and above, is one each. */
static unsigned public_bucket(unsigned bucket)
{
  const unsigned first = histogram_bucket(1024);
  unsigned at = bucket < first ? 0 : bucket - first + 1;
  return at < DUSK_ASSIST_BUCKETS ? at : DUSK_ASSIST_BUCKETS - 1;
}

static void raise_to(uint64_t *longest, uint64_t ns)
{
  if (ns > LOAD_RELAXED(longest))
    STORE_RELAXED(longest, ns);
}

void assists_add(struct assists *assists, uint64_t ns, uint64_t bytes)
{
  counter_add(&assists->count, 1);
  counter_add(&assists->bytes, bytes);
  histogram_add(&assists->times, ns);
  raise_to(&assists->longest_ns, ns);
}

#define SUMS(X)                                                                \
  X(count)                                                                     \
  X(bytes)                                                                     \
  X(pool_bytes)                                                                \
  X(charged_bytes) X(debt_bytes) X(asides) X(aside_ns) X(walls) X(wall_ns)

void assists_fold(struct assists *sum, const struct assists *assists)
{
#define X(field) counter_add(&sum->field, LOAD_RELAXED(&assists->field));
  SUMS(X)
#undef X
  histogram_fold(&sum->times, &assists->times);
  raise_to(&sum->longest_ns, LOAD_RELAXED(&assists->longest_ns));
}

void assists_tell(const struct assists *assists, dusk_assist_stats *out)
{
  *out = (dusk_assist_stats){
      .struct_size = out->struct_size,
      .assists = LOAD_RELAXED(&assists->count),
      .total_ns = LOAD_RELAXED(&assists->times.sum_ns),
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
  for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
    out->histogram[public_bucket(i)] += LOAD_RELAXED(&assists->times.counts[i]);
}
