/* SPDX-License-Identifier: MIT */
/* seeds.c -- many orders of one body */
#include "seeds.h"

#include <stdlib.h>
#include <string.h>

static uint64_t number_in_environment(const char *name, uint64_t otherwise)
{
  const char *text = getenv(name);
  return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static void play_one(enum play_order order, uint64_t seed,
                     void (*body)(void *seed))
{
  struct play play = {.order = order, .seed = seed};
  play_run(&play, body, &seed);
}

void seeds_play(uint64_t count, void (*body)(void *seed))
{
  const char *order = getenv("DUSK_STEPS_ORDER");
  uint64_t first = number_in_environment("DUSK_STEPS_SEED", 0);
  if (getenv("DUSK_STEPS_SEED"))
    count = 1;
  count = number_in_environment("DUSK_STEPS_COUNT", count);
  for (uint64_t seed = first; seed < first + count; seed++) {
    if (!order || strcmp(order, "random") == 0)
      play_one(PLAY_RANDOM, seed, body);
    if (!order || strcmp(order, "priorities") == 0)
      play_one(PLAY_PRIORITIES, seed, body);
  }
}
