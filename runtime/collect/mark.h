/* SPDX-License-Identifier: MIT */
/* mark.h -- turning grey objects black
 *
 * A marker is whoever drains the grey set: the driver, a helper, or a mutator
 * that pays for an allocation.  It enters, drains, and leaves holding nothing.
 */
#ifndef DUSK_COLLECT_MARK_H
#define DUSK_COLLECT_MARK_H

#include "collect/collector.h"

/* Objects wait here between being prefetched and being scanned.  bench/mark,
 * CPU ns an object, best of three, with 4, 8, 16 and 32 slots: shuffled graph
 * of 4 M objects 51, 34, 34, 32; tree of 2 M in order 22, 16.5, 14.8, 13.5. */
enum { FIFO_SLOTS = 32 };

struct dusk_tracer {
  uintptr_t base; /* of the arena */
  size_t bytes;   /* that may hold objects in this cycle */
  uint64_t *marks;
  struct packet *packet; /* objects found: last in, first out */
  struct packet *spare;  /* empty, or NULL */
  uint64_t work;         /* bytes scanned since it entered */
  uint64_t counted;      /* of those, known to the pacer */
  struct collector *collector;
  struct roles roles;

  /* Not NULL: an inspector traces, and wants to know the slots. */
  void (*note)(void *context, void *const *slot);
  void *note_context;

  uint32_t fifo_first;
  uint32_t fifo_count;
  uintptr_t fifo[FIFO_SLOTS];
};

/* A grey packet's word that begins a piece of a large object rather than a
 * whole object: the piece's start with this bit, below it the object's end. */
enum { PIECE_TAG = 1 };

/* Lets a marker in; false: nobody marks now, or there is no packet. */
WARN_UNUSED bool mark_enter(struct dusk_tracer *tracer,
                            struct collector *collector);
/* Lets it out: what it holds goes back to the grey set. */
void mark_leave(struct dusk_tracer *tracer);

/* Hands what the marker holds to others, and goes on with nothing: before it
 * rests, or because somebody is hungry. */
void mark_share(struct dusk_tracer *tracer);

/* Marks until `budget` bytes are scanned; false: there is no more to do. */
bool mark_drain(struct dusk_tracer *tracer, uint64_t budget);

/* Comes in, marks `work` bytes and leaves; returns what it did.  0: there was
 * nothing to get, and those who hold something know it now. */
uint64_t mark_some(struct collector *collector, uint64_t work);

/* The same by a mutator that pays; adds the time that it took. */
uint64_t mark_assist(struct collector *collector, uint64_t work, uint64_t *ns);

/* An object was marked and could not be buffered, for want of packets: reads
 * every marked object of the heap once more.  The driver. */
void mark_rescan(struct dusk_tracer *tracer);

/* Turns the object that `word` names, if it is white, grey.  `word` is NULL, no
 * heap address, or an object's start. */
void mark_push(struct dusk_tracer *tracer, uintptr_t word);

static inline void mark_word(struct dusk_tracer *tracer, uintptr_t word)
{
  uintptr_t offset = word - tracer->base;
  if (offset < tracer->bytes &&
      marks_win(tracer->marks, offset >> GRANULE_LOG2))
    mark_push(tracer, word);
}

#endif
