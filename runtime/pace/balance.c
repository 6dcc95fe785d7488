/* SPDX-License-Identifier: MIT */
/* balance.c -- memory where it saves the most collection
 *
 * The paper's c, the price of memory, follows from the percent: a heap of
 * 64 MiB which in the time that marking takes for 8 bytes allocates one grows
 * by the percent, as under any policy.  One of four times the size, or a
 * quarter of the pace, grows by half of that part.
 *
 * ALWAYS TRUE
 *
 *   .clamped  extra is between a sixteenth and sixteen times what the percent
 *             would give, or that of a heap of 4 MiB if it is more.  So an idle
 *             heap still leaves room for a cycle to run in, and one odd
 *             interval does not take all memory. */
#include "pace/balance.h"

#include <math.h>

/* The reference heap. */
static const double reference_live = 64.0 * 1024 * 1024;
static const double reference_pace = 1.0 / 8; /* g / s */

static const double clamp = 16;
static const double least_live = 4.0 * 1024 * 1024;

/* A cycle weighs so much of what is remembered of all before it. */
static const double decay = 0.5;

void balance_note(struct balance *b, const struct balance_cycle *cycle)
{
  if (cycle->interval_ns && cycle->allocated) {
    b->allocated = b->allocated * decay + (double)cycle->allocated;
    b->interval_ns = b->interval_ns * decay + (double)cycle->interval_ns;
  }
  if (cycle->work && cycle->marking_ns > 0) {
    b->work = b->work * decay + (double)cycle->work;
    b->marking_ns = b->marking_ns * decay + cycle->marking_ns;
  }
}

bool balance_is_known(const struct balance *b)
{
  return b->interval_ns > 0 && b->marking_ns > 0;
}

/* g / s */
static double pace(const struct balance *b, double allocated, double idle_ns)
{
  double g = (b->allocated + allocated) / (b->interval_ns + idle_ns);
  double s = b->work / b->marking_ns;
  return g / s;
}

double balance_weight(const struct balance *b, uint64_t live,
                      uint64_t allocated, uint64_t idle_ns)
{
  return sqrt((double)live * pace(b, (double)allocated, (double)idle_ns));
}

double balance_activity(const struct balance *b, uint64_t allocated,
                        uint64_t idle_ns)
{
  if (!balance_is_known(b))
    return 1;
  double now =
      (b->allocated + (double)allocated) / (b->interval_ns + (double)idle_ns);
  return fmin(now / (b->allocated / b->interval_ns), 1);
}

uint64_t balance_extra(const struct balance *b, uint64_t live,
                       unsigned gc_percent)
{
  double part = gc_percent / 100.0;
  double by_percent = (double)live * part;
  double extra = part * sqrt((double)live * reference_live * pace(b, 0, 0) /
                             reference_pace);
  double high = clamp * fmax(by_percent, least_live * part);
  extra = fmin(fmax(extra, by_percent / clamp), high); /* .clamped */
  return extra < 0x1p62 ? (uint64_t)extra : UINT64_C(1) << 62;
}
