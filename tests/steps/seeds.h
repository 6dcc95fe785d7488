/* SPDX-License-Identifier: MIT */
/* seeds.h -- many orders of one body
 *
 * DUSK_STEPS_SEED and DUSK_STEPS_ORDER in the environment: that one alone.
 * DUSK_STEPS_COUNT: so many seeds instead, for a longer look. */
#ifndef DUSK_TESTS_STEPS_SEEDS_H
#define DUSK_TESTS_STEPS_SEEDS_H

#include "play.h"

/* Plays the body in `count` random orders, and as many by priorities; argument
 * points to the seed. */
void seeds_play(uint64_t count, void (*body)(void *seed));

#endif
