/* SPDX-License-Identifier: MIT */
/* api.c -- bytes as calls of several threads, and the order of their steps
 *
 *   byte 0     the order, and what the heap has
 *   1 to 4     its seed; in the order by bytes, what is left of the schedule
 *              comes before the acts
 *   5          how many mutators
 *   the rest   their acts, four bytes each, in equal parts
 *
 * steps/world.h knows what can be reached, and looks. */
#include "fuzz.h"

#include "steps/play.h"
#include "steps/world.h"

#include <string.h>

const char *const fuzz_name = "api";
const unsigned fuzz_runs = 600;

enum { HEAD = 6, MUTATORS_MAX = 4, SCHEDULE_MAX = 128, ACTS_MAX = 1600 };

struct run {
  const uint8_t *acts;
  size_t bytes;
  unsigned mutators;
  unsigned flags;
  bool collects;
};

static void live(void *argument)
{
  const struct run *run = argument;
  size_t each = run->bytes / run->mutators / 4 * 4;
  world_open(run->flags);
  if (run->collects)
    world_collect();
  for (unsigned i = 0; i < run->mutators; i++)
    world_start(run->acts + i * each, each);
  world_close();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const enum play_order orders[] = {PLAY_RANDOM, PLAY_PRIORITIES,
                                           PLAY_BYTES, PLAY_RANDOM};
  struct play play = {0};
  if (size < HEAD)
    return 0;
  uint32_t seed;
  memcpy(&seed, data + 1, sizeof seed);
  play.order = orders[data[0] % 4];
  play.seed = seed;
  play.processors = 1 + data[0] / 4 % 3;
  struct run run = {.acts = data + HEAD,
                    .bytes = size - HEAD,
                    .mutators = 1 + data[5] % MUTATORS_MAX,
                    .flags = data[0] & 0x40 ? DUSK_NO_IDLE_WORKERS : 0,
                    .collects = data[0] & 0x80};
  if (play.order == PLAY_BYTES) {
    play.bytes = run.acts;
    play.count = run.bytes / 4 < SCHEDULE_MAX ? run.bytes / 4 : SCHEDULE_MAX;
    run.acts += play.count;
    run.bytes -= play.count;
  }
  if (run.bytes > ACTS_MAX)
    run.bytes = ACTS_MAX;
  play_run(&play, live, &run);
  return 0;
}
