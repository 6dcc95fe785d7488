/* SPDX-License-Identifier: MIT */
/* buckets.c -- where the buckets of histograms begin and end, in their unit
 *
 * Constants: who reads metrics gets pointers into these.  Tested by
 * tests/unit/metrics.c, against the functions that say the same in whole
 * numbers. */
#include "report/buckets.h"

#define ONE_TO_NINE(X, ten)                                                    \
  X(ten + 1), X(ten + 2), X(ten + 3), X(ten + 4), X(ten + 5), X(ten + 6),      \
      X(ten + 7), X(ten + 8), X(ten + 9)

/* histogram_edge() of a row's four buckets. */
#define TIME(row, sub)                                                         \
  ((double)((row) ? (UINT64_C(4) + (sub)) << ((row) + 5)                       \
                  : UINT64_C(sub) << 6) /                                      \
   1e9)
#define TIMES(row) TIME(row, 0), TIME(row, 1), TIME(row, 2), TIME(row, 3)

const double buckets_times[BUCKETS_TIMES + 1] = {
    -__builtin_inf(),       TIMES(0),    ONE_TO_NINE(TIMES, 0),  TIMES(10),
    ONE_TO_NINE(TIMES, 10), TIMES(20),   ONE_TO_NINE(TIMES, 20), TIMES(30),
    ONE_TO_NINE(TIMES, 30), TIME(40, 0), __builtin_inf(),
};

/* One more than dusk_class_size() of eight classes, from the sixteenth on. */
#define SIZE(row, step) (double)((UINT64_C(step) << ((row) + 3)) + 1)
#define SIZES(row)                                                             \
  SIZE(row, 9), SIZE(row, 10), SIZE(row, 11), SIZE(row, 12), SIZE(row, 13),    \
      SIZE(row, 14), SIZE(row, 15), SIZE(row, 16)

const double buckets_sizes[BUCKETS_SIZES + 1] = {
    1,        16 + 1,   32 + 1,   48 + 1,          64 + 1,   80 + 1,   96 + 1,
    112 + 1,  128 + 1,  144 + 1,  160 + 1,         176 + 1,  192 + 1,  208 + 1,
    224 + 1,  240 + 1,  256 + 1,  SIZES(2),        SIZES(3), SIZES(4), SIZES(5),
    SIZES(6), SIZES(7), SIZES(8), __builtin_inf(),
};
