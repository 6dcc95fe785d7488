/* SPDX-License-Identifier: MIT */
/* Test of collect/limiting.c: which time reaches the limiter.  What it makes of
 * that is right: limiter.c. */
#include "unit.h"

#include "fixture.h"
#include "collect/limiting.h"
#include "collect/mark.h"
#include "collect/pacing.h"
#include "os/clock.h"

#define MS UINT64_C(1000000)

static struct dusk_heap *heap;
static struct collector *collector;
static struct limiter *limiter;

static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  limiter = &collector->limiting.limiter;
}

static void tear_down(void)
{
  fixture_close(heap);
}

/* Keeps the processor until the thread has used `ns` of it. */
static void burn(uint64_t ns)
{
  uint64_t end = clock_thread_cpu() + ns;
  while (clock_thread_cpu() < end)
    continue;
}

static void update(void)
{
  lock_acquire(&collector->pacing.lock);
  limiting_turn_locked(collector, !limiter->gc_on);
  lock_release(&collector->pacing.lock);
}

START_TEST(it_knows_the_processors)
{
  ck_assert_int_eq(limiter->capacity,
                   (int64_t)collector->processors * 1000 * (int64_t)MS);
  ck_assert(!limiting_is_on(collector));
}
END_TEST

/* A program that waits uses nothing: what collection took stays in. */
START_TEST(waiting_lets_nothing_out)
{
  update();
  burn(40 * MS);
  limiter_add_gc(limiter, 40 * MS);
  update();
  int64_t filled = limiter->fill;
  ck_assert_int_gt(filled, 30 * (int64_t)MS);
  clock_sleep(100 * MS);
  update();
  ck_assert_int_gt(limiter->fill, filled / 2);
}
END_TEST

START_TEST(the_programs_work_lets_it_out)
{
  update();
  burn(40 * MS);
  limiter_add_gc(limiter, 40 * MS);
  update();
  burn(80 * MS);
  update();
  ck_assert_int_eq(limiter->fill, 0);
}
END_TEST

/* Nor is a processor's time on which idle workers marked the program's. */
START_TEST(idle_marking_is_neither)
{
  update();
  burn(40 * MS);
  limiter_add_gc(limiter, 20 * MS);
  limiter_add_idle(limiter, 20 * MS);
  update();
  ck_assert_int_gt(limiter->fill, 10 * (int64_t)MS);
}
END_TEST

/* An assist that was off its processor for an hour did not take an hour. */
START_TEST(no_more_is_told_than_was_used)
{
  update();
  uint64_t before = clock_process_cpu();
  burn(10 * MS);
  limiter_add_gc(limiter, 3600 * 1000 * MS);
  update();
  uint64_t used = clock_process_cpu() - before;
  ck_assert_int_le(limiter->fill, (int64_t)(used + 2 * MS));
}
END_TEST

/* One that ended within the period of the last is left for the next. */
START_TEST(updates_are_a_period_apart)
{
  update();
  uint64_t updated_ns = limiter->updated_ns;
  limiting_update(collector, updated_ns + LIMITER_PERIOD_NS);
  ck_assert_uint_eq(limiter->updated_ns, updated_ns);
  limiting_update(collector, updated_ns + LIMITER_PERIOD_NS + 1);
  ck_assert_uint_eq(limiter->updated_ns, updated_ns + LIMITER_PERIOD_NS + 1);
}
END_TEST

static uint64_t later_ns;

static void update_later(unsigned index)
{
  (void)index;
  limiting_update(collector, later_ns);
}

START_TEST(an_update_does_not_wait_for_the_lock)
{
  uint64_t updated_ns = limiter->updated_ns;
  later_ns = updated_ns + 100 * MS;
  lock_acquire(&collector->pacing.lock);
  fixture_threads(1, update_later);
  ck_assert_uint_eq(limiter->updated_ns, updated_ns);
  lock_release(&collector->pacing.lock);
  fixture_threads(1, update_later);
  ck_assert_uint_eq(limiter->updated_ns, later_ns);
}
END_TEST

/* What stops with it is asked for elsewhere, but for the return of pages. */
START_TEST(a_full_bucket_switches_it_on)
{
  const uint32_t *eager_is_off = &collector->arena.pages.eager_is_off;
  update();
  limiter->fill = limiter->capacity - (int64_t)MS;
  burn(20 * MS);
  limiter_add_gc(limiter, 20 * MS);
  ck_assert_int_eq(pacing_set_limit(collector, 1), INT64_MAX);
  update();
  ck_assert(limiting_is_on(collector));
  ck_assert(*eager_is_off);
  ck_assert_int_eq(pacing_set_limit_action(collector, DUSK_LIMIT_SLOW),
                   DUSK_LIMIT_GROW);
  ck_assert(!limiting_is_on(collector));
  pacing_set_limit_action(collector, DUSK_LIMIT_GROW);
  ck_assert(limiting_is_on(collector));
  /* What the percent asks for is not the limiter's business. */
  pacing_set_limit(collector, INT64_MAX);
  ck_assert(!limiting_is_on(collector));
  pacing_set_limit(collector, 1);
  burn(20 * MS);
  update();
  ck_assert(!limiting_is_on(collector));
  ck_assert(!*eager_is_off);
}
END_TEST

START_TEST(an_assist_counts_and_updates)
{
  struct dusk_thread *thread = fixture_attach(heap);
  void *object = fixture_alloc(thread, DUSK_CONSERVATIVE, 64);
  fixture_begin_marking(heap);
  fixture_hand_over(heap, (const void *const[]){object}, 1);
  uint64_t updated_ns = limiter->updated_ns;
  clock_sleep(LIMITER_PERIOD_NS + MS);
  uint64_t ns = 0;
  ck_assert_uint_gt(mark_assist(collector, 64, &ns), 0);
  ck_assert_uint_eq(collector->pacing.assist_ns, ns);
  ck_assert_uint_gt(limiter->updated_ns, updated_ns);
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(thread);
}
END_TEST

START_TEST(a_cycle_begins_and_ends)
{
  struct cycle_record record = {.end_ns = MS};
  pacing_start(collector);
  ck_assert(limiter->gc_on);
  ck_assert_uint_eq(limiter->cycles, 0);
  pacing_end(collector, &record);
  ck_assert(!limiter->gc_on);
  ck_assert_uint_eq(limiter->cycles, 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("limiting");
  TCase *cases = tcase_create("limiting");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, it_knows_the_processors);
  tcase_add_test(cases, waiting_lets_nothing_out);
  tcase_add_test(cases, the_programs_work_lets_it_out);
  tcase_add_test(cases, idle_marking_is_neither);
  tcase_add_test(cases, no_more_is_told_than_was_used);
  tcase_add_test(cases, updates_are_a_period_apart);
  tcase_add_test(cases, an_update_does_not_wait_for_the_lock);
  tcase_add_test(cases, a_full_bucket_switches_it_on);
  tcase_add_test(cases, an_assist_counts_and_updates);
  tcase_add_test(cases, a_cycle_begins_and_ends);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
