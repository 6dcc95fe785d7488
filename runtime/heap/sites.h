/* SPDX-License-Identifier: MIT */
/* sites.h -- what was allocated where, and how long it lived: sums of samples
 *
 * A site is a stack, a kind and a size.  Its sums are estimates: each sampled
 * object counts for as many as it stands for (event/sampling.h). */
#ifndef DUSK_HEAP_SITES_H
#define DUSK_HEAP_SITES_H

#include "base/compiler.h"

/* Lives, by the cycles that an object survived: 0, 1, 2 and 3, 4 to 7, ... */
enum { SITE_AGES = 12 };

struct site {
  uint32_t stack; /* its number in the depot; 0: not known */
  uint32_t kind;
  uint64_t bytes; /* of each object */
  uint32_t below; /* the next site in its bucket, or 0 */

  double allocated; /* objects, ever */
  double died[SITE_AGES];
  double cycles; /* that those which died had survived, all together */
};

struct sites {
  struct site *table; /* [0] is none; a reservation, usable as it grows */
  uint32_t count;     /* atomic to read */
  uint32_t usable;
  uint32_t *buckets;
};

/* false: no memory. */
WARN_UNUSED bool sites_open(struct sites *sites);
void sites_close(struct sites *sites);

/* The site, made if there is none yet; 0: no memory, or there are too many.
 * The calls here are made by one thread at a time. */
uint32_t sites_find(struct sites *sites, uint32_t stack, uint32_t kind,
                    uint64_t bytes);

/* An object that stands for `weight` has died after so many cycles. */
void site_add_death(struct site *site, double weight, uint32_t cycles);

/* The fewest cycles of an age. */
uint32_t site_age_cycles(unsigned age);

/* Objects that have died. */
double site_died(const struct site *site);

/* Memory that it takes; any thread. */
uint64_t sites_bytes(const struct sites *sites);

#endif
