/* SPDX-License-Identifier: MIT */
/* promises.c -- what is asserted of the scenarios that are shipped
 *
 *   golden rows   what Go's own pacer does with the same program: bytes
 *                 exactly, the share of the processors to four decimals; where
 *                 Go has no such scenario, what ours did when it was written
 *   a promise     what the pacing owes to any such program, as bounds that
 *                 every row must keep
 *
 * A pacing that is meant to differ from Go's keeps the promises and gets golden
 * rows of its own. */
#include "promises.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* What a limit of 512 MiB leaves to the heap. */
enum { LIMITED_GOAL = 520764785 };

/* ---- golden rows ----
 * cycle, utilization, live, trigger, peak, goal */

static const struct sim_row steady[] = {
    {1, 0.2500, 0, 3997696, 4026999, 4194304},
    {2, 0.2500, 291447, 4011349, 4063884, 4194304},
    {6, 0.2500, 2950370, 5677996, 6093215, 5941700},
    {13, 0.2500, 20886436, 39968950, 41813831, 41813832},
    {25, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {26, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {50, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {0},
};

static const struct sim_row steady_big_stacks[] = {
    {1, 0.2500, 0, 3997696, 4112535, 4194304},
    {2, 0.4007, 376983, 4015328, 7353844, 4194304},
    {6, 0.2500, 29691311, 99521643, 133620414, 126526302},
    {13, 0.2500, 78323174, 231617271, 290898891, 290898892},
    {25, 0.2500, 78323176, 231617275, 290898895, 290898896},
    {26, 0.2500, 78323176, 231617274, 290898894, 290898896},
    {50, 0.2500, 78323176, 231617274, 290898894, 290898896},
    {0},
};

static const struct sim_row step_alloc[] = {
    {1, 0.2500, 0, 3997696, 4026999, 4194304},
    {2, 0.2500, 291447, 4011349, 4063884, 4194304},
    {13, 0.2500, 20886436, 39968950, 41813831, 41813832},
    {50, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {51, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {52, 0.5000, 20886438, 39968953, 41813835, 41813836},
    {53, 0.2500, 20886438, 36279180, 41813835, 41813836},
    {54, 0.2500, 24576211, 43658721, 49193381, 49193382},
    {57, 0.2500, 24576217, 43658731, 49193392, 49193394},
    {75, 0.2500, 24576217, 43658731, 49193392, 49193394},
    {100, 0.2500, 24576217, 43658731, 49193392, 49193394},
    {0},
};

static const struct sim_row osc_alloc[] = {
    {1, 0.2500, 0, 3997696, 4057191, 4194304},
    {2, 0.2500, 321639, 4012749, 4134047, 4194304},
    {6, 0.2500, 3222068, 5845812, 6573175, 6485096},
    {13, 0.2500, 23301152, 42170808, 45916496, 46643264},
    {25, 0.2500, 22273319, 40328002, 44073690, 44587598},
    {26, 0.2749, 22787244, 41869761, 45615447, 45615448},
    {50, 0.2749, 22787244, 41869761, 45615447, 45615448},
    {0},
};

static const struct sim_row small_heap_slow_alloc[] = {
    {1, 0.2500, 0, 3997696, 3997759, 4194304},
    {2, 0.2500, 262207, 4009986, 4010052, 4194304},
    {6, 0.2500, 582609, 4024961, 4025029, 4194304},
    {13, 0.2500, 582609, 4024961, 4025029, 4194304},
    {25, 0.2500, 582609, 4024961, 4025029, 4194304},
    {26, 0.2500, 582609, 4024961, 4025029, 4194304},
    {50, 0.2500, 582609, 4024961, 4025029, 4194304},
    {0},
};

static const struct sim_row steady_memory_limit[] = {
    {1, 0.2500, 0, 3997696, 4026999, 4194304},
    {2, 0.2500, 291447, 4011349, 4063884, 4194304},
    {6, 0.2500, 2950370, 5677996, 6093215, 5941700},
    {13, 0.2500, 20886436, 39968950, 41813831, 41813832},
    {25, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {26, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {50, 0.2500, 20886438, 39968953, 41813835, 41813836},
    {0},
};

static const struct sim_row steady_memory_limit_no_percent[] = {
    {1, 0.2500, 0, 516570481, 516599784, 520764785},
    {2, 0.2500, 291447, 516570481, 516623016, 520764785},
    {6, 0.2500, 2950371, 516570481, 516985705, 520764785},
    {13, 0.2500, 20886447, 516570481, 518415372, 520764785},
    {25, 0.2500, 20886447, 516570481, 518415372, 520764785},
    {26, 0.2500, 20886447, 516570481, 518415372, 520764785},
    {50, 0.2500, 20886447, 516570481, 518415372, 520764785},
    {0},
};

static const struct sim_row exceed_memory_limit[] = {
    {1, 0.2500, 0, 3997696, 4026999, 4194304},
    {2, 0.2500, 291447, 4011349, 4098732, 4194304},
    {6, 0.2500, 22373755, 42812468, 47664364, 44788470},
    {13, 1.0000, 1194234457, 1194234457, 1194234457, 1194234457},
    {25, 1.0000, 1174734432, 1174734432, 1174734432, 1174734432},
    {26, 1.0000, 1174734432, 1174734432, 1174734432, 1174734432},
    {50, 1.0000, 1174734432, 1174734432, 1174734432, 1174734432},
    {0},
};

static const struct sim_row maintain_memory_limit[] = {
    {1, 0.2500, 0, 3997696, 4026999, 4194304},
    {2, 0.2500, 291447, 4011349, 4087116, 4194304},
    {6, 0.2500, 12674710, 24269413, 26693553, 25390380},
    {13, 0.2500, 391467598, 486250814, 520764784, 520764785},
    {25, 0.2500, 391467717, 486250725, 520764784, 520764785},
    {26, 0.2500, 391467719, 486250723, 520764784, 520764785},
    {50, 0.2500, 391467728, 486250716, 520764784, 520764785},
    {0},
};

static const struct sim_row live_jump[] = {
    {50, 0.2500, 22802611, 41885124, 45646179, 45646182},
    {51, 0.4264, 22802611, 41885124, 83325422, 45646182},
    {52, 0.5099, 79523410, 135467095, 137852000, 159087780},
    {60, 0.2500, 45526033, 83650103, 91093024, 91093026},
    {100, 0.2500, 45526032, 83650104, 91093021, 91093024},
    {0},
};

/* ---- promises ----
 * The bounds are those that Go asserts of the same scenarios. */

static void expect(struct verdict *v, const struct sim_row *row,
                   const char *what, double value, double low, double high)
{
  if (v->broken || (value >= low && value <= high))
    return;
  v->broken = true;
  snprintf(v->text, sizeof v->text, "cycle %u: %s is %.10g, not in [%g, %g]",
           row->cycle, what, value, low, high);
}

static void near(struct verdict *v, const struct sim_row *row, const char *what,
                 double value, double wanted, double tolerance)
{
  expect(v, row, what, value, wanted - tolerance, wanted + tolerance);
}

static void exactly(struct verdict *v, const struct sim_row *row,
                    const char *what, uint64_t value, uint64_t wanted)
{
  near(v, row, what, (double)value, (double)wanted, 0);
}

/* No jump from the cycle before. */
static void steady_share(struct verdict *v, const struct sim_row *rows,
                         unsigned n, double most)
{
  near(v, &rows[n - 1], "change of utilization", rows[n - 1].utilization,
       rows[n - 2].utilization, most);
}

static void goal_met(struct verdict *v, const struct sim_row *row, double low,
                     double high)
{
  expect(v, row, "peak / goal", sim_goal_ratio(row), low, high);
}

/* Workers alone do all the marking, and it ends at the goal. */
static void promise_settled(struct verdict *v, const struct sim_row *rows,
                            unsigned n)
{
  if (n < 25)
    return;
  near(v, &rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.005);
  steady_share(v, rows, n, 0.005);
  goal_met(v, &rows[n - 1], 0.95, 1.05);
}

/* A program that changes at cycle 51 is at rest before it and soon after. */
static void promise_settled_again(struct verdict *v, const struct sim_row *rows,
                                  unsigned n)
{
  if (n < 25 || (n >= 50 && n < 75))
    return;
  steady_share(v, rows, n, 0.005);
  goal_met(v, &rows[n - 1], 0.95, 1.05);
}

static void promise_oscillating(struct verdict *v, const struct sim_row *rows,
                                unsigned n)
{
  if (n <= 12)
    return;
  goal_met(v, &rows[n - 1], 0.95, 1.05);
  expect(v, &rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.3);
}

/* The program is so slow that cycles cost next to nothing. */
static void slow_settled(struct verdict *v, const struct sim_row *rows,
                         unsigned n)
{
  if (n <= 25)
    return;
  near(v, &rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.005);
  steady_share(v, rows, n, 0.05);
  near(v, &rows[n - 1], "utilization since cycle 12", rows[n - 1].utilization,
       rows[11].utilization, 0.05);
}

/* ...and hardly moves the heap while one runs: it starts as late as it may. */
static void slow_and_late(struct verdict *v, const struct sim_row *rows,
                          unsigned n, unsigned settles_after)
{
  const struct sim_row *row = &rows[n - 1];
  if (n > settles_after) {
    goal_met(v, row, 0.925, 1.025);
    expect(v, row, "trigger's place", sim_trigger_ratio(row), 0.925, 0.975);
  }
  slow_settled(v, rows, n);
}

static void promise_small_slow(struct verdict *v, const struct sim_row *rows,
                               unsigned n)
{
  slow_and_late(v, rows, n, 4);
}

static void promise_medium_slow(struct verdict *v, const struct sim_row *rows,
                                unsigned n)
{
  slow_and_late(v, rows, n, 9);
}

/* In a large heap, "late" is a distance and not a part of the heap. */
static void promise_large_slow(struct verdict *v, const struct sim_row *rows,
                               unsigned n)
{
  const struct sim_row *row = &rows[n - 1];
  if (n > 13) {
    goal_met(v, row, 0.95, 1.05);
    near(v, row, "runway", (double)sim_runway(row), 4 * MIB, 64 * KIB);
  }
  slow_settled(v, rows, n);
}

static void promise_under_limit(struct verdict *v, const struct sim_row *rows,
                                unsigned n)
{
  expect(v, &rows[n - 1], "peak", (double)rows[n - 1].peak, 0,
         LIMITED_GOAL - 1);
  promise_settled(v, rows, n);
}

static void promise_at_limit(struct verdict *v, const struct sim_row *rows,
                             unsigned n)
{
  exactly(v, &rows[n - 1], "goal", rows[n - 1].goal, LIMITED_GOAL);
  promise_settled(v, rows, n);
}

static void promise_grown_to_limit(struct verdict *v,
                                   const struct sim_row *rows, unsigned n)
{
  if (n > 12)
    exactly(v, &rows[n - 1], "goal", rows[n - 1].goal, LIMITED_GOAL);
  promise_settled(v, rows, n);
}

/* More is live than the limit allows: collect all the time, do not grow. */
static void promise_beyond_limit(struct verdict *v, const struct sim_row *rows,
                                 unsigned n)
{
  const struct sim_row *row = &rows[n - 1];
  if (n > 12)
    exactly(v, row, "goal", row->goal, row->live);
  if (n < 25)
    return;
  near(v, row, "utilization", row->utilization, 1, 0.005);
  steady_share(v, rows, n, 0.005);
}

static void promise_grown_beyond_limit(struct verdict *v,
                                       const struct sim_row *rows, unsigned n)
{
  if (n < 10)
    exactly(v, &rows[n - 1], "goal", rows[n - 1].goal, LIMITED_GOAL);
  promise_beyond_limit(v, rows, n);
}

static void promise_high_percent(struct verdict *v, const struct sim_row *rows,
                                 unsigned n)
{
  if (n <= 12)
    return;
  goal_met(v, &rows[n - 1], 0.90, n == 26 ? 15 : 1.05);
  near(v, &rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.03);
  steady_share(v, rows, n, 0.03);
}

static void promise_jittering(struct verdict *v, const struct sim_row *rows,
                              unsigned n)
{
  if (n <= 12)
    return;
  goal_met(v, &rows[n - 1], 0.95, 1.025);
  expect(v, &rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.275);
}

static void promise_jittering_heavily(struct verdict *v,
                                      const struct sim_row *rows, unsigned n)
{
  if (n <= 13)
    return;
  goal_met(v, &rows[n - 1], 0.95, 1.05);
  steady_share(v, rows, n, 0.05);
  near(v, &rows[n - 1], "utilization since cycle 12", rows[n - 1].utilization,
       rows[11].utilization, 0.05);
}

/* Ours.  At percent 100, the hard goal is twice the goal, and a heap that has
 * passed it may plan a tenth more.  Assists hold the heap there when the work
 * turns out to be many times what was expected; soon after, all is at rest. */
static void promise_jump(struct verdict *v, const struct sim_row *rows,
                         unsigned n)
{
  goal_met(v, &rows[n - 1], 0, 2 * 1.1);
  if (n == 51)
    expect(v, &rows[n - 1], "utilization", rows[n - 1].utilization, 0.3, 1);
  if (n >= 60)
    promise_settled(v, rows, n);
}

/* ---- scenarios ---- */

const struct scenario scenarios[] = {
    {"steady", steady, promise_settled},
    {"steady_big_stacks", steady_big_stacks, promise_settled},
    {"steady_big_globals", NULL, promise_settled},
    {"step_alloc", step_alloc, promise_settled_again},
    {"heavy_step_alloc", NULL, promise_settled_again},
    {"step_scannable_frac", NULL, promise_settled_again},
    {"high_gogc", NULL, promise_high_percent},
    {"osc_alloc", osc_alloc, promise_oscillating},
    {"jitter_alloc", NULL, promise_jittering},
    {"heavy_jitter_alloc", NULL, promise_jittering_heavily},
    {"small_heap_slow_alloc", small_heap_slow_alloc, promise_small_slow},
    {"medium_heap_slow_alloc", NULL, promise_medium_slow},
    {"large_heap_slow_alloc", NULL, promise_large_slow},
    {"steady_memory_limit", steady_memory_limit, promise_under_limit},
    {"steady_memory_limit_no_gc_percent", steady_memory_limit_no_percent,
     promise_at_limit},
    {"exceed_memory_limit", exceed_memory_limit, promise_beyond_limit},
    {"exceed_memory_limit_no_gc_percent", NULL, promise_grown_beyond_limit},
    {"maintain_memory_limit", maintain_memory_limit, promise_grown_to_limit},
    {"maintain_memory_limit_no_gc_percent", NULL, promise_at_limit},
    {"live_jump", live_jump, promise_jump},
};

const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];

const struct scenario *scenario_named(const char *name)
{
  for (unsigned i = 0; i < scenario_count; i++)
    if (strcmp(scenarios[i].name, name) == 0)
      return &scenarios[i];
  return NULL;
}

static bool is_as_golden(const struct sim_row *got, const struct sim_row *row)
{
  return got->cycle == row->cycle && got->live == row->live &&
         got->trigger == row->trigger && got->peak == row->peak &&
         got->goal == row->goal &&
         lround(got->utilization * 10000) == lround(row->utilization * 10000);
}

struct verdict golden_judge(const struct scenario *scenario,
                            const struct sim_row *rows)
{
  struct verdict v = {0};
  for (const struct sim_row *row = scenario->golden; row && row->cycle; row++) {
    const struct sim_row *got = &rows[row->cycle - 1];
    if (is_as_golden(got, row))
      continue;
    v.broken = true;
    snprintf(v.text, sizeof v.text,
             "cycle %u: %.4f %ju %ju %ju %ju, not %.4f %ju %ju %ju %ju",
             row->cycle, got->utilization, (uintmax_t)got->live,
             (uintmax_t)got->trigger, (uintmax_t)got->peak,
             (uintmax_t)got->goal, row->utilization, (uintmax_t)row->live,
             (uintmax_t)row->trigger, (uintmax_t)row->peak,
             (uintmax_t)row->goal);
    break;
  }
  return v;
}

struct verdict promise_judge(const struct scenario *scenario,
                             const struct sim_row *rows, unsigned n)
{
  struct verdict v = {0};
  for (unsigned i = 1; i <= n; i++)
    scenario->promise(&v, rows, i);
  return v;
}
