/* SPDX-License-Identifier: MIT */
/* state.h -- what the page asks for over and over */
#ifndef DUSK_INSPECTOR_STATE_H
#define DUSK_INSPECTOR_STATE_H

#include "inspector/server.h"

/* The counters of the heap as JSON, in a string of malloc()'s; of the cycles'
 * pauses those after cycle number `since`, as far as they are kept.  NULL: no
 * memory. */
char *state_text(const struct dusk_inspector *inspector, uint64_t since,
                 size_t *length);

#endif
