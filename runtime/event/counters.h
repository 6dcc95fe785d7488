/* SPDX-License-Identifier: MIT */
/* counters.h -- what the heap counts: written low, read high
 *
 * Each counter is written where a thing happens and read by the pacer and by
 * report/, from any thread, at any time; all accesses are relaxed.  A counter
 * never decides what may be freed. */
#ifndef DUSK_EVENT_COUNTERS_H
#define DUSK_EVENT_COUNTERS_H

#include "base/atomic.h"

#include "dusk/abi.h"

/* Small objects by class, and one row for large ones. */
enum {
  COUNTER_ROWS = DUSK_SIZE_CLASSES + 1,
  COUNTER_LARGE = DUSK_SIZE_CLASSES
};

/* Objects and bytes, by class.  One writer at a time. */
struct tally {
  uint64_t objects[COUNTER_ROWS];
  uint64_t large_bytes;
};

void tally_add(struct tally *tally, unsigned row, uint64_t objects,
               uint64_t large_bytes);

/* sum += tally */
void tally_fold(struct tally *sum, const struct tally *tally);

uint64_t tally_objects(const struct tally *tally);
uint64_t tally_bytes(const struct tally *tally);

/* The heap as allocation and the pacer see it, bytes.
 *
 * A span's free slots count as live from the moment that a thread takes it
 * (as in Go): the pacer then needs no counting on the allocation path.  The
 * census starts the count anew; spans taken since the cycle's H4 belong to the
 * next count already, so there are two, by the parity of the taker's epoch. */
struct flow {
  uint64_t counted;      /* live bytes that the last census found */
  uint64_t counted_scan; /* of those, in kinds that are scanned */
  /* Added to by threads, atomically. */
  _Alignas(CACHE_LINE) uint64_t taken[2];
  uint64_t taken_scan[2];
  /* Bytes outside the heap that its objects hold, as the program declares
   * them: live as long as nobody takes them back. */
  uint64_t external;
};

/* What threads have taken, and what the program has declared. */
uint64_t flow_live(const struct flow *flow);
uint64_t flow_scannable(const struct flow *flow);

static inline void flow_take(struct flow *flow, uint32_t epoch, uint64_t bytes,
                             bool scanned)
{
  ADD_RELAXED(&flow->taken[epoch & 1], bytes);
  if (scanned)
    ADD_RELAXED(&flow->taken_scan[epoch & 1], bytes);
}

/* A thread that leaves gives back what it took and did not use. */
static inline void flow_untake(struct flow *flow, uint32_t epoch,
                               uint64_t bytes, bool scanned)
{
  SUB_RELAXED(&flow->taken[epoch & 1], bytes);
  if (scanned)
    SUB_RELAXED(&flow->taken_scan[epoch & 1], bytes);
}

static inline uint64_t flow_external(const struct flow *flow)
{
  return LOAD_RELAXED(&flow->external);
}

/* Declares `delta` bytes more outside the heap; false: fewer are declared than
 * would be taken back, and none are left. */
bool flow_declare(struct flow *flow, int64_t delta);

/* In the child of a fork: what is there was counted, and nobody has taken
 * anything since. */
void flow_recount(struct flow *flow, uint64_t counted, uint64_t counted_scan);

/* The census of the cycle that led to `epoch` is complete. */
void flow_count(struct flow *flow, uint32_t epoch, uint64_t counted,
                uint64_t counted_scan);

#endif
