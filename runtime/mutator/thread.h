/* SPDX-License-Identifier: MIT */
/* thread.h -- one mutator: all that the collector knows about a thread
 *
 * COLOUR STATE (barrier, black, scanned, epoch) belongs to the thread: it is
 * changed by the thread's own service of a handshake, or by the collector on
 * its behalf while the thread's state is SERVED.  So the thread reads it with
 * plain loads.
 *
 * STATE, a word that decides who may serve
 *
 *   IN_HEAP --- thread ---> OUTSIDE --- collector ---> SERVED
 *      ^                     |  ^                        |
 *      +--- thread: CAS -----+  +------ collector -------+
 *
 * A plain store on the way back to IN_HEAP would let the thread run while the
 * collector reads its stack (PROTOCOL 8). */
#ifndef DUSK_MUTATOR_THREAD_H
#define DUSK_MUTATOR_THREAD_H

#include "event/assists.h"
#include "event/counters.h"
#include "event/sampling.h"
#include "event/timings.h"
#include "event/track.h"
#include "heap/grey.h"
#include "heap/shade.h"
#include "os/self.h"
#include "os/unwind.h"

#include "dusk/abi.h"

struct registry;

enum thread_state {
  THREAD_DETACHED,
  THREAD_IN_HEAP,
  THREAD_OUTSIDE, /* in a blocking region */
  THREAD_SERVED,  /* the same, and the collector is serving it */
};

/* Words logged by the barrier lately, so that a loop which stores the same few
 * pointers does not log them over and over: before all threads have served H2
 * nothing can be tested, and a log could grow without bound.  Valid for one
 * cycle: a word logged once in a cycle will be shaded in it. */
enum { RECENT_WORDS = 256 };

/* Room for the registers and the frames of the functions that begin a blocking
 * region; sanitizers make those long. */
enum { OUTSIDE_WORDS = SELF_REGISTERS + 240 };

/* What the thread pays for its allocation, of what it owes. */
struct assist_rule {
  dusk_assist policy;
  dusk_assist_cap cap; /* of DUSK_ASSIST_CAPPED */
};

/* One attachment.  Written by attach and, for the trace, by detach. */
struct life {
  uint64_t number;      /* from 1, in the order of attaching */
  uint64_t attached_ns; /* clock_now() */
  uint64_t detached_ns;
  uint64_t cpu_ns; /* clock_thread_cpu() at attach; since then, at detach */
  uint64_t allocated_bytes; /* at detach */
};

/* What a service sees of a stack: the words from sp up, and some more. */
struct stack_view {
  uintptr_t sp;
  const uintptr_t *words;
  uint32_t count;
  void *fake; /* AddressSanitizer's (os/tools.h), or NULL */
};

/* The bits of abi.barrier: why pointer stores take the slow path. */
enum {
  BARRIER_LOG = 1,   /* a cycle runs */
  BARRIER_CHECK = 2, /* DUSK_DEBUG=barriercheck: what is stored is noted */
};

/* Where a thread stands that an inspection looks at (inspect/halt.c). */
enum { STANDING_FRAMES = 64 };
struct standing {
  struct stack_view stack;
  struct frame frames[STANDING_FRAMES]; /* innermost first */
  uint32_t frame_count;
  uint32_t stands; /* in its service; release by the thread, acquire */
  bool held;       /* outside, and kept SERVED: the driver's */
};

/* What a thread was called when it last took its longest to come to a
 * safepoint, in words that others may read meanwhile; atomic. */
struct slow_name {
  uint64_t words[SELF_NAME / sizeof(uint64_t)];
};

struct dusk_thread {
  struct dusk_thread_abi abi;

  /* Set by attach. */
  _Alignas(CACHE_LINE) struct dusk_heap *heap;
  struct registry *registry;
  struct arena *arena;
  struct grey *grey;
  pthread_t self;
  uintptr_t stack_low;
  uintptr_t stack_high;
  struct dusk_thread *next_record; /* in the registry's list of all records */
  struct dusk_thread *next; /* in the registry's lists, guarded by its lock */
  struct dusk_thread *next_own; /* the pthread's other attachments: its own */

  /* Colour state. */
  uint32_t epoch;
  bool black;   /* allocates black: has served H2, not yet H4 */
  bool scanned; /* has served H2 in this cycle: no insertion shade any more */
  struct roles roles;

  /* The cache: written by the owner, or for it while SERVED. */
  uint32_t held; /* first span, CACHED; linked by next and prev */
  /* Objects in all runs that were ever taken, less what came back unused: what
   * was allocated is this less what the present runs have left.  Changes
   * together with a run, inside `version` odd: see cache_read(). */
  struct tally taken;
  uint32_t version;
  struct sampling sampling; /* where samples fall in what it allocates */

  /* The barrier's log, never NULL, and what went into it lately. */
  struct packet *log;
  uintptr_t recent[RECENT_WORDS];

  /* Assists: bytes of allocation paid for (negative: debt); the owner's. */
  int64_t credit;
  uint64_t slow_paths;  /* in all its lives, for DUSK_DEBUG=stress */
  uintptr_t fresh;      /* the object that a careful heap gave it last: the
                           owner's */
  uint32_t unpublished; /* pages taken for a large object that is being
                           cleared: the owner's */
  bool asking;          /* inside a dusk_on_exhausted() call: the owner's */
  struct assist_rule assist_rule; /* the owner's */
  struct assists assists;
  struct timings timings;
  struct slow_name slow_name;
  struct utilisation utilisation; /* the owner's */

  struct standing standing;
  bool framed; /* leaves its frames when it goes outside: its own */
  bool waits;  /* is outside for as long as a call of the library waits: its
                  own */

  /* What it records, and how far the trace has read that: which ring, and up
   * to where. */
  struct track track;
  const struct ring *traced_ring;
  struct ring_reader traced;
  struct life life;

  /* Shared with the collector. */
  _Alignas(CACHE_LINE) uint32_t state; /* enum thread_state */
  uint64_t served; /* last round served: release by the server, acquire */
  uint64_t
      joined_ns; /* clock_now(): what was asked before is asked from then on */
  /* Where the stack stood when the thread went outside, and the words that were
   * below it then: registers, and frames that the thread returned from while
   * outside.  Written before the release to OUTSIDE. */
  uintptr_t outside_sp;
  uintptr_t outside_words[OUTSIDE_WORDS];
  uint32_t outside_count;
  void *outside_fake; /* AddressSanitizer's fake stack, or NULL */

  /* Where the program's frames begin that called us last: words below are our
   * own.  For inspections; the owner's. */
  uintptr_t entry_sp;
};

static inline enum thread_state thread_state(const struct dusk_thread *thread)
{
  return (enum thread_state)LOAD_ACQUIRE(&thread->state);
}

static inline void thread_set_epoch(struct dusk_thread *thread, uint32_t epoch)
{
  thread->epoch = epoch;
  thread->roles = arena_roles(thread->arena, epoch);
}

/* Attaches the calling pthread: a record made by registry_make(), with heap,
 * registry, arena and grey set.  Returns 0, ENOMEM, or what self_stack() says;
 * on failure the record is as it was. */
WARN_UNUSED int thread_enter(struct dusk_thread *thread);

/* The thread was held up: its own call, in the order of the ends. */
static inline void thread_was_held(struct dusk_thread *thread,
                                   uint64_t start_ns, uint64_t end_ns)
{
  utilisation_add(&thread->utilisation, &thread->timings.worst, start_ns,
                  end_ns);
}

/* Detaches the calling pthread, which is IN_HEAP; the record can be spared. */
void thread_leave(struct dusk_thread *thread);

/* In the child of a fork, for the one thread that is there: in the state in
 * which it would attach now, and inside or outside as it was.  Its spans are no
 * longer its own.  The grey set has been reset. */
void thread_revive(struct dusk_thread *thread);

#endif
