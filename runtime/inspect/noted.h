/* SPDX-License-Identifier: MIT */
/* noted.h -- what each thread holds, as it notes for itself
 *
 * A round like any other, between marking and H4: each thread writes down which
 * words of its registers and stack could be heap addresses, where they stand,
 * and the frames of its stack; and goes on.  They do not do it at one moment,
 * and nobody waits for anybody. */
#ifndef DUSK_INSPECT_NOTED_H
#define DUSK_INSPECT_NOTED_H

#include "collect/heap.h"

/* A packet of pairs: a word and its address; or a frame's pc and sp, innermost
 * first.  The first pair of frames is none: it says where the stack ends, and
 * where on it the program's own frames begin. */
enum noted_what { NOTED_WORDS, NOTED_FRAMES };

struct noted {
  struct packet_list packets;
  uint32_t is_short; /* there were no packets for all; atomic */
};

/* The driver, with no round open: asks all threads, and waits until each has
 * answered. */
void noted_gather(struct dusk_heap *heap, struct noted *noted);

/* The packets can be used again. */
void noted_release(struct dusk_heap *heap, struct noted *noted);

static inline enum noted_what noted_what(const struct packet *packet)
{
  return (enum noted_what)(packet->reserved & 1);
}

/* The number of the thread that wrote it (life.number). */
static inline uint64_t noted_thread(const struct packet *packet)
{
  return packet->reserved >> 1;
}

/* Packets in no order; after number 0 comes the first, NULL is the end. */
static inline const struct packet *noted_next(const struct dusk_heap *heap,
                                              const struct noted *noted,
                                              const struct packet *packet)
{
  uint32_t next = packet ? packet->next : (uint32_t)noted->packets.head;
  return next ? &heap->collector.grey.packets[next] : NULL;
}

#endif
