/* SPDX-License-Identifier: MIT */
/* census.h -- what is left: counting mark bits, span by span */
#ifndef DUSK_COLLECT_CENSUS_H
#define DUSK_COLLECT_CENSUS_H

#include "collect/collector.h"

struct census {
  uint64_t live;      /* bytes of marked objects */
  uint64_t live_scan; /* of those, in kinds that are scanned */
  uint64_t spans;     /* counted */
  uint64_t freed;     /* of those, freed */
};

/* Counts every span of earlier epochs, files those with free slots under
 * `epoch` and gives the pages of empty ones back at once.  The driver, after
 * every thread has served H4. */
struct census census_run(struct collector *collector, uint32_t epoch);

#endif
