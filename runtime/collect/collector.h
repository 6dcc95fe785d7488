/* SPDX-License-Identifier: MIT */
/* collector.h -- one heap's collector: what its threads and the assists share
 *
 * One thread, the driver, runs the cycles (cycle.c); while it marks, helpers
 * (worker.c) and mutators that pay for their allocation (mark_assist) mark with
 * it. */
#ifndef DUSK_COLLECT_COLLECTOR_H
#define DUSK_COLLECT_COLLECTOR_H

#include "base/park.h"
#include "collect/idle.h"
#include "heap/grey.h"
#include "mutator/registry.h"
#include "mutator/rootset.h"
#include "pace/limiter.h"
#include "pace/pacer.h"
#include "pace/pressure.h"

#include "dusk/limit.h"

enum phase {
  PHASE_IDLE,
  PHASE_START, /* H1, H1b, H2: barriers go on, roots are gathered */
  PHASE_MARK,
  PHASE_END, /* H4: barriers go off */
  PHASE_CENSUS,
};

/* What the cycle and the program tell each other about speed.  The pacer's own
 * figures are under `lock`; the rest are words that allocation reads. */
struct pacing {
  struct lock lock; /* RANK_control */
  struct pacer pacer;
  int64_t memory_limit; /* the program's; the pacer has the lower of it... */
  int64_t budget_limit; /* ...and the budget's; INT64_MAX: in none */
  uint64_t ended_ns;    /* when the last marking had ended; or the opening */
  uint64_t goal;        /* as far as it was known when the trigger was set;
                           atomic */
  uint64_t trigger;     /* live bytes at which a cycle begins; atomic */
  uint64_t wall_bytes;  /* the program's: hard wall over the goal, or 0 */
  uint64_t wall;        /* and beyond which allocation steps aside; atomic */
  uint64_t hard_wall;   /* and waits; atomic */
  uint32_t pressure;    /* enum pressure; atomic */
  uint32_t action;      /* dusk_limit_action: when the limit cannot hold */
  uint32_t is_limited;  /* the goal is what the memory limit leaves; atomic */
  double work_per_byte; /* price of allocating, while marking; atomic */
  double bytes_per_work;
  int64_t credit;     /* scan work that workers did beyond what was asked,
                         bytes; below 0: what they owe for threads that do
                         not mark, or pay too little; atomic */
  uint64_t heap_work; /* scan work of this cycle, bytes; atomic */
  uint64_t stack_work;
  uint64_t root_work;
  uint64_t assist_ns; /* time that mutators marked, this cycle; atomic */
  uint64_t worker_ns; /* processor time of background marking */
  uint64_t idle_ns;   /* the same on processors that nobody wanted */
};

/* The limiter, and what it was told last.  Under pacing.lock, but for the words
 * that limiter.h calls atomic. */
struct limiting {
  struct limiter limiter;
  uint64_t process_ns; /* processor time of the process */
};

/* Giving memory back in the background (scavenger.c). */
struct scavenging {
  struct park wake;
  pthread_t thread;
  uint64_t last_goal;    /* of the last cycle; guarded by pacing.lock */
  uint64_t cycle_ns;     /* processor time of the last cycle; atomic */
  uint64_t limit_target; /* bytes that pages may hold before some go; atomic */
  uint32_t asleep;       /* the thread waits without end; atomic */
  struct track track;
  uint32_t changes;     /* of targets, a count; atomic */
  uint64_t idle_cycles; /* asked for because the program was idle; atomic */
};

/* A timeline (recording.c).  Guarded by the registry's lock. */
struct recording {
  uint64_t since_ns;      /* clock_now(); UINT64_MAX: there was none yet */
  uint64_t until_ns;      /* UINT64_MAX: it is on */
  uint64_t sample_due_ns; /* when the heap's size is noted next; UINT64_MAX:
                             not at all; atomic */
  uint64_t watch_ns;      /* stalls of this length are watched for; 0: none */
  uint64_t stalled;       /* there was one; atomic */
};

/* The threads of a collector: crew.h. */
enum crew { CREW_PRESENT, CREW_LOST, CREW_COMING };

/* What one cycle did: written by the driver, read when it is over. */
struct cycle_record {
  uint64_t number;      /* from 1 */
  bool forced;          /* somebody waits for it */
  uint64_t start_ns;    /* clock_now() */
  uint64_t mark_ns;     /* when H2 was served, and marking began */
  uint64_t end_ns;      /* when marking had ended */
  uint64_t swept_ns;    /* when the census was done */
  uint64_t wall_end;    /* since 1970 */
  uint64_t pause_ns[2]; /* longest service: before marking, after */
  uint64_t assist_ns;
  uint64_t worker_ns;
  uint64_t idle_ns;       /* marking on processors that nobody wanted */
  uint64_t other_ns;      /* the driver's processor time outside marking */
  uint64_t live_at_start; /* bytes */
  uint64_t live_at_end;
  uint64_t marked;
  uint64_t goal;
  uint64_t trigger;    /* that held when it began; UINT64_MAX: none */
  uint64_t heap_inuse; /* before the census: the most of the cycle */
  uint64_t heap_work;  /* bytes of heap scanned */
  uint64_t stack_bytes;
  uint64_t root_bytes;
  uint64_t limited; /* the cycle in which the limiter last went on; 0: none */
  unsigned rounds;  /* termination rounds */
};

struct helper;

struct collector {
  struct arena arena;
  struct grey grey;
  struct registry registry;
  struct rootset roots;
  struct pacing pacing;
  struct limiting limiting;
  struct scavenging scavenging;

  uint64_t opened_ns; /* clock_now() */
  unsigned processors;
  unsigned workers;       /* that mark in the background, the driver included */
  bool workers_are_asked; /* the program chose their number: full speed */
  struct assist_rule assist_rule; /* of new threads */
  /* A round for which a thread is so late that nobody waits at the hard wall
   * while it is open; atomic. */
  uint64_t late_round;
  uint64_t slow_ms; /* a thread this late is named; 0: never */

  uint32_t phase; /* enum phase; set by the driver, atomic */
  uint32_t epoch; /* of the running cycle, or the last; the same */

  /* Asking for cycles.  `begun` and `finished` count them; a cycle numbered
   * `wanted` or less is still owed.  Atomic; a change signals the park. */
  struct park wake; /* the driver waits here */
  struct park done; /* and those who asked here */
  uint64_t wanted;
  uint64_t wanted_forced; /* of those, asked for by the program */
  uint64_t begun;
  uint64_t finished;
  uint32_t closing;

  bool periodic; /* the cycle is one for its age; the driver's own */

  struct track track;         /* the driver's */
  struct track *helper_track; /* as many as there are helpers */
  unsigned helper_tracks;
  struct recording recording;
  struct posted {
    unsigned which; /* enum handshake */
    uint64_t start_ns;
  } posted; /* the handshake that is under way; the driver's own */

  struct helper *helpers; /* then the idle workers */
  unsigned helper_count;  /* of both */
  unsigned idle_workers;
  struct idle idle;
  struct park spare; /* idle workers wait here */
  uint64_t spare_ns; /* when the driver woke them last; atomic */

  uint32_t crew;                                  /* enum crew; atomic */
  int (*start_crew)(struct collector *collector); /* 0, or an errno value */
  bool lost_is_told; /* on stderr; by who starts the crew */

  struct tally freed; /* by the census; written by the driver */
};

static inline enum phase collector_phase(const struct collector *collector)
{
  return (enum phase)LOAD_RELAXED(&collector->phase);
}

#endif
