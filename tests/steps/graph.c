/* SPDX-License-Identifier: MIT */
/* Test of the whole protocol: a few mutators over a few objects, in many
 * orders.  What can be reached is there and is marked; what cannot is gone. */
#include "seeds.h"
#include "world.h"

#include "unit/unit.h"

enum {
  MUTATORS = 3,
  ACTS = 200,
  SEEDS = 200,
};

static void play_world(void *argument)
{
  static uint8_t bytes[MUTATORS][4 * ACTS];
  uint64_t random = *(uint64_t *)argument * 2 + 1;
  for (unsigned i = 0; i < sizeof bytes; i++) {
    random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
    ((uint8_t *)bytes)[i] = (uint8_t)(random >> 56);
  }
  world_open(*(uint64_t *)argument % 2 ? DUSK_NO_IDLE_WORKERS : 0);
  world_collect();
  for (unsigned i = 0; i < MUTATORS; i++)
    world_start(bytes[i], sizeof bytes[i]);
  world_close();
}

START_TEST(nothing_that_can_be_reached_is_lost)
{
  seeds_play(SEEDS, play_world);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("graph");
  TCase *cases = tcase_create("graph");
  tcase_set_timeout(cases, 600);
  tcase_add_test(cases, nothing_that_can_be_reached_is_lost);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
