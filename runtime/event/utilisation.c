/* SPDX-License-Identifier: MIT */
/* utilisation.c -- how little of its time a thread had, in the worst window
 *
 * Of all windows of one length the worst is among those that end where a delay
 * ends: moved to the right, a window loses nothing as long as it ends in a
 * delay.  So it is enough to look back from there each time.
 *
 * Runs on the thread whenever it was held up; some 0.1 us.
 *
 * Tested by tests/lab/utilisation.c, against dusk-lab's reckoning. */
#include "event/utilisation.h"

#include "base/sums.h"

#define SECOND_NS UINT64_C(1000000000)

/* 64 times this is the window. */
static const uint64_t part_ns[UTILISATION_WINDOW_COUNT] = {
#define X(ms) UINT64_C(ms) * 1000000 / UTILISATION_PARTS,
    UTILISATION_WINDOWS(X)
#undef X
};

void utilisation_begin(struct utilisation *utilisation, uint64_t now_ns)
{
  *utilisation = (struct utilisation){.until_ns = now_ns};
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++)
    utilisation->windows[i].part = now_ns / part_ns[i];
}

/* Moves on to the part in which the delay ends: notes what was delayed at the
 * begin of each. */
static void move_on(struct utilisation *utilisation, unsigned window,
                    uint64_t start_ns, uint64_t end_ns)
{
  uint64_t ns = part_ns[window];
  uint64_t last = end_ns / ns;
  uint64_t part = utilisation->windows[window].part + 1;
  if (last > UTILISATION_PARTS && part < last - UTILISATION_PARTS)
    part = last - UTILISATION_PARTS;
  for (; part <= last; part++) {
    uint64_t *begin =
        &utilisation->windows[window].begins[part % UTILISATION_PARTS];
    utilisation->windows[window].before = *begin;
    *begin = utilisation->delayed_ns + subtract_saturate(part * ns, start_ns);
  }
  utilisation->windows[window].part = last;
}

static void raise_to(uint64_t *word, uint64_t second, uint64_t ns)
{
  uint64_t now = second << 32 | ns;
  if (now > LOAD_RELAXED(word)) /* a later second, or the same and more */
    STORE_RELAXED(word, now);
}

void utilisation_add(struct utilisation *utilisation, struct worst *worst,
                     uint64_t start_ns, uint64_t end_ns)
{
  uint64_t second = end_ns / SECOND_NS;
  if (start_ns < utilisation->until_ns)
    start_ns = utilisation->until_ns;
  if (end_ns <= start_ns)
    return;
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++)
    move_on(utilisation, i, start_ns, end_ns);
  utilisation->delayed_ns += end_ns - start_ns;
  utilisation->until_ns = end_ns;
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++)
    raise_to(&worst->words[i][second % UTILISATION_SECONDS], second,
             min_u64(utilisation->delayed_ns - utilisation->windows[i].before,
                     part_ns[i] * UTILISATION_PARTS));
}

void worst_fold(struct worst *sum, const struct worst *worst)
{
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++)
    for (unsigned s = 0; s < UTILISATION_SECONDS; s++) {
      uint64_t word = LOAD_RELAXED(&worst->words[i][s]);
      raise_to(&sum->words[i][s], word >> 32, (uint32_t)word);
    }
}

double worst_utilisation(const struct worst *worst,
                         enum utilisation_window window, uint64_t now_ns)
{
  uint64_t second = now_ns / SECOND_NS;
  uint64_t most = 0;
  for (unsigned s = 0; s < UTILISATION_SECONDS; s++) {
    uint64_t word = LOAD_RELAXED(&worst->words[window][s]);
    if ((word >> 32) + UTILISATION_SECONDS > second)
      most = max_u64(most, (uint32_t)word);
  }
  return 1 - (double)most / (double)(part_ns[window] * UTILISATION_PARTS);
}
