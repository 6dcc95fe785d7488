/* SPDX-License-Identifier: MIT */
/* order.c -- who goes on
 *
 * A thread may be arbitrarily slow, so each of the answers is one that a real
 * machine could give.  That holds for time as well: it may pass at any moment,
 * so that who sleeps goes on while others have done nothing. */
#include "stage.h"

#include <string.h>

enum {
  /* One point in so many lets time pass, as far as the next sleeper, if that is
   * no further away than this. */
  TIME_RARITY = 256,
  NAP_NS = 2 * 1000 * 1000,
  /* Yields in a row while nobody else can run: a loop without end. */
  IDLE_MAX = 10000,
  /* Points until the next one's turn when there are no more bytes: under a
   * limit that cannot be held the driver runs cycle after cycle. */
  LAST_GAP = 500,
};

/* Vigna's splitmix64: each seed is a good one. */
static uint64_t next_random(void)
{
  uint64_t z = (stage.random += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

static void next_gap(void)
{
  const struct play *play = &stage.play;
  bool has_more = stage.next_byte + 2 <= play->count;
  stage.gap = has_more ? play->bytes[stage.next_byte] : LAST_GAP;
}

void order_begin(void)
{
  stage.random = stage.play.seed;
  stage.lowest = PLAY_FOREVER / 2;
  uint64_t roll = next_random();
  stage.rarity = stage.play.order == PLAY_PRIORITIES
                     ? UINT64_C(64) << roll % 8 /* 64 to 8192 */
                     : UINT64_C(2) << roll % 6; /* 2 to 64 */
  if (stage.play.order == PLAY_BYTES)
    next_gap();
}

uint64_t order_number(void)
{
  return PLAY_FOREVER / 2 + next_random() / 4;
}

static void wake_late(struct actor *actor)
{
  actor->state = ACTOR_READY;
  actor->is_late = true;
}

/* Who sleeps and is due, is ready. */
static void wake_due(void)
{
  for (unsigned i = 0; i < stage.count; i++) {
    struct actor *actor = &stage.actors[i];
    if (actor->state == ACTOR_WAITS && actor->until_ns <= stage.now_ns)
      wake_late(actor);
  }
}

/* Lets time pass to where the next sleeper wakes, if that is within `ns`. */
static bool pass_time(uint64_t ns)
{
  uint64_t first = PLAY_FOREVER;
  for (unsigned i = 0; i < stage.count; i++) {
    const struct actor *actor = &stage.actors[i];
    if (actor->state == ACTOR_WAITS && actor->until_ns < first)
      first = actor->until_ns;
  }
  if (first == PLAY_FOREVER ||
      (first > stage.now_ns && first - stage.now_ns > ns))
    return false;
  if (first > stage.now_ns)
    stage.now_ns = first;
  wake_due();
  return true;
}

static unsigned list_ready(unsigned ready[ACTORS_MAX], unsigned except)
{
  unsigned count = 0;
  for (unsigned i = 0; i < stage.count; i++)
    if (stage.actors[i].state == ACTOR_READY && i != except)
      ready[count++] = i;
  return count;
}

static unsigned highest(const unsigned *ready, unsigned count)
{
  unsigned best = ready[0];
  for (unsigned i = 1; i < count; i++)
    if (stage.actors[ready[i]].number > stage.actors[best].number)
      best = ready[i];
  return best;
}

/* The next after the present one, in turn. */
static unsigned in_turn(const unsigned *ready, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    if (ready[i] > stage.now)
      return ready[i];
  return ready[0];
}

static unsigned by_bytes(const unsigned *ready, unsigned count)
{
  const struct play *play = &stage.play;
  if (stage.next_byte + 2 > play->count) {
    next_gap();
    return in_turn(ready, count);
  }
  unsigned next = ready[play->bytes[stage.next_byte + 1] % count];
  stage.next_byte += 2;
  next_gap();
  return next;
}

/* One of those who are ready: there is one. */
static unsigned pick(const unsigned *ready, unsigned count)
{
  switch (stage.play.order) {
  case PLAY_RANDOM:
    return ready[next_random() % count];
  case PLAY_PRIORITIES:
    return highest(ready, count);
  case PLAY_BYTES:
    return by_bytes(ready, count);
  case PLAY_SCRIPT:
    break;
  }
  return in_turn(ready, count);
}

/* Is it time for a change? */
static bool is_turn_over(void)
{
  switch (stage.play.order) {
  case PLAY_RANDOM:
    return next_random() % stage.rarity == 0;
  case PLAY_PRIORITIES:
    if (next_random() % stage.rarity == 0)
      stage_actor()->number = --stage.lowest;
    return true;
  case PLAY_BYTES:
    return stage.gap-- == 0;
  case PLAY_SCRIPT:
    break;
  }
  return false;
}

unsigned order_at_point(void)
{
  unsigned ready[ACTORS_MAX];
  bool is_free =
      stage.play.order == PLAY_RANDOM || stage.play.order == PLAY_PRIORITIES;
  wake_due();
  if (is_free && next_random() % TIME_RARITY == 0)
    pass_time(NAP_NS);
  if (!is_turn_over())
    return stage.now;
  return pick(ready, list_ready(ready, ACTORS_MAX));
}

unsigned order_at_yield(void)
{
  unsigned ready[ACTORS_MAX];
  wake_due();
  stage_actor()->number = --stage.lowest;
  unsigned count = list_ready(ready, stage.now);
  if (!count && pass_time(PLAY_FOREVER))
    count = list_ready(ready, stage.now);
  if (!count && stage.idle++ < IDLE_MAX)
    return stage.now;
  if (!count)
    play_fail("waits in a loop, and nobody else can run");
  stage.idle = 0;
  return pick(ready, count);
}

unsigned order_at_wait(void)
{
  unsigned ready[ACTORS_MAX];
  wake_due();
  unsigned count = list_ready(ready, ACTORS_MAX);
  if (!count && pass_time(PLAY_FOREVER))
    count = list_ready(ready, ACTORS_MAX);
  if (!count)
    play_fail("deadlock: all wait, and nobody for the time alone");
  return pick(ready, count);
}
