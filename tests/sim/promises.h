/* SPDX-License-Identifier: MIT */
/* promises.h -- what is asserted of the scenarios that are shipped */
#ifndef DUSK_TESTS_SIM_PROMISES_H
#define DUSK_TESTS_SIM_PROMISES_H

#include "lab/sim/world.h"

/* Whether a promise holds, and if not, the first place where it does not. */
struct verdict {
  bool broken;
  char text[200];
};

struct scenario {
  const char *name;             /* of a file in lab/scenarios, without suffix */
  const struct sim_row *golden; /* some rows, then one of cycle 0; or NULL */
  /* Judges the cycle at rows[n - 1], its number being n. */
  void (*promise)(struct verdict *verdict, const struct sim_row *rows,
                  unsigned n);
};

extern const struct scenario scenarios[];
extern const unsigned scenario_count;

const struct scenario *scenario_named(const char *name);

/* Compares the rows of a whole run with those that are golden. */
struct verdict golden_judge(const struct scenario *scenario,
                            const struct sim_row *rows);

/* Judges all n rows. */
struct verdict promise_judge(const struct scenario *scenario,
                             const struct sim_row *rows, unsigned n);

#endif
