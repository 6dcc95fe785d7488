/* SPDX-License-Identifier: MIT */
/* budget.c -- one number of bytes for several heaps
 *
 * ALWAYS TRUE, whatever the figures, if the floors allow it
 *
 *   .within  The limits together are not above the total.
 *   .held    Nor is, for each heap the larger of its limit and what it holds,
 *            the sum of these; unless more is held already.  So the process
 *            does not pass through a moment at which one heap has grown and the
 *            other has not shrunk yet. */
#include "pace/budget.h"

/* A heap at its floor would be collected all the time. */
static const uint64_t headroom_min_bytes = UINT64_C(1) << 20;
static const uint64_t headroom_part = 16; /* of the floor */

static uint64_t headroom(const struct budget_share *share)
{
  uint64_t part = share->floor / headroom_part;
  return part > headroom_min_bytes ? part : headroom_min_bytes;
}

/* number / of `amount`, and never more than `left`, which it is taken from. */
static uint64_t portion(uint64_t amount, double number, double of,
                        uint64_t *left)
{
  double exact = of > 0 ? (double)amount * (number / of) : 0;
  uint64_t taken = exact < (double)*left ? (uint64_t)exact : *left;
  *left -= taken;
  return taken;
}

/* What is left above the floors, for headroom alone. */
static void divide_scarcity(struct budget_share *shares, unsigned count,
                            uint64_t spare, double headrooms)
{
  uint64_t left = spare;
  for (unsigned i = 0; i < count; i++)
    shares[i].limit =
        shares[i].floor +
        portion(spare, (double)headroom(&shares[i]), headrooms, &left);
}

static void divide_plenty(struct budget_share *shares, unsigned count,
                          uint64_t spare)
{
  double weights = 0;
  for (unsigned i = 0; i < count; i++)
    weights += shares[i].weight;
  uint64_t left = spare;
  for (unsigned i = 0; i < count; i++) {
    bool known = weights > 0;
    shares[i].limit = shares[i].floor + headroom(&shares[i]) +
                      portion(spare, known ? shares[i].weight : 1,
                              known ? weights : count, &left);
  }
}

/* .held: those that may grow divide what those that must shrink have left. */
static void wait_for_shrinkers(struct budget_share *shares, unsigned count,
                               uint64_t total)
{
  uint64_t held = 0, growth = 0;
  bool somebody_shrinks = false;
  for (unsigned i = 0; i < count; i++) {
    held += shares[i].held;
    if (shares[i].limit > shares[i].held)
      growth += shares[i].limit - shares[i].held;
    somebody_shrinks |= shares[i].limit < shares[i].held;
  }
  uint64_t room = total > held ? total - held : 0;
  if (!somebody_shrinks || growth <= room)
    return;
  uint64_t left = room;
  for (unsigned i = 0; i < count; i++) {
    if (shares[i].limit <= shares[i].held)
      continue;
    uint64_t wanted = shares[i].limit - shares[i].held;
    shares[i].limit =
        shares[i].held + portion(room, (double)wanted, (double)growth, &left);
    if (shares[i].limit < shares[i].floor)
      shares[i].limit = shares[i].floor;
  }
}

void budget_divide(struct budget_share *shares, unsigned count, uint64_t total)
{
  uint64_t floors = 0, headrooms = 0;
  for (unsigned i = 0; i < count; i++) {
    floors += shares[i].floor;
    headrooms += headroom(&shares[i]);
  }
  uint64_t spare = total > floors ? total - floors : 0;
  if (spare <= headrooms)
    divide_scarcity(shares, count, spare, (double)headrooms);
  else
    divide_plenty(shares, count, spare - headrooms);
  wait_for_shrinkers(shares, count, total);
}

double budget_weight(const struct balance *b, bool square_root, uint64_t live,
                     uint64_t allocated, uint64_t idle_ns)
{
  if (square_root)
    return balance_weight(b, live, allocated, idle_ns);
  return (double)live * balance_activity(b, allocated, idle_ns);
}
