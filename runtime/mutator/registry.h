/* SPDX-License-Identifier: MIT */
/* registry.h -- the attached threads, and the handshake that is under way
 *
 * A handshake is a round with a number.  The collector posts a step; each
 * attached thread runs it once, at a safepoint of its own (poll.c), and the
 * collector runs it for threads in blocking regions.  Posting, attaching and
 * leaving take the lock, so that each thread either is counted by a round or
 * joins as if it had served it. */
#ifndef DUSK_MUTATOR_REGISTRY_H
#define DUSK_MUTATOR_REGISTRY_H

#include "base/lock.h"
#include "base/park.h"
#include "mutator/thread.h"

/* What a thread does in a round, on itself or while SERVED.  false: it could
 * not (no packet for its stack); it is asked again at its next safepoint. */
typedef bool handshake_step(struct dusk_thread *thread,
                            const struct stack_view *stack);

/* The colour state with which a thread attaches: as if it had served all that
 * was posted so far.
 *
 * Except that a thread which attaches while others still owe H2 owes it too.
 * Its stack is empty, but its parent's may not have been copied, and what the
 * parent hands over outside the heap (an argument to pthread_create) could be
 * let go by the parent before its own H2: were the child taken for scanned,
 * nobody would ever see that word: tests/api/handover.c loses an object so. */
struct joining {
  uint32_t epoch;
  bool barrier;
  bool black;
  bool owes;  /* H2: joins white and not scanned while the round is open */
  bool halts; /* a halt (inspect/halt.c): it owes the round as well, in the
                 colour of all others; the driver owes it too, until it lets the
                 threads go on */
};

enum service_half { SERVICE_STARTING, SERVICE_ENDING };

struct registry {
  struct lock lock; /* RANK_registry */
  struct dusk_thread *first;
  struct dusk_thread *spare;   /* detached, to be used again */
  struct dusk_thread *records; /* all that were ever made, by next_record */
  uint32_t attached;           /* written under lock */
  uint32_t outside;            /* threads in blocking regions, atomic */
  uint64_t caches;             /* thread records ever made */
  uint64_t joined;             /* threads that ever attached; atomic to read */
  uint64_t traced_room;        /* ring_room for DUSK_TRACE, or 0; set before the
                                  first */
  uint64_t ring_room;  /* events that rings have room for; 0: nobody records.
                          Under lock */
  uint64_t ring_bytes; /* that all rings take; atomic to read */
  bool scrubs;         /* H2 leaves no dead words and no runs; the same */
  bool framed;         /* threads outside leave their frames; the same */
  uint32_t barrier;    /* flags that every thread's barrier has at all times */
  struct joining joining;
  struct tally left; /* allocated by threads that have left; under lock */
  struct assists left_assists;     /* paid by them */
  struct timings left_timings;     /* and how long it held them up */
  struct slow_name left_slow_name; /* of the longest answer among them */

  /* The round: step is written before the round's number, with release. */
  handshake_step *step;
  uint64_t round;
  uint64_t posted_ns;       /* clock_now(); the same */
  uint32_t owing;           /* threads that have not served it, atomic */
  uint32_t collector_waits; /* it is parked, and wants to be woken */
  struct park acknowledged;

  /* Every thread has served H2, until the end of the cycle: words may be
   * tested.  Release by the collector, acquire by the barrier. */
  uint32_t all_scanned;

  /* Longest service of this cycle, ns: its starting and its ending half. */
  uint64_t longest_service[2];
  uint32_t half; /* enum service_half */
  /* Threads between their part of a round and having noted how long it took;
   * atomic. */
  uint32_t noting;

  /* Bytes of stack found in this cycle, atomic. */
  uint64_t stack_bytes;
};

void registry_init(struct registry *registry);

/* With no thread attached. */
void registry_destroy(struct registry *registry);

/* A thread record, new or used before; NULL: no memory. */
WARN_UNUSED struct dusk_thread *registry_make(struct registry *registry);
void registry_spare(struct registry *registry, struct dusk_thread *thread);

/* In the child of a fork: the calling thread is the only one there is.  Its
 * attachment, if it has one, stays, with an empty cache, as if it had attached
 * between two cycles; all others' records are spare, and empty but for the
 * bounds of the stacks that their last threads had. */
void registry_revive(struct registry *registry, uint32_t epoch);

/* Turns a thread's track on, with a ring of ring_room events; with the lock. */
void registry_start_track(struct registry *registry, struct track *track);

/* Lets the calling thread join. */
void registry_join(struct registry *registry, struct dusk_thread *thread);

/* What held a thread up stays when it is gone; with the lock. */
void registry_leave_timings(struct registry *registry,
                            const struct dusk_thread *thread);

/* Takes the calling thread off the list; with the lock. */
void registry_remove(struct registry *registry, struct dusk_thread *thread);

/* Posts a round to all threads; from now on threads join as `joining`. */
void registry_post(struct registry *registry, handshake_step *step,
                   struct joining joining);

/* The thread has served the round: the last one wakes the collector, if that
 * is parked. */
void registry_acknowledge(struct registry *registry,
                          struct dusk_thread *thread);

/* How long a service took, around it: from begin to end the round's cycle has
 * not been reckoned up (registry_await_notes). */
struct service {
  uint64_t start_ns;
  uint64_t round;
  enum service_half half;
};
struct service registry_begin_service(struct registry *registry);
void registry_end_service(struct registry *registry, struct dusk_thread *thread,
                          struct service service);

/* The driver, when all have served: waits until they have noted it, which they
 * do at once. */
void registry_await_notes(const struct registry *registry);

#endif
