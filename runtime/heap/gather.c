/* SPDX-License-Identifier: MIT */
/* gather.c -- copying ambiguous words into the grey set
 *
 * Tested by tests/unit/rootset.c and the stress tests of stacks and roots. */
#include "heap/gather.h"

/* Fills the packet; returns where it stopped. */
READS_AMBIGUOUS_WORDS
static const uintptr_t *fill(const struct arena *arena, struct packet *packet,
                             const uintptr_t *from, const uintptr_t *to)
{
  uintptr_t base = arena->base;
  size_t bytes = (size_t)arena->end << PAGE_LOG2;
  uint32_t count = packet->count;
  for (; from < to && count < PACKET_WORDS; from++) {
    uintptr_t word = *(const volatile uintptr_t *)from;
    packet->words[count] = word;
    count += word - base < bytes;
  }
  packet->count = count;
  return from;
}

bool gather(const struct arena *arena, struct grey *grey,
            struct packet **packet, uintptr_t from, uintptr_t to)
{
  const uintptr_t *at = (const uintptr_t *)from;
  const uintptr_t *end = (const uintptr_t *)to;
  for (;;) {
    at = fill(arena, *packet, at, end);
    if (at >= end)
      return true;
    struct packet *next = grey_packet(grey);
    if (!next)
      return false;
    grey_hand_over(grey, &grey->raw, *packet);
    *packet = next;
  }
}
