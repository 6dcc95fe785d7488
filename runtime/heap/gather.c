/* SPDX-License-Identifier: MIT */
/* gather.c -- copying ambiguous words into the grey set
 *
 * Tested by tests/unit/rootset.c and the stress tests of stacks and roots. */
#include "heap/gather.h"

#include "os/tools.h"

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

static bool gather_words(const struct arena *arena, struct grey *grey,
                         struct packet **packet, const uintptr_t *at,
                         const uintptr_t *end)
{
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

/* Under Valgrind, which would follow a word that was never written into the
 * packet, and from there into the marks. */
static COLD bool gather_copies(const struct arena *arena, struct grey *grey,
                               struct packet **packet, const uintptr_t *at,
                               const uintptr_t *end)
{
  enum { WORDS = 128 };
  uintptr_t words[WORDS];
  while (at < end) {
    size_t count = (size_t)(end - at) < WORDS ? (size_t)(end - at) : WORDS;
    tool_copy_words(words, at, count);
    if (!gather_words(arena, grey, packet, words, words + count))
      return false;
    at += count;
  }
  return true;
}

bool gather(const struct arena *arena, struct grey *grey,
            struct packet **packet, uintptr_t from, uintptr_t to)
{
  const uintptr_t *at = (const uintptr_t *)from;
  const uintptr_t *end = (const uintptr_t *)to;
  return LIKELY(!arena->copies) ? gather_words(arena, grey, packet, at, end)
                                : gather_copies(arena, grey, packet, at, end);
}

/* A frame is known by the word that its function keeps on the real stack. */
READS_AMBIGUOUS_WORDS
bool gather_fake(const struct arena *arena, struct grey *grey,
                 struct packet **packet, void *fake_stack, uintptr_t from,
                 uintptr_t to)
{
  uintptr_t start, end;
  if (!fake_stack)
    return true;
  for (; from < to; from += sizeof(uintptr_t))
    if (tool_fake_frame(fake_stack, *(const volatile uintptr_t *)from, &start,
                        &end) &&
        !gather(arena, grey, packet, start, end))
      return false;
  return true;
}
