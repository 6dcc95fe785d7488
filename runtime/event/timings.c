/* SPDX-License-Identifier: MIT */
/* timings.c -- how long what held a thread up took
 *
 * Tested by tests/unit/timings.c and tests/api/metrics.c. */
#include "event/timings.h"

static bool raise_to(uint64_t *longest, uint64_t ns)
{
  bool is_longer = ns > LOAD_RELAXED(longest);
  if (is_longer)
    STORE_RELAXED(longest, ns);
  return is_longer;
}

bool timings_answer(struct timings *timings, uint64_t ns)
{
  histogram_add(&timings->answer, ns);
  return raise_to(&timings->longest_answer_ns, ns);
}

void timings_fold(struct timings *sum, const struct timings *timings)
{
  histogram_fold(&sum->service, &timings->service);
  histogram_fold(&sum->answer, &timings->answer);
  histogram_fold(&sum->copy, &timings->copy);
  histogram_fold(&sum->slow, &timings->slow);
  counter_add(&sum->copied_bytes, LOAD_RELAXED(&timings->copied_bytes));
  counter_add(&sum->slow_paths, LOAD_RELAXED(&timings->slow_paths));
  raise_to(&sum->longest_answer_ns, LOAD_RELAXED(&timings->longest_answer_ns));
  worst_fold(&sum->worst, &timings->worst);
}
