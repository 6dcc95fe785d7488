/* SPDX-License-Identifier: MIT */
/* Test of collect/pacing.c: the heap's figures reach the pacer, and what it
 * says is published.  What it says is right: pacer.c. */
#include "unit.h"

#include "fixture.h"
#include "collect/pacing.h"

#define MB (UINT64_C(1) << 20)
#define MS UINT64_C(1000000)

static struct dusk_heap *heap;
static struct collector *collector;
static struct flow *flow;
static struct pacing *pacing;

/* The fixture's heap has automatic collection off. */
static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  flow = &collector->arena.flow;
  pacing = &collector->pacing;
  ck_assert_int_eq(pacing_set_percent(collector, 100), -1);
}

static void tear_down(void)
{
  fixture_close(heap);
}

static void enter_phase(enum phase phase)
{
  STORE_RELAXED(&collector->phase, phase);
}

/* Threads take bytes that are scanned. */
static void grow(uint64_t bytes)
{
  flow_take(flow, collector->registry.joining.epoch, bytes, true);
}

/* ---- cycles ---- */

static struct price begin_after(uint64_t bytes)
{
  grow(bytes);
  pacing_start(collector);
  enter_phase(PHASE_MARK);
  return pacing_price(collector);
}

/* The first cycle: it marks `marked` bytes of a heap of `live`. */
static void run_cycle(uint64_t live, uint64_t marked)
{
  uint32_t epoch = collector->registry.joining.epoch;
  struct cycle_record record = {
      .start_ns = 10 * MS,
      .end_ns = 20 * MS,
      .live_at_end = live,
      .marked = marked,
  };
  begin_after(live);
  ADD_RELAXED(&pacing->heap_work, marked);
  STORE_RELAXED(&pacing->worker_ns, 5 * MS);
  enter_phase(PHASE_CENSUS);
  flow_count(flow, epoch + 1, marked, marked);
  pacing_end(collector, &record);
  enter_phase(PHASE_IDLE);
}

/* The price in a second cycle, when the heap has grown from 30 MB to 50, and
 * its goal is 60. */
static struct price begin_second(void)
{
  run_cycle(40 * MB, 30 * MB);
  return begin_after(20 * MB);
}

/* ---- trigger, goal and wall ---- */

START_TEST(an_empty_heap_may_grow_to_the_minimum)
{
  uint64_t minimum = pacer_heap_minimum(100);
  ck_assert_uint_eq(pacing_goal(collector), minimum);
  ck_assert_uint_gt(pacing->trigger, 0);
  ck_assert_uint_lt(pacing->trigger, minimum);
  ck_assert(!pacing_is_due(collector));
  ck_assert(!pacing_is_over(collector));
}
END_TEST

START_TEST(a_cycle_is_due_from_the_trigger_on)
{
  grow(pacing->trigger - 1);
  ck_assert(!pacing_is_due(collector));
  grow(1);
  ck_assert(pacing_is_due(collector));
  ck_assert(!pacing_is_over(collector));
}
END_TEST

/* A thread steps aside only well beyond the goal. */
START_TEST(the_wall_stands_behind_the_goal)
{
  uint64_t goal = pacing_goal(collector);
  ck_assert_uint_gt(pacing->wall, goal);
  ck_assert_uint_le(pacing->wall, goal + goal / 2);
  grow(goal);
  ck_assert(!pacing_is_over(collector));
  grow(pacing->wall - goal);
  ck_assert(pacing_is_over(collector));
}
END_TEST

START_TEST(switched_off_nothing_is_ever_due)
{
  ck_assert(pacing_is_automatic(collector));
  ck_assert_int_eq(pacing_set_percent(collector, -1), 100);
  ck_assert(!pacing_is_automatic(collector));
  grow(UINT64_C(1) << 50);
  ck_assert(!pacing_is_due(collector));
  ck_assert(!pacing_is_over(collector));
}
END_TEST

START_TEST(settings_hold_at_once)
{
  grow(3 * MB);
  ck_assert(!pacing_is_due(collector));
  ck_assert_int_eq(pacing_set_percent(collector, 50), 100);
  ck_assert_uint_eq(pacing_goal(collector), pacer_heap_minimum(50));
  ck_assert(pacing_is_due(collector));
  ck_assert_int_eq(pacing_set_percent(collector, 400), 50);
  ck_assert(!pacing_is_due(collector));
}
END_TEST

START_TEST(a_limit_sets_a_goal_of_its_own)
{
  ck_assert_int_eq(pacing_set_limit(collector, -1), INT64_MAX);
  ck_assert_int_eq(pacing_set_limit(collector, 32 * MB), INT64_MAX);
  ck_assert_int_eq(pacing_set_limit(collector, -1), 32 * MB);
  pacing_set_percent(collector, -1);
  ck_assert_uint_gt(pacing_goal(collector), 8 * MB);
  ck_assert_uint_lt(pacing_goal(collector), 32 * MB);
  ck_assert(!pacing_is_due(collector));
  grow(32 * MB);
  ck_assert(pacing_is_due(collector));
}
END_TEST

/* Memory that the heap has from the system and does not use counts. */
START_TEST(a_limit_is_for_all_that_the_heap_has)
{
  pacing_set_percent(collector, -1);
  pacing_set_limit(collector, 32 * MB);
  uint64_t goal = pacing_goal(collector);
  for (int i = 0; i < 256; i++)
    ck_assert_ptr_nonnull(grey_packet(&collector->grey));
  ck_assert_uint_eq(pacing_goal(collector), goal - MB);
}
END_TEST

/* ---- the price ---- */

START_TEST(starting_forgets_the_last_cycle)
{
  pacing->heap_work = pacing->stack_work = pacing->root_work = 77;
  pacing->assist_ns = pacing->worker_ns = 77;
  pacing->credit = -77;
  grow(3 * MB);
  pacing_start(collector);
  ck_assert_uint_eq(pacing->heap_work, 0);
  ck_assert_uint_eq(pacing->stack_work, 0);
  ck_assert_uint_eq(pacing->root_work, 0);
  ck_assert_uint_eq(pacing->assist_ns, 0);
  ck_assert_uint_eq(pacing->worker_ns, 0);
  ck_assert_int_eq(pacing->credit, 0);
  ck_assert_uint_eq(pacing->pacer.triggered, 3 * MB);
}
END_TEST

START_TEST(a_price_and_what_it_buys)
{
  struct price price = begin_second();
  ck_assert_double_gt(price.work_per_byte, 0);
  ck_assert_double_eq_tol(price.work_per_byte * price.bytes_per_work, 1, 1e-9);
}
END_TEST

START_TEST(the_price_rises_as_the_goal_comes_near)
{
  struct price first = begin_second();
  grow(5 * MB);
  pacing_revise(collector);
  struct price second = pacing_price(collector);
  ck_assert_double_gt(second.work_per_byte, first.work_per_byte);
  ADD_RELAXED(&pacing->heap_work, 20 * MB);
  pacing_revise(collector);
  struct price third = pacing_price(collector);
  ck_assert_double_lt(third.work_per_byte, second.work_per_byte);
}
END_TEST

START_TEST(roots_and_stacks_are_work)
{
  struct dusk_thread *mutator = fixture_attach(heap);
  STORE_RELAXED(&collector->roots.bytes, 4 * MB);
  pacing_start(collector);
  ck_assert_uint_eq(pacing->pacer.globals, 4 * MB);
  ck_assert_uint_gt(pacing->pacer.max_stack, 0);
  fixture_detach(mutator);
  STORE_RELAXED(&collector->roots.bytes, 0);
}
END_TEST

START_TEST(the_price_is_revised_while_marking_alone)
{
  struct price first = begin_second();
  static const enum phase others[] = {PHASE_IDLE, PHASE_START, PHASE_END,
                                      PHASE_CENSUS};
  grow(5 * MB);
  for (int i = 0; i < 4; i++) {
    enter_phase(others[i]);
    pacing_revise(collector);
    ck_assert_double_eq(pacing_price(collector).work_per_byte,
                        first.work_per_byte);
  }
  enter_phase(PHASE_IDLE);
}
END_TEST

static void revise(unsigned index)
{
  (void)index;
  pacing_revise(collector);
}

/* Nobody waits for somebody who is at it already. */
START_TEST(a_revision_under_way_is_enough)
{
  struct price first = begin_second();
  grow(5 * MB);
  lock_acquire(&pacing->lock);
  fixture_threads(1, revise);
  ck_assert_double_eq(pacing_price(collector).work_per_byte,
                      first.work_per_byte);
  lock_release(&pacing->lock);
}
END_TEST

START_TEST(a_setting_that_changes_while_marking_changes_the_price)
{
  struct price first = begin_second();
  pacing_set_percent(collector, 400);
  ck_assert_double_lt(pacing_price(collector).work_per_byte,
                      first.work_per_byte);
}
END_TEST

/* ---- after a cycle ---- */

START_TEST(the_goal_is_twice_what_was_marked)
{
  run_cycle(40 * MB, 30 * MB);
  ck_assert_uint_eq(flow_live(flow), 30 * MB);
  ck_assert_uint_eq(pacing_goal(collector), 60 * MB);
  ck_assert_uint_gt(pacing->trigger, 30 * MB);
  ck_assert_uint_lt(pacing->trigger, 60 * MB);
  ck_assert(!pacing_is_due(collector));
  ck_assert_uint_eq(pacing->pacer.triggered, PACER_NO_TRIGGER);
}
END_TEST

START_TEST(what_is_found_on_stacks_raises_the_goal)
{
  uint32_t epoch = collector->registry.joining.epoch;
  struct cycle_record record = {
      .end_ns = MS, .live_at_end = 40 * MB, .marked = 30 * MB};
  begin_after(40 * MB);
  STORE_RELAXED(&pacing->stack_work, 2 * MB);
  flow_count(flow, epoch + 1, 30 * MB, 30 * MB);
  pacing_end(collector, &record);
  ck_assert_uint_eq(pacing_goal(collector), 62 * MB);
  enter_phase(PHASE_IDLE);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pacing");
  TCase *cases = tcase_create("pacing");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, an_empty_heap_may_grow_to_the_minimum);
  tcase_add_test(cases, a_cycle_is_due_from_the_trigger_on);
  tcase_add_test(cases, the_wall_stands_behind_the_goal);
  tcase_add_test(cases, switched_off_nothing_is_ever_due);
  tcase_add_test(cases, settings_hold_at_once);
  tcase_add_test(cases, a_limit_sets_a_goal_of_its_own);
  tcase_add_test(cases, a_limit_is_for_all_that_the_heap_has);
  tcase_add_test(cases, starting_forgets_the_last_cycle);
  tcase_add_test(cases, a_price_and_what_it_buys);
  tcase_add_test(cases, the_price_rises_as_the_goal_comes_near);
  tcase_add_test(cases, roots_and_stacks_are_work);
  tcase_add_test(cases, the_price_is_revised_while_marking_alone);
  tcase_add_test(cases, a_revision_under_way_is_enough);
  tcase_add_test(cases, a_setting_that_changes_while_marking_changes_the_price);
  tcase_add_test(cases, the_goal_is_twice_what_was_marked);
  tcase_add_test(cases, what_is_found_on_stacks_raises_the_goal);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
