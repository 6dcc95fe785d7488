/* SPDX-License-Identifier: MIT */
/* delays.c -- when a thread was held up, and for how long
 *
 * A ring with one writer and one reader at a time, each with a count that the
 * other only reads.
 *
 *   .written  released after the slot is filled, so that who acquires it finds
 *             the delay there.
 *   .read     released after the slot is copied, so that who acquires it may
 *             fill it again.
 *
 * Tested by tests/unit/delays.c. */
#include "event/delays.h"

#include "os/block.h"

struct delays *delays_make(void)
{
  struct delays *delays = block_make_aligned(CACHE_LINE, sizeof *delays);
  if (delays)
    delays_clear(delays);
  return delays;
}

void delays_free(struct delays *delays)
{
  block_free(delays);
}

void delays_clear(struct delays *delays)
{
  delays->written = 0;
  delays->lost = 0;
  delays->read = 0;
  delays->lost_read = 0;
}

void delays_add(struct delays *delays, enum delay_kind kind, uint64_t start_ns,
                uint64_t duration_ns)
{
  uint64_t written = LOAD_RELAXED(&delays->written);
  /* .read, in delays_take() */
  if (written - LOAD_ACQUIRE(&delays->read) == DELAYS_ROOM) {
    counter_add(&delays->lost, 1);
    return;
  }
  delays->ring[written % DELAYS_ROOM] = (struct delay){
      .start_ns = start_ns, .duration_ns = duration_ns, .kind = kind};
  STORE_RELEASE(&delays->written, written + 1); /* .written, delays_take() */
}

bool delays_take(struct delays *delays, struct delay *delay)
{
  uint64_t read = LOAD_RELAXED(&delays->read);
  /* .written, in delays_add() */
  if (read == LOAD_ACQUIRE(&delays->written))
    return false;
  *delay = delays->ring[read % DELAYS_ROOM];
  STORE_RELEASE(&delays->read, read + 1); /* .read, delays_add() */
  return true;
}

uint64_t delays_take_lost(struct delays *delays)
{
  uint64_t lost = LOAD_RELAXED(&delays->lost);
  uint64_t since = lost - delays->lost_read;
  delays->lost_read = lost;
  return since;
}
