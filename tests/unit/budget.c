/* SPDX-License-Identifier: MIT */
/* Test of pace/budget.h: shares worked out by hand, and what holds of all. */
#include "unit.h"

#include "pace/budget.h"

#define MIB(n) (UINT64_C(1048576) * (n))

START_TEST(what_is_above_the_floors_is_divided_by_weight)
{
  struct budget_share shares[] = {
      {.floor = MIB(16), .held = MIB(20), .weight = 3},
      {.floor = MIB(64), .held = MIB(70), .weight = 1},
  };
  /* 1 and 4 MiB of headroom; 40 are left. */
  budget_divide(shares, 2, MIB(16 + 64 + 1 + 4 + 40));
  ck_assert_uint_eq(shares[0].limit, MIB(16 + 1 + 30));
  ck_assert_uint_eq(shares[1].limit, MIB(64 + 4 + 10));
}
END_TEST

START_TEST(without_weights_all_get_the_same)
{
  struct budget_share shares[4] = {{0}};
  budget_divide(shares, 4, MIB(40));
  for (int i = 0; i < 4; i++)
    ck_assert_uint_eq(shares[i].limit, MIB(10));
}
END_TEST

START_TEST(when_there_is_little_the_headroom_is_divided)
{
  struct budget_share shares[] = {
      {.floor = MIB(16), .held = MIB(16), .weight = 1},
      {.floor = MIB(48), .held = MIB(48), .weight = 0},
  };
  budget_divide(shares, 2, MIB(16 + 48 + 2)); /* 1 and 3 wanted */
  ck_assert_uint_eq(shares[0].limit, MIB(16) + MIB(1) / 2);
  ck_assert_uint_eq(shares[1].limit, MIB(48) + MIB(3) / 2);
  budget_divide(shares, 2, MIB(10));
  ck_assert_uint_eq(shares[0].limit, MIB(16));
  ck_assert_uint_eq(shares[1].limit, MIB(48));
}
END_TEST

START_TEST(who_is_to_grow_waits_for_who_is_to_shrink)
{
  struct budget_share shares[] = {
      {.floor = MIB(16), .held = MIB(80), .weight = 0},
      {.floor = MIB(16), .held = MIB(16), .weight = 1},
  };
  budget_divide(shares, 2, MIB(100));
  ck_assert_uint_eq(shares[0].limit, MIB(17));
  ck_assert_uint_eq(shares[1].limit, MIB(20)); /* 4 are free now */
  shares[0].held = MIB(17);
  budget_divide(shares, 2, MIB(100));
  ck_assert_uint_eq(shares[1].limit, MIB(83));
}
END_TEST

START_TEST(a_heap_that_fell_idle_weighs_less)
{
  struct balance b = {0};
  ck_assert_double_eq(budget_weight(&b, false, 100, 0, 1000), 100);
  balance_note(&b, &(struct balance_cycle){
                       .allocated = 1000,
                       .interval_ns = 1000,
                       .work = 1000,
                       .marking_ns = 1000,
                   });
  ck_assert_double_eq(budget_weight(&b, false, 100, 0, 0), 100);
  ck_assert_double_eq(budget_weight(&b, false, 100, 0, 3000), 25);
  ck_assert_double_eq(budget_weight(&b, false, 100, 3000, 3000), 100);
  ck_assert_double_eq(budget_weight(&b, false, 100, 9000, 3000), 100);
  ck_assert_double_eq(budget_weight(&b, true, 100, 0, 0), 10);
  ck_assert_double_eq(budget_weight(&b, true, 100, 0, 3000), 5);
}
END_TEST

static uint64_t random_word(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Below 2^40, and as often small as large. */
static uint64_t random_size(uint64_t *state)
{
  return (random_word(state) >> 24) >> random_word(state) % 40;
}

enum { SHARES_MAX = 16 };

/* An assertion that holds costs a system call: so it is one for all. */
static bool shares_are_right(const struct budget_share *shares, unsigned count,
                             uint64_t total)
{
  uint64_t floors = 0, held = 0, limits = 0, most = 0;
  for (unsigned i = 0; i < count; i++) {
    const struct budget_share *share = &shares[i];
    if (share->limit < share->floor)
      return false;
    floors += share->floor;
    held += share->held;
    limits += share->limit;
    most += share->held > share->limit ? share->held : share->limit;
  }
  if (floors > total)
    return limits == floors;
  return limits <= total && most <= (held > total ? held : total);
}

START_TEST(shares_are_within_the_budget_whenever_floors_allow_it)
{
  uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
  struct budget_share shares[SHARES_MAX];
  for (unsigned run = 0; run < 100000; run++) {
    unsigned count = 1 + run % SHARES_MAX;
    for (unsigned i = 0; i < count; i++) {
      uint64_t floor = random_size(&state);
      shares[i] = (struct budget_share){
          .floor = floor,
          .held = floor + random_size(&state),
          .weight = run % 7 ? (double)random_size(&state) / 7 : 0,
      };
    }
    uint64_t total = random_size(&state) * (1 + run % 40);
    budget_divide(shares, count, total);
    if (!shares_are_right(shares, count, total))
      ck_abort_msg("run %u", run);
  }
}
END_TEST

START_TEST(the_whole_budget_is_given_when_nobody_has_to_shrink)
{
  uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
  struct budget_share shares[SHARES_MAX];
  for (unsigned run = 0; run < 1000; run++) {
    for (unsigned i = 0; i < SHARES_MAX; i++)
      shares[i] = (struct budget_share){
          .floor = random_size(&state) >> 8,
          .weight = (double)(1 + random_size(&state)),
      };
    uint64_t total = UINT64_C(1) << 40, sum = 0;
    budget_divide(shares, SHARES_MAX, total);
    for (unsigned i = 0; i < SHARES_MAX; i++)
      sum += shares[i].limit;
    ck_assert_uint_le(sum, total);
    ck_assert_uint_ge(sum + 4096, total);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("budget");
  TCase *cases = tcase_create("budget");
  tcase_add_test(cases, what_is_above_the_floors_is_divided_by_weight);
  tcase_add_test(cases, without_weights_all_get_the_same);
  tcase_add_test(cases, when_there_is_little_the_headroom_is_divided);
  tcase_add_test(cases, who_is_to_grow_waits_for_who_is_to_shrink);
  tcase_add_test(cases, a_heap_that_fell_idle_weighs_less);
  tcase_add_test(cases, shares_are_within_the_budget_whenever_floors_allow_it);
  tcase_add_test(cases, the_whole_budget_is_given_when_nobody_has_to_shrink);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
