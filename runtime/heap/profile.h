/* SPDX-License-Identifier: MIT */
/* profile.h -- sampled objects: those that live, and sums of all
 *
 *   a thread --profile_add()--> fresh --profile_fold()--> live --> dead
 *                                        once a cycle     |          |
 *                                                         +--> sites <+
 *
 * A sample is an address, and what is known of the object; nobody reads the
 * object.  After marking the driver looks at one mark bit for each sample: so
 * the sums are as of the end of a cycle, and allocation and death agree in
 * them. */
#ifndef DUSK_HEAP_PROFILE_H
#define DUSK_HEAP_PROFILE_H

#include "base/lock.h"
#include "heap/depot.h"
#include "heap/sites.h"

struct arena;

/* An object that a thread has just been given. */
struct birth {
  uintptr_t object;
  uint64_t bytes;
  uint32_t kind;
  uint32_t epoch; /* the thread's */
  bool black;     /* the cycle of this epoch cannot free it */
  uint64_t rate;
};

struct sample;
struct slab;

struct profile {
  uint64_t rate; /* mean bytes from sample to sample; 0: off.  Atomic: release
                    when the tables are there */

  /* The driver's while it folds, and a reader's: threads never wait for it. */
  struct lock folding; /* RANK_profile */
  bool is_open;        /* the tables are there: set once; atomic */
  uint64_t folds;      /* cycles that were folded */
  uint32_t folded;     /* the last of them */
  struct sites sites;
  struct sample *live;

  struct depot depot; /* no lock */

  struct lock lock;     /* RANK_samples: held for a few instructions */
  struct sample *fresh; /* not yet folded */
  struct sample *spare;
  struct slab *slabs;  /* all memory for samples */
  uint64_t slab_bytes; /* atomic to read */
  uint64_t lost;       /* samples for which there was no memory; atomic */
};

void profile_init(struct profile *profile);
void profile_destroy(struct profile *profile);

/* Sets the mean bytes from sample to sample, 0: none from now on.  Returns 0 or
 * ENOMEM. */
WARN_UNUSED int profile_set_rate(struct profile *profile, uint64_t rate);

static inline uint64_t profile_rate(const struct profile *profile)
{
  return LOAD_RELAXED(&profile->rate);
}

/* Any thread, between the birth of the object and its next safepoint. */
void profile_add(struct profile *profile, const struct birth *birth,
                 const uintptr_t *pcs, unsigned count);

/* The driver, when all have served H4 and before the census of the cycle
 * `epoch`: finds what has died. */
void profile_fold(struct arena *arena, uint32_t epoch);

/* In the child of a fork, whose heap is in `epoch` now.  `ended`: the cycle
 * that led to it had come to its census, and is complete. */
void profile_revive(struct arena *arena, uint32_t epoch, bool ended);

/* A copy of all sites, a block; as of the last cycle, or until now if there
 * was none.  *count 0: there are none, or no memory (*error ENOMEM).  Any
 * thread. */
struct site *profile_read(struct profile *profile, uint32_t *count, int *error);

/* Memory that all of this takes; any thread. */
uint64_t profile_bytes(const struct profile *profile);

#endif
