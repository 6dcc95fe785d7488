/* SPDX-License-Identifier: MIT */
/* Test of pace/pacer.h: what sets the policies apart, on figures worked out by
 * hand; then all functions and policies on figures that no program would give.
 * Whole programs are in tests/sim/pacer.c. */
#include "unit.h"

#include "pace/pacer.h"

#include <limits.h>

#define MIB(n) (UINT64_C(1048576) * (n))
#define SECONDS(n) (UINT64_C(1000000000) * (n))

enum { PROCESSORS = 8, CYCLE_NS = 1000000 };

static const struct pacer_memory no_memory = {0};

static uint64_t goal_of(const struct pacer *p)
{
  return pacer_goal(p, &no_memory);
}

static uint64_t trigger_of(const struct pacer *p)
{
  return pacer_trigger(p, &no_memory, NULL);
}

static void revise(struct pacer *p, uint64_t live, uint64_t scannable,
                   uint64_t done)
{
  pacer_revise(p, &no_memory, live, scannable,
               (struct pacer_work){.heap = done});
}

/* Workers alone marked, and it is not known when. */
static void end(struct pacer *p, uint64_t marked, uint64_t done)
{
  pacer_end(p, &(struct pacer_cycle){
                   .duration_ns = CYCLE_NS,
                   .processors = PROCESSORS,
                   .marked = marked,
                   .done = {.heap = done},
               });
}

/* After a cycle that found so much, and in which nothing was allocated. */
static struct pacer pacer_with(int gc_percent, enum pacer_policy policy,
                               uint64_t marked)
{
  struct pacer p;
  pacer_init(&p, gc_percent, PACER_NO_LIMIT);
  pacer_set_policy(&p, policy);
  pacer_start(&p, marked, marked, 0, 0);
  end(&p, marked, marked);
  pacer_commit(&p, marked, true);
  return p;
}

START_TEST(policies_have_names)
{
  enum pacer_policy policy = PACER_BALANCE;
  ck_assert(pacer_policy_parse("go", &policy) && policy == PACER_GO);
  ck_assert(pacer_policy_parse("dusk", &policy) && policy == PACER_DUSK);
  ck_assert(pacer_policy_parse("balance", &policy) && policy == PACER_BALANCE);
  static const char *const none[] = {"", "Go", "go ", "dus", "duskk", "0"};
  for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
    ck_assert(!pacer_policy_parse(none[i], &policy));
  ck_assert_int_eq(policy, PACER_BALANCE);
  ck_assert_str_eq(pacer_policy_name(PACER_DUSK), "dusk");
}
END_TEST

START_TEST(a_new_pacer_is_go_and_can_be_told_another_policy)
{
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  ck_assert_int_eq(pacer_set_policy(&p, PACER_DUSK), PACER_GO);
  ck_assert_int_eq(pacer_set_policy(&p, PACER_BALANCE), PACER_DUSK);
}
END_TEST

START_TEST(bounds_of_the_trigger_can_be_set)
{
  struct pacer p = pacer_with(100, PACER_GO, MIB(100));
  ck_assert_uint_eq(trigger_of(&p), MIB(196));
  pacer_set_bounds(&p, 0, 60); /* below the policy's own, which holds */
  ck_assert_uint_eq(trigger_of(&p), MIB(100) + MIB(100) / 64 * 45);
  pacer_set_bounds(&p, 20, 60);
  ck_assert_uint_eq(trigger_of(&p), MIB(160));
  pacer_set_bounds(&p, 90, 60); /* low holds */
  ck_assert_uint_eq(trigger_of(&p), MIB(190));
  pacer_set_bounds(&p, 1000, 1000);
  ck_assert_uint_eq(trigger_of(&p), MIB(200));

  /* A runway longer than all the way. */
  pacer_set_bounds(&p, 20, 0);
  pacer_start(&p, MIB(100), MIB(100), 0, 0);
  revise(&p, MIB(4000), MIB(100), MIB(100));
  end(&p, MIB(100), MIB(100));
  pacer_commit(&p, MIB(100), true);
  ck_assert_uint_eq(trigger_of(&p), MIB(120));
  pacer_set_bounds(&p, 0, 0);
  ck_assert_uint_eq(trigger_of(&p), MIB(100) + MIB(100) / 64 * 45);
}
END_TEST

/* A cycle that found `lives_on` and `black` besides, which was born in it. */
static void bear_black(struct pacer *p, uint64_t lives_on, uint64_t black)
{
  pacer_start(p, MIB(2000), lives_on, 0, 0);
  revise(p, MIB(2000) + black, lives_on, lives_on);
  end(p, lives_on + black, lives_on);
  pacer_commit(p, p->marked, true);
}

static struct pacer pacer_after_black(enum pacer_policy policy, int percent,
                                      uint64_t lives_on, uint64_t black)
{
  struct pacer p = pacer_with(percent, policy, lives_on);
  bear_black(&p, lives_on, black);
  return p;
}

/* Arithmetic on doubles is between them. */
static void expect_runway(const struct pacer *p, uint64_t bytes)
{
  uint64_t runway = goal_of(p) - trigger_of(p);
  ck_assert_uint_le(runway, bytes);
  ck_assert_uint_ge(runway, bytes - 1);
}

START_TEST(dusk_is_go_while_the_runway_is_within_its_bound)
{
  /* At 100 percent the bound leaves 19/64 of the way: 19/45 of what lives. */
  for (uint64_t black = MIB(1); black <= MIB(38); black += MIB(1)) {
    struct pacer go = pacer_after_black(PACER_GO, 100, MIB(90), black);
    struct pacer dusk = pacer_after_black(PACER_DUSK, 100, MIB(90), black);
    ck_assert_uint_eq(goal_of(&dusk), goal_of(&go));
    ck_assert_uint_eq(trigger_of(&dusk), trigger_of(&go));
  }
}
END_TEST

START_TEST(dusk_does_not_grow_with_what_is_born_black_beyond_it)
{
  struct pacer p = pacer_after_black(PACER_DUSK, 100, MIB(90), MIB(100));
  ck_assert_uint_eq(p.born_black, MIB(100));
  ck_assert_uint_eq(goal_of(&p), MIB(190) + MIB(90) + MIB(38));
  expect_runway(&p, MIB(100));

  p = pacer_after_black(PACER_DUSK, 100, MIB(90), MIB(1000));
  ck_assert_uint_eq(trigger_of(&p), p.marked + MIB(128) / 64 * 3);

  /* At 50 percent, 19/128 of the way, which is 19/109 of what lives. */
  p = pacer_after_black(PACER_DUSK, 50, MIB(109), MIB(100));
  ck_assert_uint_eq(goal_of(&p), MIB(209) + (MIB(109) + MIB(19)) / 2);

  /* From 337 on, Go's bound bounds nothing. */
  p = pacer_after_black(PACER_DUSK, 400, MIB(90), MIB(100));
  ck_assert_uint_eq(goal_of(&p), MIB(190) * 5);
}
END_TEST

START_TEST(dusk_gives_a_runway_beyond_the_bound_to_the_mean_alone)
{
  struct pacer p = pacer_after_black(PACER_DUSK, 100, MIB(64), MIB(60));
  expect_runway(&p, MIB(60));
  bear_black(&p, MIB(64), MIB(20));
  expect_runway(&p, MIB(40));
  for (unsigned i = 0; i < 3; i++)
    bear_black(&p, MIB(64), MIB(4));
  /* The mean is 18.4 MiB now, but the longest 60, and the bound leaves 20. */
  ck_assert_uint_eq(trigger_of(&p), p.marked + MIB(68) / 64 * 45);
  bear_black(&p, MIB(64), MIB(4));
  expect_runway(&p, MIB(20)); /* the longest */
  bear_black(&p, MIB(64), MIB(4));
  expect_runway(&p, MIB(4));
}
END_TEST

/* A first cycle, after two seconds and so much allocated, which found 64 MiB.
 * A quarter of the processors marked them in one second. */
static struct pacer pacer_at_pace(enum pacer_policy policy, uint64_t allocated)
{
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  pacer_set_policy(&p, policy);
  pacer_start(&p, allocated, allocated, 0, 0);
  revise(&p, allocated, allocated, MIB(64));
  pacer_end(&p, &(struct pacer_cycle){
                    .duration_ns = SECONDS(1),
                    .interval_ns = SECONDS(2),
                    .processors = PROCESSORS,
                    .marked = MIB(64),
                    .done = {.heap = MIB(64)},
                });
  pacer_commit(&p, p.marked, true);
  return p;
}

START_TEST(balance_is_go_until_it_knows_the_speeds)
{
  struct pacer p = pacer_with(100, PACER_BALANCE, MIB(64));
  ck_assert_uint_eq(goal_of(&p), MIB(128));
}
END_TEST

START_TEST(balance_follows_the_square_root)
{
  /* All processors would mark 256 MiB a second; an eighth of that is the
   * reference. */
  struct pacer p = pacer_at_pace(PACER_BALANCE, MIB(64));
  ck_assert_uint_eq(goal_of(&p), MIB(128));
  /* Four times as fast, twice as much. */
  p = pacer_at_pace(PACER_BALANCE, MIB(256));
  ck_assert_uint_eq(goal_of(&p), MIB(64 + 128));
  pacer_set_percent(&p, 50);
  pacer_commit(&p, MIB(64), true);
  ck_assert_uint_eq(goal_of(&p), MIB(64 + 64));
  pacer_set_percent(&p, 0);
  pacer_commit(&p, MIB(64), true);
  ck_assert_uint_eq(goal_of(&p), MIB(64));
  pacer_set_percent(&p, PACER_OFF);
  pacer_commit(&p, MIB(64), true);
  ck_assert_uint_eq(goal_of(&p), UINT64_MAX);
}
END_TEST

START_TEST(balance_keeps_rates_under_any_policy)
{
  struct pacer p = pacer_at_pace(PACER_GO, MIB(256));
  ck_assert_uint_eq(goal_of(&p), MIB(128));
  pacer_set_policy(&p, PACER_BALANCE);
  pacer_commit(&p, MIB(64), true);
  ck_assert_uint_eq(goal_of(&p), MIB(64 + 128));
}
END_TEST

/* ---- any figures ---- */

static uint64_t random_word(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Below 2^62, and as often small as large. */
static uint64_t random_size(uint64_t *state)
{
  return (random_word(state) >> 2) >> random_word(state) % 62;
}

static struct pacer_work random_work(uint64_t *state)
{
  return (struct pacer_work){
      .heap = random_size(state),
      .stack = random_size(state),
      .globals = random_size(state),
  };
}

static void expect_sane(const struct pacer *p, const struct pacer_memory *m)
{
  uint64_t goal;
  uint64_t trigger = pacer_trigger(p, m, &goal);
  ck_assert_uint_le(trigger, goal);
  ck_assert_uint_eq(goal, pacer_goal(p, m));
  ck_assert_uint_ge(goal, p->marked);
  ck_assert_double_finite(p->cons_mark);
  ck_assert_double_ge(p->cons_mark, 0);
}

static void expect_sane_price(const struct pacer *p)
{
  ck_assert_double_finite(pacer_assist_work_per_byte(p));
  ck_assert_double_finite(pacer_assist_bytes_per_work(p));
  ck_assert_double_gt(pacer_assist_work_per_byte(p), 0);
  ck_assert_double_gt(pacer_assist_bytes_per_work(p), 0);
}

START_TEST(no_figures_upset_it)
{
  uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
  struct pacer p;
  pacer_init(&p, 100, PACER_NO_LIMIT);
  for (unsigned i = 0; i < 20000; i++) {
    struct pacer_memory m = {random_size(&state), random_size(&state),
                             random_size(&state)};
    if (i % 4 == 0)
      pacer_set_percent(&p, (int)(random_size(&state) % INT_MAX) - 1);
    if (i % 4 == 1)
      pacer_set_limit(&p, (int64_t)random_size(&state));
    pacer_set_policy(&p, (enum pacer_policy)(i / 8 % 3));
    pacer_set_bounds(&p, i % 5 ? 0 : i % 101, i % 7 ? 0 : i % 103);
    if (i % 16 == 1)
      pacer_set_limit(&p, i % 32 == 1 ? 0 : PACER_NO_LIMIT);
    pacer_commit(&p, random_size(&state), i % 2);
    expect_sane(&p, &m);

    pacer_start(&p, random_size(&state), random_size(&state),
                random_size(&state), random_size(&state));
    pacer_revise(&p, &m, random_size(&state), random_size(&state),
                 random_work(&state));
    expect_sane_price(&p);
    pacer_end(&p, &(struct pacer_cycle){
                      .assist_ns = random_size(&state),
                      .idle_ns = random_size(&state),
                      .duration_ns = random_size(&state),
                      .interval_ns = random_size(&state),
                      .processors = 1 + i % 256,
                      .marked = random_size(&state),
                      .done = random_work(&state),
                  });
    pacer_commit(&p, p.marked, false);
    expect_sane(&p, &m);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("policy");
  TCase *cases = tcase_create("policy");
  tcase_add_test(cases, policies_have_names);
  tcase_add_test(cases, a_new_pacer_is_go_and_can_be_told_another_policy);
  tcase_add_test(cases, bounds_of_the_trigger_can_be_set);
  tcase_add_test(cases, dusk_is_go_while_the_runway_is_within_its_bound);
  tcase_add_test(cases, dusk_does_not_grow_with_what_is_born_black_beyond_it);
  tcase_add_test(cases, dusk_gives_a_runway_beyond_the_bound_to_the_mean_alone);
  tcase_add_test(cases, balance_is_go_until_it_knows_the_speeds);
  tcase_add_test(cases, balance_follows_the_square_root);
  tcase_add_test(cases, balance_keeps_rates_under_any_policy);
  tcase_add_test(cases, no_figures_upset_it);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
