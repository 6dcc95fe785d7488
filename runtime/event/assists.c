/* SPDX-License-Identifier: MIT */
/* assists.c -- what paying for its allocation cost a thread
 *
 * Tested by tests/unit/trace.c. */
#include "event/assists.h"

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
  raise_to(&assists->longest_ns, ns);
}

void assists_fold(struct assists *sum, const struct assists *assists)
{
  counter_add(&sum->count, LOAD_RELAXED(&assists->count));
  counter_add(&sum->ns, LOAD_RELAXED(&assists->ns));
  counter_add(&sum->bytes, LOAD_RELAXED(&assists->bytes));
  raise_to(&sum->longest_ns, LOAD_RELAXED(&assists->longest_ns));
}
