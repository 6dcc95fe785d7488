/* SPDX-License-Identifier: MIT */
/* grey.c -- the grey set: packets of words, handed from thread to thread
 *
 * Tested by tests/unit/grey.c: packets are neither lost nor doubled among
 * threads that push and pop. */
#include "heap/grey.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "os/vm.h"

/* Packets become usable this many at a time: 1 MiB. */
enum { GROWTH_PACKETS = 256 };

bool grey_init(struct grey *grey, size_t bytes)
{
  size_t packets = bytes / sizeof(struct packet);
  *grey = (struct grey){.made = 1};
  packets = packets > UINT32_MAX ? UINT32_MAX : packets;
  grey->limit = (uint32_t)packets;
  grey->packets =
      vm_reserve(align_up(packets * sizeof(struct packet), vm_page_size()),
                 vm_page_size());
  lock_init(&grey->lock, RANK_grey);
  return grey->packets != NULL;
}

void grey_destroy(struct grey *grey)
{
  vm_unmap(grey->packets, align_up((size_t)grey->limit * sizeof(struct packet),
                                   vm_page_size()));
  lock_destroy(&grey->lock);
}

static void grow(struct grey *grey)
{
  uint32_t count = grey->limit - grey->usable;
  count = count < GROWTH_PACKETS ? count : GROWTH_PACKETS;
  if (count &&
      vm_commit(&grey->packets[grey->usable], count * sizeof(struct packet)))
    grey->usable += count;
}

static struct packet *make_packet(struct grey *grey)
{
  struct packet *packet = NULL;
  lock_acquire(&grey->lock);
  if (grey->made >= grey->usable)
    grow(grey);
  if (grey->made < grey->usable)
    packet = &grey->packets[grey->made++];
  lock_release(&grey->lock);
  return packet;
}

struct packet *grey_packet(struct grey *grey)
{
  struct packet *packet = grey_pop(grey, &grey->empty);
  if (!packet)
    packet = make_packet(grey);
  if (packet)
    packet->count = 0;
  return packet;
}

void grey_recycle(struct grey *grey, struct packet *packet)
{
  grey_push(grey, &grey->empty, packet);
}

void grey_push(struct grey *grey, struct packet_list *list,
               struct packet *packet)
{
  uint64_t number = (uint64_t)(packet - grey->packets);
  uint64_t head = LOAD_RELAXED(&list->head);
  uint64_t pushed;
  do {
    STORE_RELAXED(&packet->next, (uint32_t)head);
    pushed = (head & ~(uint64_t)UINT32_MAX) | number;
    CHAOS("grey-push");
  } while (!CAS_RELEASE(&list->head, &head, pushed)); /* with grey_pop() */
}

struct packet *grey_pop(struct grey *grey, struct packet_list *list)
{
  uint64_t head = LOAD_ACQUIRE(&list->head); /* with grey_push() */
  for (;;) {
    struct packet *packet = &grey->packets[(uint32_t)head];
    if (packet == grey->packets)
      return NULL;
    CHAOS("grey-pop");
    /* Another thread may have taken the packet by now, and `next` be anything:
     * the count in the head tells. */
    uint64_t count = (head >> 32) + 1;
    uint64_t popped = count << 32 | LOAD_RELAXED(&packet->next);
    if (CAS_ACQ_REL(&list->head, &head, popped)) /* with grey_push() */
      return packet;
  }
}

void grey_hand_over(struct grey *grey, struct packet_list *list,
                    struct packet *packet)
{
  /* Inside the door: a round that begins now must not take the set for empty
   * and `dirty` for its own to clear. */
  __atomic_fetch_add(&grey->busy, 1, __ATOMIC_SEQ_CST); /* with grey_shut() */
  /* Before the push: who pops the packet in a round must find it dirty. */
  __atomic_store_n(&grey->dirty, 1, __ATOMIC_SEQ_CST);
  CHAOS("dirty-not-pushed");
  grey_push(grey, list, packet);
  CHAOS("pushed-inside");
  grey_leave(grey);
}

void grey_begin_round(struct grey *grey)
{
  CHAOS("dirty-not-cleared");
  __atomic_store_n(&grey->dirty, 0, __ATOMIC_SEQ_CST); /* with hand_over */
}

bool grey_enter(struct grey *grey)
{
  __atomic_fetch_add(&grey->busy, 1, __ATOMIC_SEQ_CST); /* with grey_shut() */
  CHAOS("at-the-door");
  if (__atomic_load_n(&grey->open, __ATOMIC_SEQ_CST))
    return true;
  grey_leave(grey);
  return false;
}

void grey_leave(struct grey *grey)
{
  __atomic_fetch_sub(&grey->busy, 1, __ATOMIC_SEQ_CST); /* with grey_shut() */
}

void grey_open(struct grey *grey)
{
  __atomic_store_n(&grey->open, 1, __ATOMIC_SEQ_CST); /* with grey_enter() */
}

bool grey_shut(struct grey *grey)
{
  __atomic_store_n(&grey->open, 0, __ATOMIC_SEQ_CST); /* with grey_enter() */
  CHAOS("shut-not-counted");
  if (__atomic_load_n(&grey->busy, __ATOMIC_SEQ_CST) == 0 &&
      grey_is_empty(grey))
    return true;
  grey_open(grey);
  return false;
}

static void discard(struct grey *grey, struct packet_list *list)
{
  struct packet *packet;
  while ((packet = grey_pop(grey, list)))
    grey_recycle(grey, packet);
}

void grey_discard(struct grey *grey)
{
  discard(grey, &grey->objects);
  discard(grey, &grey->raw);
}

/* The memory stays usable.  What the packets hold is of a cycle that is over.
 */
void grey_reset(struct grey *grey)
{
  struct packet *packets = grey->packets;
  uint32_t limit = grey->limit;
  uint32_t usable = grey->usable;
  *grey = (struct grey){
      .packets = packets, .limit = limit, .made = 1, .usable = usable};
  lock_init(&grey->lock, RANK_grey);
}

uint64_t grey_bytes(struct grey *grey)
{
  lock_acquire(&grey->lock);
  uint64_t bytes = (uint64_t)(grey->made - 1) * sizeof(struct packet);
  lock_release(&grey->lock);
  return bytes;
}
