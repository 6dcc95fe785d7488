/* SPDX-License-Identifier: MIT */
/* profile.c -- sampled objects: those that live, and sums of all
 *
 * WHO WAITS.  A thread that adds takes `lock` for as long as it takes to pop a
 * record and to push it.  The driver and readers take `folding` for as long as
 * their walk takes, and `lock` inside it to take the fresh ones over.  Fork
 * takes both, so its child finds whole lists.
 *
 * WHICH CYCLE.  A sample counts as allocated in the cycle before whose H4 its
 * thread allocated it, and can be found dead in the first cycle for which it
 * was not born black.  A thread adds it before its next safepoint, so all that
 * belong to a cycle are in the list when its H4 has been served by all.
 *
 * A sample never decides anything: the worst that a wrong one can do is to
 * count.
 *
 * Tested by tests/unit/profile.c and tests/api/profile.c. */
#include "heap/profile.h"

#include "base/bits.h"
#include "event/sampling.h"
#include "heap/shade.h"
#include "os/block.h"
#include "os/vm.h"

#include <errno.h>
#include <string.h>

struct sample {
  struct sample *next;
  uintptr_t object;
  uint64_t bytes;
  double weight;
  uint32_t site; /* once counted; 0: not yet, or there was no room for one */
  uint32_t stack;
  uint32_t kind;
  uint32_t epoch;  /* of the thread that allocated it */
  uint32_t judged; /* the first epoch whose cycle could free it */
  bool counted;    /* as allocated */
};

enum { SLAB_BYTES = 64 << 10 };
struct slab {
  struct slab *next;
  struct sample samples[];
};
enum {
  SLAB_SAMPLES = (SLAB_BYTES - sizeof(struct slab)) / sizeof(struct sample),
};

void profile_init(struct profile *profile)
{
  *profile = (struct profile){0};
  lock_init(&profile->folding, RANK_profile);
  lock_init(&profile->lock, RANK_samples);
}

static size_t slab_bytes(void)
{
  return align_up(SLAB_BYTES, vm_page_size());
}

void profile_destroy(struct profile *profile)
{
  while (profile->slabs) {
    struct slab *slab = profile->slabs;
    profile->slabs = slab->next;
    vm_unmap(slab, slab_bytes());
  }
  if (profile->is_open) {
    sites_close(&profile->sites);
    depot_close(&profile->depot);
  }
  lock_destroy(&profile->lock);
  lock_destroy(&profile->folding);
}

static bool open_tables(struct profile *profile)
{
  if (profile->is_open)
    return true;
  if (!depot_open(&profile->depot))
    return false;
  if (!sites_open(&profile->sites)) {
    depot_close(&profile->depot);
    return false;
  }
  STORE_RELEASE(&profile->is_open, true); /* with profile_bytes() */
  return true;
}

int profile_set_rate(struct profile *profile, uint64_t rate)
{
  lock_acquire(&profile->folding);
  bool done = !rate || open_tables(profile);
  if (done)
    STORE_RELEASE(&profile->rate, rate); /* with profile_add() */
  lock_release(&profile->folding);
  return done ? 0 : ENOMEM;
}

/* ---- threads ---- */

/* With the lock. */
static struct sample *take_record(struct profile *profile)
{
  if (!profile->spare) {
    struct slab *slab = vm_map(slab_bytes());
    if (!slab)
      return NULL;
    slab->next = profile->slabs;
    profile->slabs = slab;
    STORE_RELAXED(&profile->slab_bytes, profile->slab_bytes + slab_bytes());
    for (unsigned i = 0; i < SLAB_SAMPLES; i++) {
      slab->samples[i].next = profile->spare;
      profile->spare = &slab->samples[i];
    }
  }
  struct sample *sample = profile->spare;
  profile->spare = sample->next;
  return sample;
}

void profile_add(struct profile *profile, const struct birth *birth,
                 const uintptr_t *pcs, unsigned count)
{
  if (!LOAD_ACQUIRE(&profile->rate)) /* with profile_set_rate() */
    return;                          /* switched off meanwhile */
  struct sample made = {
      .object = birth->object,
      .bytes = birth->bytes,
      .weight = sampling_weight(birth->rate, birth->bytes),
      .stack = count ? depot_number(&profile->depot, pcs, count) : 0,
      .kind = birth->kind,
      .epoch = birth->epoch,
      .judged = birth->epoch + birth->black,
  };
  lock_acquire(&profile->lock);
  struct sample *sample = take_record(profile);
  if (sample) {
    made.next = profile->fresh;
    *sample = made;
    profile->fresh = sample;
  } else {
    counter_add(&profile->lost, 1);
  }
  lock_release(&profile->lock);
}

/* ---- the driver, and readers; with `folding` ---- */

static void take_fresh(struct profile *profile)
{
  lock_acquire(&profile->lock);
  struct sample *fresh = profile->fresh;
  profile->fresh = NULL;
  lock_release(&profile->lock);
  while (fresh) {
    struct sample *next = fresh->next;
    fresh->next = profile->live;
    profile->live = fresh;
    fresh = next;
  }
}

static void count_birth(struct profile *profile, struct sample *sample)
{
  struct sites *sites = &profile->sites;
  if (sample->counted)
    return;
  sample->counted = true;
  sample->site = sites_find(sites, sample->stack, sample->kind, sample->bytes);
  if (sample->site)
    sites->table[sample->site].allocated += sample->weight;
  else
    counter_add(&profile->lost, 1);
}

/* Is `epoch` after the cycle?  The count may wrap. */
static bool is_after(uint32_t epoch, uint32_t cycle)
{
  return (int32_t)(epoch - cycle) > 0;
}

/* Unlinks what has died, and returns it. */
static struct sample *find_dead(struct arena *arena, uint32_t epoch)
{
  struct profile *profile = &arena->profile;
  /* What the cycle marked is what is allocated in the next epoch. */
  const uint64_t *marks = arena_roles(arena, epoch + 1).allocated;
  struct sample *dead = NULL;
  for (struct sample **link = &profile->live; *link;) {
    struct sample *sample = *link;
    if (!is_after(sample->epoch, epoch))
      count_birth(profile, sample);
    if (is_after(sample->judged, epoch) ||
        bit_test(marks, arena_granule(arena, sample->object))) {
      link = &sample->next;
      continue;
    }
    if (sample->site)
      site_add_death(&profile->sites.table[sample->site], sample->weight,
                     epoch - sample->judged);
    *link = sample->next;
    sample->next = dead;
    dead = sample;
  }
  return dead;
}

static void spare_all(struct profile *profile, struct sample *dead)
{
  struct sample *last = dead;
  if (!dead)
    return;
  while (last->next)
    last = last->next;
  lock_acquire(&profile->lock);
  last->next = profile->spare;
  profile->spare = dead;
  lock_release(&profile->lock);
}

static void fold(struct arena *arena, uint32_t epoch)
{
  struct profile *profile = &arena->profile;
  take_fresh(profile);
  spare_all(profile, find_dead(arena, epoch));
  profile->folds++;
  profile->folded = epoch;
}

void profile_fold(struct arena *arena, uint32_t epoch)
{
  struct profile *profile = &arena->profile;
  lock_acquire(&profile->folding);
  if (profile->is_open)
    fold(arena, epoch);
  lock_release(&profile->folding);
}

void profile_revive(struct arena *arena, uint32_t epoch, bool ended)
{
  struct profile *profile = &arena->profile;
  lock_renew(&profile->lock);
  lock_renew(&profile->folding);
  if (!profile->is_open)
    return;
  if (ended && profile->folded != epoch - 1)
    fold(arena, epoch - 1);
  /* A thread that had left the cycle for the next epoch is back. */
  take_fresh(profile);
  for (struct sample *s = profile->live; s; s = s->next) {
    if (is_after(s->epoch, epoch))
      s->epoch = epoch;
    if (is_after(s->judged, epoch))
      s->judged = epoch;
  }
}

struct site *profile_read(struct profile *profile, uint32_t *count, int *error)
{
  struct site *copy = NULL;
  *count = 0;
  *error = 0;
  lock_acquire(&profile->folding);
  if (profile->is_open) {
    if (!profile->folds) {
      take_fresh(profile);
      for (struct sample *s = profile->live; s; s = s->next)
        count_birth(profile, s);
    }
    uint32_t found = profile->sites.count - 1;
    copy = block_make((found ? found : 1) * sizeof *copy);
    if (copy) {
      memcpy(copy, profile->sites.table + 1, found * sizeof *copy);
      *count = found;
    } else {
      *error = ENOMEM;
    }
  }
  lock_release(&profile->folding);
  return copy;
}

uint64_t profile_bytes(const struct profile *profile)
{
  /* The first says that the tables are there; they are never taken away. */
  if (!LOAD_ACQUIRE(&profile->is_open)) /* with open_tables() */
    return 0;
  return LOAD_RELAXED(&profile->slab_bytes) + depot_bytes(&profile->depot) +
         sites_bytes(&profile->sites);
}
