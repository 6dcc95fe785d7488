/* SPDX-License-Identifier: MIT */
/* ring.c -- the last events of one thread
 *
 * Event number n stands in place n % room.  While number `written` is being
 * filled in, it takes the place of number written - room: so what a reader may
 * trust are the room - 1 events before `written`, as it stands after reading.
 *
 *   .written    released after the event, so that who acquires it finds it.
 *   .overtaken  each word of an event is released, and acquired: a reader that
 *               finds a word of a later event finds `written` as it was before
 *               that one, at least, and so knows that it came too late.
 *
 * Tested by tests/unit/ring.c. */
#include "event/ring.h"

#include "os/block.h"

size_t ring_bytes(uint64_t room)
{
  size_t bytes = sizeof(struct ring) + room * RING_WORDS * sizeof(uint64_t);
  return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

uint64_t ring_room(size_t bytes)
{
  return (bytes - sizeof(struct ring)) / (RING_WORDS * sizeof(uint64_t));
}

struct ring *ring_make(uint64_t room)
{
  struct ring *ring = block_make_aligned(CACHE_LINE, ring_bytes(room));
  if (ring)
    *ring = (struct ring){.room = room};
  return ring;
}

void ring_free(struct ring *ring)
{
  block_free(ring);
}

static void put(uint64_t *to, uint64_t word)
{
  STORE_RELEASE(to, word); /* .overtaken, with get() */
}

static uint64_t get(const uint64_t *from)
{
  return LOAD_ACQUIRE(from); /* .overtaken, with put() */
}

void ring_add(struct ring *ring, const struct event *event)
{
  uint64_t written = LOAD_RELAXED(&ring->written);
  uint64_t *words = ring->words[written % ring->room];
  put(&words[0], event->start_ns);
  put(&words[1], event->duration_ns);
  put(&words[2], event->a);
  put(&words[3], event->b);
  put(&words[4], (uint64_t)event->owner << 32 | (uint32_t)event->id);
  STORE_RELEASE(&ring->written, written + 1); /* .written, ring_next() */
}

/* Of the events before `written`, those that can be read begin here. */
static uint64_t first_whole(const struct ring *ring, uint64_t written)
{
  return written < ring->room ? 0 : written - ring->room + 1;
}

bool ring_next(const struct ring *ring, struct ring_reader *reader,
               struct event *event)
{
  uint64_t written = LOAD_ACQUIRE(&ring->written); /* .written, ring_add() */
  while (reader->next < written) {
    uint64_t first = first_whole(ring, written);
    if (reader->next < first) {
      reader->lost += first - reader->next;
      reader->next = first;
    }
    const uint64_t *words = ring->words[reader->next % ring->room];
    *event = (struct event){.start_ns = get(&words[0]),
                            .duration_ns = get(&words[1]),
                            .a = get(&words[2]),
                            .b = get(&words[3])};
    uint64_t last = get(&words[4]);
    event->owner = (uint32_t)(last >> 32);
    event->id = (enum event_id)(uint32_t)last;
    written = LOAD_ACQUIRE(&ring->written); /* .overtaken */
    if (reader->next >= first_whole(ring, written)) {
      reader->next++;
      return true;
    }
  }
  return false;
}
