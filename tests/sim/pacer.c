/* SPDX-License-Identifier: MIT */
/* pacer.c -- whole programs, paced as Go paces them, and otherwise
 *
 * Each scenario that is shipped is read from its file, as `dusk-lab sim` reads
 * it, and run through the library's own pacer; promises.c has what is asserted
 * of it.  `dusk` keeps all of the promises, and others besides; `balance` is
 * another heap, which must come to rest. */
#include "promises.h"

#include "lab/sim/scenario.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CYCLES_MAX = 100, SEEDS = 500 };

struct run {
  struct sim_program program;
  unsigned cycles; /* that were run */
  struct sim_row rows[CYCLES_MAX];
};

static void read_scenario(struct run *run, const char *name)
{
  const char *top = getenv("srcdir");
  struct sim_message message;
  char file[4096];
  snprintf(file, sizeof file, "%s/lab/scenarios/%s" SCENARIO_SUFFIX,
           top ? top : ".", name);
  sim_program_init(&run->program);
  ck_assert_msg(scenario_read(&run->program, file, &message), "%s",
                message.text);
  ck_assert_uint_le(run->program.cycles, CYCLES_MAX);
}

static void go(struct run *run, enum pacer_policy policy)
{
  struct sim_message message;
  run->program.setup.policy = policy;
  run->cycles = run->program.cycles;
  ck_assert_msg(sim_program_run(&run->program, run->rows, &message), "%s",
                message.text);
}

START_TEST(a_program_is_paced_as_go_paces_it)
{
  const struct scenario *scenario = &scenarios[_i];
  struct run run;
  read_scenario(&run, scenario->name);
  go(&run, PACER_GO);
  struct verdict golden = golden_judge(scenario, run.rows);
  ck_assert_msg(!golden.broken, "%s", golden.text);
  struct verdict promise = promise_judge(scenario, run.rows, run.cycles);
  ck_assert_msg(!promise.broken, "%s", promise.text);
  sim_program_clear(&run.program);
}
END_TEST

/* ---- other policies ---- */

static void run_scenario(struct run *run, const char *name,
                         enum pacer_policy policy)
{
  read_scenario(run, name);
  go(run, policy);
  sim_program_clear(&run->program);
}

START_TEST(dusk_keeps_every_promise)
{
  const struct scenario *scenario = &scenarios[_i];
  struct run run;
  run_scenario(&run, scenario->name, PACER_DUSK);
  struct verdict promise = promise_judge(scenario, run.rows, run.cycles);
  ck_assert_msg(!promise.broken, "%s: %s", scenario->name, promise.text);
}
END_TEST

/* All whose runway Go's bound leaves as it is, once they are at rest; a growing
 * heap may need a longer one. */
START_TEST(dusk_is_go_where_workers_suffice)
{
  /* The globals leave a heap that grew on another way a few KiB larger. */
  static const char *const beyond[] = {"heavy_step_alloc", "heavy_jitter_alloc",
                                       "jitter_alloc", "live_jump",
                                       "steady_big_globals"};
  const struct scenario *scenario = &scenarios[_i];
  for (unsigned i = 0; i < sizeof beyond / sizeof *beyond; i++)
    if (strcmp(beyond[i], scenario->name) == 0)
      return;
  struct run go_run, run;
  run_scenario(&go_run, scenario->name, PACER_GO);
  run_scenario(&run, scenario->name, PACER_DUSK);
  for (unsigned i = 24; i < run.cycles; i++) {
    const struct sim_row *a = &run.rows[i], *b = &go_run.rows[i];
    ck_assert_msg(a->live == b->live && a->trigger == b->trigger &&
                      a->peak == b->peak && a->goal == b->goal,
                  "%s: cycle %u differs", scenario->name, i + 1);
  }
}
END_TEST

static uint64_t highest_peak(const struct run *run, unsigned from)
{
  uint64_t highest = 0;
  for (unsigned n = from; n <= run->cycles; n++)
    if (run->rows[n - 1].peak > highest)
      highest = run->rows[n - 1].peak;
  return highest;
}

/* Go's bound has assists at 46 % for ever; the price is 22 % of memory. */
START_TEST(dusk_gives_a_program_that_allocates_fast_its_time_back)
{
  static const char *const heavy[] = {"heavy_step_alloc", "heavy_jitter_alloc"};
  static const unsigned settled_from[] = {60, 14};
  struct run go_run, run;
  run_scenario(&go_run, heavy[_i], PACER_GO);
  run_scenario(&run, heavy[_i], PACER_DUSK);
  for (unsigned n = settled_from[_i]; n <= run.cycles; n++) {
    ck_assert_double_lt(run.rows[n - 1].utilization, 0.3);
    ck_assert_double_gt(go_run.rows[n - 1].utilization, 0.4);
  }
  ck_assert_uint_le(highest_peak(&run, 1) * 100,
                    highest_peak(&go_run, 1) * 125);
}
END_TEST

/* Neither the heap nor the share of the processors runs away; both are at rest
 * in the last quarter, but for the dice of a program. */
START_TEST(balance_comes_to_rest)
{
  const struct scenario *scenario = &scenarios[_i];
  bool hopeless = strncmp(scenario->name, "exceed", 6) == 0;
  struct run run;
  run_scenario(&run, scenario->name, PACER_BALANCE);
  unsigned cycles = run.cycles;
  uint64_t lowest = UINT64_MAX;
  for (unsigned n = cycles * 3 / 4; n <= cycles; n++) {
    const struct sim_row *row = &run.rows[n - 1];
    lowest = row->peak < lowest ? row->peak : lowest;
    ck_assert_double_le(row->utilization, hopeless ? 1 : 0.5);
    ck_assert_uint_le(row->peak * 100, row->goal * 105);
  }
  ck_assert_uint_le(highest_peak(&run, cycles * 3 / 4) * 10, lowest * 12);
}
END_TEST

/* ---- the same with any other dice ---- */

static const struct jitter {
  const char *scenario;
  const char *alloc; /* with a place for the seed */
  const char *growth;
  unsigned budget; /* of SEEDS may break the promise */
} jitters[] = {
    {"high_gogc", "165 + random(7, %u)",
     "2 + ramp(-1, 12) + random(0.01, %u) + delay(25, unit(14))", 0},
    /* Go's bounds are a little too narrow for its own pacing: seven of a
     * thousand seeds broke them when they were tried. */
    {"jitter_alloc", "132 + random(13, %u)",
     "2 + ramp(-1, 12) + random(0.01, %u)", SEEDS / 50},
    {"heavy_jitter_alloc", "330 + random(33, %u)",
     "2 + ramp(-1, 12) + random(0.01, %u)", 0},
};

enum { JITTERS = sizeof jitters / sizeof jitters[0] };

static void set(struct run *run, const char *name, const char *format,
                unsigned seed)
{
  struct sim_message message;
  char value[128];
  snprintf(value, sizeof value, format, seed);
  ck_assert_msg(
      sim_program_set(&run->program, name, value, name, NULL, &message), "%s",
      message.text);
}

static void throw_dice(const struct jitter *jitter, enum pacer_policy policy)
{
  const struct scenario *scenario = scenario_named(jitter->scenario);
  ck_assert_ptr_nonnull(scenario);
  unsigned broken = 0;
  struct verdict last = {0};
  for (unsigned seed = 1; seed <= SEEDS; seed++) {
    struct run run;
    read_scenario(&run, scenario->name);
    set(&run, "alloc", jitter->alloc, 2 * seed);
    set(&run, "growth", jitter->growth, 2 * seed + 1);
    go(&run, policy);
    struct verdict v = promise_judge(scenario, run.rows, run.cycles);
    if (v.broken) {
      broken++;
      last = v;
    }
    sim_program_clear(&run.program);
  }
  ck_assert_msg(broken <= jitter->budget,
                "%s: %u of %d broke the promise, the last one so: %s",
                scenario->name, broken, SEEDS, last.text);
}

START_TEST(promises_hold_whatever_the_dice)
{
  throw_dice(&jitters[_i], PACER_GO);
}
END_TEST

START_TEST(dusk_keeps_them_whatever_the_dice)
{
  throw_dice(&jitters[_i], PACER_DUSK);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pacer, simulated");
  for (int i = 0; i < (int)scenario_count; i++) {
    TCase *tcase = tcase_create(scenarios[i].name);
    tcase_add_loop_test(tcase, a_program_is_paced_as_go_paces_it, i, i + 1);
    suite_add_tcase(suite, tcase);
  }
  TCase *others = tcase_create("policies");
  tcase_add_loop_test(others, dusk_keeps_every_promise, 0, (int)scenario_count);
  tcase_add_loop_test(others, dusk_is_go_where_workers_suffice, 0,
                      (int)scenario_count);
  tcase_add_loop_test(
      others, dusk_gives_a_program_that_allocates_fast_its_time_back, 0, 2);
  tcase_add_loop_test(others, balance_comes_to_rest, 0, (int)scenario_count);
  suite_add_tcase(suite, others);
  TCase *dice = tcase_create("dice");
  tcase_set_timeout(dice, 0); /* a sanitizer makes it slow */
  tcase_add_loop_test(dice, promises_hold_whatever_the_dice, 0, JITTERS);
  tcase_add_loop_test(dice, dusk_keeps_them_whatever_the_dice, 0, JITTERS);
  suite_add_tcase(suite, dice);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
