/* SPDX-License-Identifier: MIT */
/* stack.c -- objects that only a stack or a register knows
 *
 * Each actor recurses, deeply and at random.  A frame makes objects and keeps
 * them in one of several ways, calls on, and verifies them when the calls have
 * come back, maybe many cycles later:
 *
 *   inside     one word that points to the inside of the object, or to its
 *              last byte; the start is computed again afterwards
 *   array      an array of such words, some of them dropped
 *   registers  six locals that are live across calls, and that nobody makes
 *              the compiler write to memory
 *
 * Meanwhile frames further down make garbage, collect, sleep and come to
 * safepoints.  No object is in a root or in another object. */
#include "stress.h"

#include <stddef.h>

enum { DEEPEST = 2500, ARRAY = 24 };

static void descend(struct actor *actor, unsigned depth);

/* What happens while a frame waits: something that may collect. */
static void disturb(struct actor *actor)
{
  struct random *random = &actor->random;
  uint64_t dice = random_below(random, 4000);
  if (dice == 0)
    dusk_collect(actor->thread);
  else if (dice < 10)
    stress_nap(actor, (unsigned)random_below(random, 200));
  else if (dice < 2000)
    dusk_safepoint(actor->thread);
  else
    for (uint64_t i = random_below(random, 8); i > 0; i--)
      stress_make(actor, stress_pick_shape(actor), stress_pick_words(actor), 0);
}

/* Where in an object a frame points: anywhere, but often at its ends. */
static size_t pick_offset(struct actor *actor, size_t bytes)
{
  switch (random_below(&actor->random, 4)) {
  case 0:
    return bytes - 1;
  case 1:
    return 1;
  default:
    return random_below(&actor->random, bytes);
  }
}

struct kept {
  char *inside;
  size_t offset;
  struct seal seal;
};

/* Not inlined, so that no caller's frame has held the start. */
static __attribute__((noinline)) struct kept keep_inside(struct actor *actor)
{
  char *object =
      stress_make(actor, stress_pick_shape(actor), stress_pick_words(actor), 0);
  struct kept kept = {.seal = stress_verify(actor, object)};
  kept.offset = pick_offset(actor, seal_words(kept.seal) * 8);
  kept.inside = object + kept.offset;
  return kept;
}

static __attribute__((noinline)) void check_kept(struct actor *actor,
                                                 const struct kept *kept)
{
  const char *start = kept->inside - kept->offset;
  stress_verify_as(actor, start, kept->seal);
  if (dusk_base_of(stress.heap, kept->inside) != start)
    stress_fail("base of %p is %p, expected %p", (void *)kept->inside,
                dusk_base_of(stress.heap, kept->inside), (const void *)start);
}

static __attribute__((noinline)) void frame_of_one(struct actor *actor,
                                                   unsigned depth)
{
  struct kept kept = keep_inside(actor);
  descend(actor, depth);
  check_kept(actor, &kept);
}

static __attribute__((noinline)) void frame_of_array(struct actor *actor,
                                                     unsigned depth)
{
  struct kept kept[ARRAY];
  for (int i = 0; i < ARRAY; i++)
    kept[i] = keep_inside(actor);
  descend(actor, depth);
  for (int i = 0; i < ARRAY; i += 3)
    kept[i].inside = NULL;
  descend(actor, depth / 2);
  for (int i = 0; i < ARRAY; i++)
    if (kept[i].inside)
      check_kept(actor, &kept[i]);
}

static void *make_leaf(struct actor *actor)
{
  return stress_make(actor, LEAF, 2 + random_below(&actor->random, 6), 0);
}

static __attribute__((noinline)) void frame_of_registers(struct actor *actor,
                                                         unsigned depth)
{
  void *a = make_leaf(actor);
  void *b = make_leaf(actor);
  void *c = make_leaf(actor);
  void *d = make_leaf(actor);
  void *e = make_leaf(actor);
  void *f = make_leaf(actor);
  for (int i = 0; i < 40; i++) {
    disturb(actor);
    stress_verify(actor, a);
    /* They change places: what was in one register is in another. */
    void *first = a;
    a = b;
    b = c;
    c = d;
    d = e;
    e = f;
    f = i % 8 ? first : make_leaf(actor);
  }
  descend(actor, depth);
  stress_verify(actor, a);
  stress_verify(actor, b);
  stress_verify(actor, c);
  stress_verify(actor, d);
  stress_verify(actor, e);
  stress_verify(actor, f);
}

static void descend(struct actor *actor, unsigned depth)
{
  disturb(actor);
  if (depth == 0 || stress_is_over())
    return;
  uint64_t dice = random_below(&actor->random, 40);
  if (dice == 0)
    frame_of_array(actor, depth - 1);
  else if (dice < 3)
    frame_of_registers(actor, depth - 1);
  else
    frame_of_one(actor, depth - 1);
}

static void recurse(struct actor *actor)
{
  while (!stress_is_over())
    descend(actor, 1 + (unsigned)random_below(&actor->random,
                                              actor->index % 2 ? DEEPEST : 30));
}

int main(int argc, char **argv)
{
  return stress_run(argc, argv, "stack", recurse);
}
