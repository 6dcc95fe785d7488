/* SPDX-License-Identifier: MIT */
/* grey.h -- the grey set: packets of words, handed from thread to thread
 *
 * Two lists, and the packets that somebody is filling or emptying:
 *
 *   objects   starts of objects whose mark this cycle has set: grey
 *   raw       words that nobody has tested: copied from stacks and roots, or
 *             logged by the barrier before every thread had served H2
 *
 * A list is a stack that any thread pushes to and pops from without a lock
 * (Treiber 1986); its head packs a packet's number with a count of pops, so
 * that a packet which left and came back is not taken for one that stayed.
 * Pushing releases and popping acquires: a packet's words, and the objects that
 * they name, are seen by who takes it.
 *
 * `dirty` says that the set grew since the termination round began: it is set
 * before a packet is pushed, and cleared before the round is posted.
 *
 * `open` and `busy` are the door to the set.  A marker enters before it takes a
 * packet and leaves when it holds none; whoever hands a packet over is inside
 * while it does.  The cycle shuts the door, and then knows from busy == 0 that
 * nobody marks, that nothing is on its way, and that no marker will come in.
 * Both sides write one word and read the other, which takes sequential
 * consistency. */
#ifndef DUSK_HEAP_GREY_H
#define DUSK_HEAP_GREY_H

#include "base/atomic.h"
#include "base/lock.h"

/* A packet is 4 KiB: pushing it costs about 20 ns, a word its share of that.
 * Larger ones spread work worse among markers. */
enum { PACKET_WORDS = 510 };

struct packet {
  uint32_t next; /* number of the packet below in a list */
  uint32_t count;
  uint64_t reserved;
  uintptr_t words[PACKET_WORDS];
};

_Static_assert(sizeof(struct packet) == 4096, "a packet is 4 KiB");

/* Number of the top packet (0: none), and above it a count of pops. */
struct packet_list {
  _Alignas(CACHE_LINE) uint64_t head;
};

struct grey {
  struct packet *packets; /* a reservation; number 0 is not used */
  uint32_t limit;
  uint32_t made;    /* below: handed out at least once; under lock */
  uint32_t usable;  /* below: committed; under lock */
  struct lock lock; /* RANK_grey */

  struct packet_list objects;
  struct packet_list raw;
  struct packet_list empty;

  _Alignas(CACHE_LINE) uint32_t dirty;
  uint32_t open;
  uint32_t busy;
  uint32_t hungry; /* a marker found nothing: who has much, shares */
  /* An object was marked and could not be buffered: see mark_rescan(). */
  uint32_t overflowed;
};

/* Reserves room for packets of `bytes` in all.  false: no address space. */
WARN_UNUSED bool grey_init(struct grey *grey, size_t bytes);
void grey_destroy(struct grey *grey);

/* An empty packet; NULL: there is no memory for one. */
WARN_UNUSED struct packet *grey_packet(struct grey *grey);
void grey_recycle(struct grey *grey, struct packet *packet);

void grey_push(struct grey *grey, struct packet_list *list,
               struct packet *packet);
/* NULL: the list is empty. */
WARN_UNUSED struct packet *grey_pop(struct grey *grey,
                                    struct packet_list *list);

/* Clears `dirty`: the driver, before it makes sure that the set is empty. */
void grey_begin_round(struct grey *grey);

/* Sets `dirty`, then pushes; the door counts it as inside. */
void grey_hand_over(struct grey *grey, struct packet_list *list,
                    struct packet *packet);

static inline bool packet_list_is_empty(const struct packet_list *list)
{
  return (uint32_t)LOAD_ACQUIRE(&list->head) == 0; /* with grey_push() */
}

static inline bool grey_is_empty(const struct grey *grey)
{
  return packet_list_is_empty(&grey->objects) &&
         packet_list_is_empty(&grey->raw);
}

/* A marker comes in; false: the door is shut. */
WARN_UNUSED bool grey_enter(struct grey *grey);
void grey_leave(struct grey *grey);

void grey_open(struct grey *grey);

/* Shuts the door.  false: somebody is inside, or there is work: it is open
 * again. */
WARN_UNUSED bool grey_shut(struct grey *grey);

/* Throws away what is left in both lists. */
void grey_discard(struct grey *grey);

/* In the child of a fork: no packet was ever handed out, nobody is inside. */
void grey_reset(struct grey *grey);

/* Bytes of packets ever used. */
uint64_t grey_bytes(struct grey *grey);

#endif
