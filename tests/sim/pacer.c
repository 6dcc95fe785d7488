/* SPDX-License-Identifier: MIT */
/* pacer.c -- whole programs, paced as Go paces them
 *
 * Each scenario is one of programs.c, run by harness.c through the library's
 * own pacer.  Two things are asserted of it:
 *
 *   golden rows   what Go's own pacer does with the same program: bytes
 *                 exactly, the share of the processors to four decimals
 *   a promise     what the pacing owes to any such program, as bounds that
 *                 every row must keep
 *
 * A pacing that is meant to differ from Go's keeps the promises and gets golden
 * rows of its own. */
#include "programs.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

enum { KIB = 1024, MIB = 1024 * 1024, CYCLES_MAX = 100 };

/* What a limit of 512 MiB leaves to the heap. */
enum { LIMITED_GOAL = 520764785 };

struct scenario {
  const char *name;             /* of a simulated program */
  const struct sim_row *golden; /* some rows, then one of cycle 0; or NULL */
  /* Asserts the promise of the cycle at rows[n - 1], its number being n. */
  void (*promise)(const struct sim_row *rows, unsigned n);
};

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

/* ---- promises ----
 * The bounds are those that Go asserts of the same scenarios. */

static void between(const struct sim_row *row, const char *what, double value,
                    double low, double high)
{
  ck_assert_msg(value >= low && value <= high,
                "cycle %u: %s is %g, not in [%g, %g]", row->cycle, what, value,
                low, high);
}

static void near(const struct sim_row *row, const char *what, double value,
                 double wanted, double tolerance)
{
  between(row, what, value, wanted - tolerance, wanted + tolerance);
}

/* No jump from the cycle before. */
static void steady_share(const struct sim_row *rows, unsigned n, double most)
{
  near(&rows[n - 1], "change of utilization", rows[n - 1].utilization,
       rows[n - 2].utilization, most);
}

static void goal_met(const struct sim_row *row, double low, double high)
{
  between(row, "peak / goal", sim_goal_ratio(row), low, high);
}

/* Workers alone do all the marking, and it ends at the goal. */
static void promise_settled(const struct sim_row *rows, unsigned n)
{
  if (n < 25)
    return;
  near(&rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.005);
  steady_share(rows, n, 0.005);
  goal_met(&rows[n - 1], 0.95, 1.05);
}

/* A program that changes at cycle 51 is at rest before it and soon after. */
static void promise_settled_again(const struct sim_row *rows, unsigned n)
{
  if (n < 25 || (n >= 50 && n < 75))
    return;
  steady_share(rows, n, 0.005);
  goal_met(&rows[n - 1], 0.95, 1.05);
}

static void promise_oscillating(const struct sim_row *rows, unsigned n)
{
  if (n <= 12)
    return;
  goal_met(&rows[n - 1], 0.95, 1.05);
  between(&rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.3);
}

/* The program is so slow that cycles cost next to nothing. */
static void slow_settled(const struct sim_row *rows, unsigned n)
{
  if (n <= 25)
    return;
  near(&rows[n - 1], "utilization", rows[n - 1].utilization, 0.25, 0.005);
  steady_share(rows, n, 0.05);
  near(&rows[n - 1], "utilization since cycle 12", rows[n - 1].utilization,
       rows[11].utilization, 0.05);
}

/* ...and hardly moves the heap while one runs: it starts as late as it may. */
static void slow_and_late(const struct sim_row *rows, unsigned n,
                          unsigned settles_after)
{
  const struct sim_row *row = &rows[n - 1];
  if (n > settles_after) {
    goal_met(row, 0.925, 1.025);
    between(row, "trigger's place", sim_trigger_ratio(row), 0.925, 0.975);
  }
  slow_settled(rows, n);
}

static void promise_small_slow(const struct sim_row *rows, unsigned n)
{
  slow_and_late(rows, n, 4);
}

static void promise_medium_slow(const struct sim_row *rows, unsigned n)
{
  slow_and_late(rows, n, 9);
}

/* In a large heap, "late" is a distance and not a part of the heap. */
static void promise_large_slow(const struct sim_row *rows, unsigned n)
{
  const struct sim_row *row = &rows[n - 1];
  if (n > 13) {
    goal_met(row, 0.95, 1.05);
    near(row, "runway", (double)sim_runway(row), 4 * MIB, 64 * KIB);
  }
  slow_settled(rows, n);
}

static void promise_under_limit(const struct sim_row *rows, unsigned n)
{
  ck_assert_uint_lt(rows[n - 1].peak, LIMITED_GOAL);
  promise_settled(rows, n);
}

static void promise_at_limit(const struct sim_row *rows, unsigned n)
{
  ck_assert_uint_eq(rows[n - 1].goal, LIMITED_GOAL);
  promise_settled(rows, n);
}

static void promise_grown_to_limit(const struct sim_row *rows, unsigned n)
{
  if (n > 12)
    ck_assert_uint_eq(rows[n - 1].goal, LIMITED_GOAL);
  promise_settled(rows, n);
}

/* More is live than the limit allows: collect all the time, do not grow. */
static void promise_beyond_limit(const struct sim_row *rows, unsigned n)
{
  const struct sim_row *row = &rows[n - 1];
  if (n > 12)
    ck_assert_uint_eq(row->goal, row->live);
  if (n < 25)
    return;
  near(row, "utilization", row->utilization, 1, 0.005);
  steady_share(rows, n, 0.005);
}

static void promise_grown_beyond_limit(const struct sim_row *rows, unsigned n)
{
  if (n < 10)
    ck_assert_uint_eq(rows[n - 1].goal, LIMITED_GOAL);
  promise_beyond_limit(rows, n);
}

/* ---- scenarios ---- */

static const struct scenario scenarios[] = {
    {"Steady", steady, promise_settled},
    {"SteadyBigStacks", steady_big_stacks, promise_settled},
    {"SteadyBigGlobals", NULL, promise_settled},
    {"StepAlloc", step_alloc, promise_settled_again},
    {"HeavyStepAlloc", NULL, promise_settled_again},
    {"StepScannableFrac", NULL, promise_settled_again},
    {"OscAlloc", osc_alloc, promise_oscillating},
    {"SmallHeapSlowAlloc", small_heap_slow_alloc, promise_small_slow},
    {"MediumHeapSlowAlloc", NULL, promise_medium_slow},
    {"LargeHeapSlowAlloc", NULL, promise_large_slow},
    {"SteadyMemoryLimit", steady_memory_limit, promise_under_limit},
    {"SteadyMemoryLimitNoGCPercent", steady_memory_limit_no_percent,
     promise_at_limit},
    {"ExceedMemoryLimit", exceed_memory_limit, promise_beyond_limit},
    {"ExceedMemoryLimitNoGCPercent", NULL, promise_grown_beyond_limit},
    {"MaintainMemoryLimit", maintain_memory_limit, promise_grown_to_limit},
    {"MaintainMemoryLimitNoGCPercent", NULL, promise_at_limit},
};

enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static void check_golden(const struct sim_row *row, const struct sim_row *rows)
{
  const struct sim_row *got = &rows[row->cycle - 1];
  ck_assert_uint_eq(got->cycle, row->cycle);
  ck_assert_msg(
      got->live == row->live && got->trigger == row->trigger &&
          got->peak == row->peak && got->goal == row->goal &&
          lround(got->utilization * 10000) == lround(row->utilization * 10000),
      "cycle %u: %.4f %ju %ju %ju %ju, not %.4f %ju %ju %ju %ju", row->cycle,
      got->utilization, (uintmax_t)got->live, (uintmax_t)got->trigger,
      (uintmax_t)got->peak, (uintmax_t)got->goal, row->utilization,
      (uintmax_t)row->live, (uintmax_t)row->trigger, (uintmax_t)row->peak,
      (uintmax_t)row->goal);
}

START_TEST(a_program_is_paced_as_go_paces_it)
{
  const struct scenario *scenario = &scenarios[_i];
  struct sim_row rows[CYCLES_MAX];
  const struct sim_program *program = sim_program_named(scenario->name);
  ck_assert_ptr_nonnull(program);
  ck_assert_uint_le(program->cycles, CYCLES_MAX);
  sim_run(program, rows);
  for (const struct sim_row *row = scenario->golden; row && row->cycle; row++)
    check_golden(row, rows);
  for (unsigned n = 1; n <= program->cycles; n++)
    scenario->promise(rows, n);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pacer, simulated");
  for (int i = 0; i < SCENARIOS; i++) {
    TCase *tcase = tcase_create(scenarios[i].name);
    tcase_add_loop_test(tcase, a_program_is_paced_as_go_paces_it, i, i + 1);
    suite_add_tcase(suite, tcase);
  }
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
