/* SPDX-License-Identifier: MIT */
/* counters.c -- what the heap counts: folding */
#include "event/counters.h"

/* Far more than a machine has; sums of a few sizes still fit. */
#define EXTERNAL_MAX_BYTES (UINT64_C(1) << 60)

void tally_add(struct tally *tally, unsigned row, uint64_t objects,
               uint64_t large_bytes)
{
  counter_add(&tally->objects[row], objects);
  if (large_bytes)
    counter_add(&tally->large_bytes, large_bytes);
}

void tally_fold(struct tally *sum, const struct tally *tally)
{
  for (unsigned i = 0; i < COUNTER_ROWS; i++)
    counter_add(&sum->objects[i], LOAD_RELAXED(&tally->objects[i]));
  counter_add(&sum->large_bytes, LOAD_RELAXED(&tally->large_bytes));
}

uint64_t tally_objects(const struct tally *tally)
{
  uint64_t objects = 0;
  for (unsigned i = 0; i < COUNTER_ROWS; i++)
    objects += LOAD_RELAXED(&tally->objects[i]);
  return objects;
}

uint64_t tally_bytes(const struct tally *tally)
{
  uint64_t bytes = LOAD_RELAXED(&tally->large_bytes);
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++)
    bytes += LOAD_RELAXED(&tally->objects[i]) * dusk_class_size(i);
  return bytes;
}

uint64_t flow_live(const struct flow *flow)
{
  return LOAD_RELAXED(&flow->counted) + LOAD_RELAXED(&flow->taken[0]) +
         LOAD_RELAXED(&flow->taken[1]) + flow_external(flow);
}

uint64_t flow_scannable(const struct flow *flow)
{
  return LOAD_RELAXED(&flow->counted_scan) +
         LOAD_RELAXED(&flow->taken_scan[0]) +
         LOAD_RELAXED(&flow->taken_scan[1]);
}

bool flow_declare(struct flow *flow, int64_t delta)
{
  uint64_t old = flow_external(flow);
  uint64_t next;
  do {
    /* A size beyond all memory would wrap the sums that it is part of. */
    next = old + (uint64_t)delta;
    if (delta < 0 && (uint64_t)-delta > old)
      next = 0;
    else if (next > EXTERNAL_MAX_BYTES)
      next = EXTERNAL_MAX_BYTES;
  } while (!CAS_ACQUIRE(&flow->external, &old, next)); /* orders nothing */
  return delta >= 0 || (uint64_t)-delta <= old;
}

void flow_count(struct flow *flow, uint32_t epoch, uint64_t counted,
                uint64_t counted_scan)
{
  unsigned old = (epoch + 1) & 1;
  STORE_RELAXED(&flow->counted, counted);
  STORE_RELAXED(&flow->counted_scan, counted_scan);
  STORE_RELAXED(&flow->taken[old], 0);
  STORE_RELAXED(&flow->taken_scan[old], 0);
}

void flow_recount(struct flow *flow, uint64_t counted, uint64_t counted_scan)
{
  flow_count(flow, 0, counted, counted_scan);
  flow_count(flow, 1, counted, counted_scan);
}
