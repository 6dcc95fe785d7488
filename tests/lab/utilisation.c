/* SPDX-License-Identifier: MIT */
/* Test of event/utilisation.c against dusk-lab's reckoning of the same delays,
 * which is exact. */
#include "../unit/unit.h"

#include "event/utilisation.h"
#include "lab/show/mmu.h"

#include <string.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

static const uint64_t windows[] = {
#define X(ms) ms *MS,
    UTILISATION_WINDOWS(X)
#undef X
};

enum { DELAYS_MAX = 20000 };

struct life {
  uint64_t now;
  struct utilisation utilisation;
  struct worst worst;
  struct mmu_interval delays[DELAYS_MAX];
  size_t count;
};

static void begin(struct life *life, uint64_t now)
{
  memset(life, 0, sizeof *life);
  life->now = now;
  utilisation_begin(&life->utilisation, now);
}

static void run_for(struct life *life, uint64_t ns)
{
  life->now += ns;
}

static void hold_for(struct life *life, uint64_t ns)
{
  ck_assert_uint_lt(life->count, DELAYS_MAX);
  life->delays[life->count++] =
      (struct mmu_interval){.start = life->now, .end = life->now + ns};
  utilisation_add(&life->utilisation, &life->worst, life->now, life->now + ns);
  life->now += ns;
}

static double told(const struct life *life, unsigned window)
{
  return worst_utilisation(&life->worst, (enum utilisation_window)window,
                           life->now);
}

/* Not above the truth, and at most a 64th below it. */
static void check(struct life *life)
{
  struct mmu_thread thread = {
      .life = {.start = 1, .end = life->now + SECOND},
      .delays = life->delays,
      .count = life->count,
  };
  struct mmu *mmu = mmu_create(&thread, 1);
  ck_assert_ptr_nonnull(mmu);
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++) {
    double exact = mmu_least(mmu, windows[i]);
    double here = told(life, i);
    ck_assert_msg(here <= exact + 1e-9 && here >= exact - 1.0 / 64 - 1e-9,
                  "window %u: %f told, %f exact", i, here, exact);
  }
  mmu_destroy(mmu);
}

static struct life life;

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(0x2545f4914f6cdd1d) % limit;
}

/* From 1 ns to about `most`, evenly by magnitude. */
static uint64_t random_ns(uint64_t *state, uint64_t most)
{
  return 1 + random_below(state, 1 + (most >> random_below(state, 20)));
}

START_TEST(random_delays)
{
  uint64_t state = (uint64_t)_i + 1;
  static const uint64_t delays[] = {MS / 100, MS, 20 * MS, 300 * MS};
  static const uint64_t gaps[] = {MS / 100, MS, 20 * MS};
  uint64_t delay = delays[_i % 4], gap = gaps[_i / 4 % 3];
  uint64_t start = 100 * SECOND + random_below(&state, SECOND);
  begin(&life, start);
  for (int i = 0; i < 3000 && life.now < start + 8 * SECOND; i++) {
    run_for(&life, random_ns(&state, gap));
    hold_for(&life, random_ns(&state, delay));
    if (i % 500 == 0)
      check(&life);
  }
  check(&life);
}
END_TEST

START_TEST(without_delays_all_is_the_threads)
{
  begin(&life, 5 * SECOND);
  run_for(&life, 3 * SECOND);
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++)
    ck_assert_double_eq(told(&life, i), 1);
}
END_TEST

START_TEST(a_delay_longer_than_the_window_leaves_nothing)
{
  begin(&life, 5 * SECOND);
  hold_for(&life, 15 * MS);
  for (unsigned i = 0; i < UTILISATION_WINDOW_COUNT; i++)
    if (windows[i] <= 15 * MS)
      ck_assert_double_eq(told(&life, i), 0);
    else
      ck_assert_double_gt(told(&life, i), 0);
}
END_TEST

START_TEST(what_overlaps_counts_once)
{
  begin(&life, 5 * SECOND);
  struct utilisation *u = &life.utilisation;
  utilisation_add(u, &life.worst, 5 * SECOND + 1 * MS, 5 * SECOND + 3 * MS);
  utilisation_add(u, &life.worst, 5 * SECOND, 5 * SECOND + 4 * MS);
  utilisation_add(u, &life.worst, 5 * SECOND, 5 * SECOND + 2 * MS);
  ck_assert_uint_eq(u->delayed_ns, 3 * MS);
}
END_TEST

START_TEST(what_is_long_ago_is_forgotten)
{
  begin(&life, 5 * SECOND);
  hold_for(&life, 5 * MS);
  run_for(&life, 8 * SECOND);
  ck_assert_double_lt(told(&life, UTILISATION_10), 0.51);
  run_for(&life, 3 * SECOND);
  ck_assert_double_eq(told(&life, UTILISATION_10), 1);
  hold_for(&life, 1 * MS);
  ck_assert_double_gt(told(&life, UTILISATION_10), 0.85);
}
END_TEST

START_TEST(of_two_threads_the_worse_is_told)
{
  static struct life other;
  struct worst sum = {0};
  begin(&life, 5 * SECOND);
  begin(&other, 5 * SECOND);
  hold_for(&life, 2 * MS);
  hold_for(&other, 6 * MS);
  worst_fold(&sum, &other.worst);
  worst_fold(&sum, &life.worst);
  ck_assert_double_eq(worst_utilisation(&sum, UTILISATION_10, life.now),
                      told(&other, UTILISATION_10));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("utilisation");
  TCase *cases = tcase_create("utilisation");
  tcase_set_timeout(cases, 300);
  tcase_add_loop_test(cases, random_delays, 0, 48);
  tcase_add_test(cases, without_delays_all_is_the_threads);
  tcase_add_test(cases, a_delay_longer_than_the_window_leaves_nothing);
  tcase_add_test(cases, what_overlaps_counts_once);
  tcase_add_test(cases, what_is_long_ago_is_forgotten);
  tcase_add_test(cases, of_two_threads_the_worse_is_told);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
