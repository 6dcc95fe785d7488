/* SPDX-License-Identifier: MIT */
/* Test of heap/profile.c, heap/sites.c and alloc/sample.c: what is sampled is
 * counted where it was allocated, and found dead by its mark, in its cycle. */
#include "unit.h"

#include "fixture.h"
#include "collect/census.h"
#include "collect/memory.h"
#include "collect/revive.h"
#include "event/sampling.h"
#include "mutator/cache.h"

#include "dusk/alloc.h"

#include <errno.h>
#include <string.h>

static struct dusk_heap *heap;
static struct collector *collector;
static struct arena *arena;
static struct dusk_thread *mutator;

static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  arena = &collector->arena;
  mutator = fixture_attach(heap);
  ck_assert_int_eq(profile_set_rate(&arena->profile, 1), 0);
}

static void tear_down(void)
{
  fixture_detach(mutator);
  fixture_close(heap);
}

static void finish(void *const *kept, size_t count)
{
  struct roles roles = mutator->roles;
  uint32_t epoch = mutator->epoch;
  for (size_t i = 0; i < count; i++)
    ck_assert(marks_win(roles.marks, arena_granule(arena, (uintptr_t)kept[i])));
  fixture_handshake(heap, HANDSHAKE_4);
  profile_fold(arena, epoch);
  census_run(collector, mutator->epoch);
}

/* A cycle in which exactly these objects are reached. */
static void collect(void *const *kept, size_t count)
{
  fixture_begin_marking(heap);
  finish(kept, count);
}

struct sums {
  double allocated, bytes, died, cycles;
  double ages[SITE_AGES];
  uint32_t sites;
};

/* Of objects of that size; 0: of all. */
static struct sums sums_of(uint64_t bytes)
{
  struct sums sums = {0};
  uint32_t count;
  int error;
  struct site *sites = profile_read(&arena->profile, &count, &error);
  ck_assert_int_eq(error, 0);
  for (uint32_t i = 0; i < count; i++) {
    if (bytes && sites[i].bytes != bytes)
      continue;
    sums.sites++;
    sums.allocated += sites[i].allocated;
    sums.bytes += sites[i].allocated * (double)sites[i].bytes;
    sums.died += site_died(&sites[i]);
    sums.cycles += sites[i].cycles;
    for (unsigned age = 0; age < SITE_AGES; age++)
      sums.ages[age] += sites[i].died[age];
  }
  free(sites);
  return sums;
}

static void check(struct sums sums, double allocated, double died)
{
  ck_assert_double_eq(sums.allocated, allocated);
  ck_assert_double_eq(sums.died, died);
}

/* ---- births ---- */

START_TEST(before_the_first_cycle_all_is_known_at_once)
{
  for (int i = 0; i < 1000; i++)
    fixture_alloc(mutator, DUSK_LEAF, 48);
  check(sums_of(0), 1000, 0);
  fixture_alloc(mutator, DUSK_CONSERVATIVE, 100000);
  check(sums_of(0), 1001, 0);
  ck_assert_double_eq(sums_of(0).bytes, 48000 + 13 * PAGE_BYTES);
}
END_TEST

START_TEST(a_site_is_a_stack_a_kind_and_a_size)
{
  volatile int ten = 10; /* one call, not ten in an unrolled loop */
  for (int i = 0; i < ten; i++) {
    fixture_alloc(mutator, DUSK_LEAF, 48);
    fixture_alloc(mutator, DUSK_LEAF, 64);
    fixture_alloc(mutator, DUSK_CONSERVATIVE, 64);
  }
  ck_assert_uint_eq(sums_of(48).sites, 1);
  ck_assert_uint_eq(sums_of(64).sites, 2);
}
END_TEST

START_TEST(a_rate_of_0_ends_it)
{
  fixture_alloc(mutator, DUSK_LEAF, 48);
  ck_assert_int_eq(profile_set_rate(&arena->profile, 0), 0);
  for (int i = 0; i < 10000; i++) /* longer than any run */
    fixture_alloc(mutator, DUSK_LEAF, 48);
  ck_assert_double_le(sums_of(0).allocated, 2);
  ck_assert_int_eq(profile_set_rate(&arena->profile, 1), 0);
  for (int i = 0; i < 10000; i++)
    fixture_alloc(mutator, DUSK_LEAF, 48);
  ck_assert_double_ge(sums_of(0).allocated, 9000);
}
END_TEST

/* Of an object of 1 KiB every tenth is sampled, and stands for ten. */
START_TEST(samples_stand_for_what_was_passed_over)
{
  enum { OBJECTS = 40000 };
  ck_assert_int_eq(profile_set_rate(&arena->profile, 10240), 0);
  mutator->sampling.state = 1;
  for (int i = 0; i < OBJECTS; i++)
    fixture_alloc(mutator, DUSK_LEAF, 1024);
  ck_assert_double_eq_tol(sums_of(0).allocated, OBJECTS, OBJECTS / 12);
}
END_TEST

/* ---- deaths ---- */

START_TEST(what_was_not_marked_has_died)
{
  void *kept[100];
  for (int i = 0; i < 100; i++) {
    kept[i] = fixture_alloc(mutator, DUSK_LEAF, 48);
    fixture_alloc(mutator, DUSK_LEAF, 48);
    fixture_alloc(mutator, DUSK_LEAF, 100000);
  }
  collect(kept, 100);
  check(sums_of(48), 200, 100);
  check(sums_of(0), 300, 200);
  ck_assert_double_eq(sums_of(0).ages[0], 200);
  ck_assert_double_eq(sums_of(0).cycles, 0);
  collect(kept, 50);
  check(sums_of(0), 300, 250);
  collect(NULL, 0);
  check(sums_of(0), 300, 300);
  ck_assert_double_eq(sums_of(0).ages[1], 50); /* survived one */
  ck_assert_double_eq(sums_of(0).ages[2], 50); /* two or three */
  ck_assert_double_eq(sums_of(0).cycles, 50 + 2 * 50);
}
END_TEST

START_TEST(what_is_born_black_is_not_judged_in_its_cycle)
{
  fixture_begin_marking(heap);
  void *black = fixture_alloc(mutator, DUSK_LEAF, 48);
  fixture_alloc(mutator, DUSK_LEAF, 64);
  finish(NULL, 0);
  check(sums_of(0), 2, 0);
  collect(&black, 1);
  check(sums_of(0), 2, 1);
  ck_assert_double_eq(sums_of(64).ages[0], 1); /* died young */
  collect(NULL, 0);
  ck_assert_double_eq(sums_of(48).ages[1], 1);
}
END_TEST

START_TEST(what_comes_after_h4_counts_in_the_next_cycle)
{
  uint32_t epoch = mutator->epoch;
  fixture_alloc(mutator, DUSK_LEAF, 48);
  fixture_begin_marking(heap);
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_alloc(mutator, DUSK_LEAF, 64);
  profile_fold(arena, epoch);
  census_run(collector, mutator->epoch);
  check(sums_of(48), 1, 1);
  check(sums_of(64), 0, 0);
  collect(NULL, 0);
  check(sums_of(64), 1, 1);
}
END_TEST

/* The records of the dead are used again. */
START_TEST(memory_is_for_what_lives)
{
  for (int i = 0; i < 20; i++) {
    uint64_t before = profile_bytes(&arena->profile);
    for (int k = 0; k < 5000; k++)
      fixture_alloc(mutator, DUSK_LEAF, 16);
    collect(NULL, 0);
    if (i > 0)
      ck_assert_uint_eq(profile_bytes(&arena->profile), before);
  }
  check(sums_of(0), 100000, 100000);
  ck_assert_uint_eq(memory_read(collector).profile,
                    profile_bytes(&arena->profile));
}
END_TEST

START_TEST(ages_double)
{
  struct site site = {.stack = 0};
  static const uint32_t cycles[] = {0, 1, 2, 3, 4, 7, 8, 1023, 1024, 4000};
  static const unsigned ages[] = {0, 1, 2, 2, 3, 3, 4, 10, 11, 11};
  for (unsigned i = 0; i < 10; i++) {
    double before = site.died[ages[i]];
    site_add_death(&site, 2, cycles[i]);
    ck_assert_double_eq(site.died[ages[i]], before + 2);
    ck_assert_uint_le(site_age_cycles(ages[i]), cycles[i]);
  }
  ck_assert_double_eq(site_died(&site), 20);
  ck_assert_double_eq(site.cycles, 2 * (25 + 1023 + 1024 + 4000));
}
END_TEST

/* ---- after a fork ---- */

START_TEST(a_cycle_that_was_never_finished_has_never_been)
{
  void *object = fixture_alloc(mutator, DUSK_LEAF, 48);
  fixture_begin_marking(heap);
  fixture_alloc(mutator, DUSK_LEAF, 48); /* black */
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_alloc(mutator, DUSK_LEAF, 48); /* of the next */
  STORE_RELAXED(&collector->phase, PHASE_END);
  revive_heap(heap);
  collect(&object, 1);
  check(sums_of(0), 3, 2);
  ck_assert_double_eq(sums_of(0).ages[0], 2);
}
END_TEST

START_TEST(a_census_that_was_begun_is_finished)
{
  void *object = fixture_alloc(mutator, DUSK_LEAF, 48);
  fixture_alloc(mutator, DUSK_LEAF, 64);
  fixture_begin_marking(heap);
  ck_assert(
      marks_win(mutator->roles.marks, arena_granule(arena, (uintptr_t)object)));
  fixture_handshake(heap, HANDSHAKE_4);
  STORE_RELAXED(&collector->phase, PHASE_CENSUS);
  if (_i)
    profile_fold(arena, collector->epoch);
  revive_heap(heap);
  check(sums_of(48), 1, 0);
  check(sums_of(64), 1, 1);
  ck_assert_uint_eq(arena->profile.folds, 1);
}
END_TEST

/* ---- several at once, and no memory ---- */

static uint32_t stop; /* atomic */

static void allocate_or_read(unsigned index)
{
  if (index == 0) {
    struct dusk_thread *mine = fixture_attach(heap);
    for (int i = 0; i < 20000; i++)
      if (!dusk_alloc(mine, DUSK_LEAF, 16))
        abort();
    STORE_RELEASE(&stop, 1);
    fixture_detach(mine);
  }
  double seen = 0;
  while (!LOAD_ACQUIRE(&stop)) {
    double now = sums_of(16).allocated;
    if (now < seen)
      abort();
    seen = now;
  }
}

START_TEST(who_reads_sees_a_sum_that_grows)
{
  fixture_threads(3, allocate_or_read);
  check(sums_of(16), 20000, 0);
}
END_TEST

START_TEST(without_memory_there_are_no_tables)
{
  struct profile poor;
  profile_init(&poor);
  fixture_vm_begin();
  fixture_vm_refuse((unsigned long)_i, 1);
  ck_assert_int_eq(profile_set_rate(&poor, 1), ENOMEM);
  ck_assert_uint_eq(fixture_vm.mapped, 0);
  ck_assert_uint_eq(profile_rate(&poor), 0);
  ck_assert_int_eq(profile_set_rate(&poor, 1), 0);
  profile_destroy(&poor);
  ck_assert_uint_eq(fixture_vm.mapped, 0);
  fixture_vm_end();
}
END_TEST

START_TEST(without_memory_a_sample_is_lost_and_counted)
{
  fixture_alloc(mutator, DUSK_LEAF, 16); /* commits the heap's first pages */
  fixture_vm_begin();
  fixture_vm_refuse(1, UINT64_MAX);
  for (int i = 0; i < 2000; i++)
    fixture_alloc(mutator, DUSK_LEAF, 16);
  fixture_vm_end();
  struct sums sums = sums_of(0);
  ck_assert_double_eq(
      sums.allocated + (double)LOAD_RELAXED(&arena->profile.lost), 2001);
  ck_assert_uint_gt(arena->profile.lost, 0);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("profile");
  TCase *cases = tcase_create("profile");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, before_the_first_cycle_all_is_known_at_once);
  tcase_add_test(cases, a_site_is_a_stack_a_kind_and_a_size);
  tcase_add_test(cases, a_rate_of_0_ends_it);
  tcase_add_test(cases, samples_stand_for_what_was_passed_over);
  tcase_add_test(cases, what_was_not_marked_has_died);
  tcase_add_test(cases, what_is_born_black_is_not_judged_in_its_cycle);
  tcase_add_test(cases, what_comes_after_h4_counts_in_the_next_cycle);
  tcase_add_test(cases, memory_is_for_what_lives);
  tcase_add_test(cases, ages_double);
  tcase_add_test(cases, a_cycle_that_was_never_finished_has_never_been);
  tcase_add_loop_test(cases, a_census_that_was_begun_is_finished, 0, 2);
  tcase_add_test(cases, who_reads_sees_a_sum_that_grows);
  tcase_add_loop_test(cases, without_memory_there_are_no_tables, 1, 5);
  tcase_add_test(cases, without_memory_a_sample_is_lost_and_counted);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
