/* SPDX-License-Identifier: MIT */
/* Test of the races around threads that come and go, roots, and termination
 * rounds: scripts, as in races.c. */
#include "race.h"

#include "collect/mark.h"
#include "mutator/barrier.h"

#include "unit/unit.h"

static struct racer *a, *b, *c;

static void open_for_three(void)
{
  race_open();
  a = race_thread("a");
  b = race_thread("b");
  c = race_thread("c");
}

/* H1 and H1b are served; H2 is posted. */
static void go_to_h2(void)
{
  race_ask();
  for (int round = 1; round <= 2; round++) {
    race_post();
    race_serve_all_but(NULL);
  }
  race_post();
}

static void play_script(void (*body)(void *argument))
{
  struct play play = {.order = PLAY_SCRIPT, .processors = 1};
  play_run(&play, body, NULL);
}

static struct pair *root(void)
{
  return dusk_load(&race.roots[0]);
}

static struct pair *black(void)
{
  return dusk_load(&race.roots[1]);
}

static void make_hidden_and_hold(struct racer *racer)
{
  racer->hold[0] = race_new(racer);
  race_hide(0, racer->hold[0]);
}

static void make_next(struct racer *racer)
{
  race_hide(0, race_new(racer));
  dusk_store(racer->thread, &root()->next, race_hidden(0));
}

static void make_two(struct racer *racer)
{
  make_next(racer);
  race_hide(1, race_new(racer));
  dusk_store(racer->thread, &race_hidden(0)->next, race_hidden(1));
}

static void make_black_root(struct racer *racer)
{
  dusk_store(racer->thread, &race.roots[1], race_new(racer));
}

static void load_next(struct racer *racer)
{
  racer->hold[0] = dusk_load(&root()->next);
}

static void cut_next(struct racer *racer)
{
  dusk_store(racer->thread, &root()->next, NULL);
}

/* ---- threads that come and go ---- */

static uintptr_t gift; /* complement of what a parent hands its child */

static void give(struct racer *racer)
{
  gift = ~(uintptr_t)racer->hold[0];
}

static void attach_and_take(struct racer *racer)
{
  race_attach(racer);
  racer->hold[0] = (void *)~gift;
}

static void hand_to_child(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, make_hidden_and_hold);
  race_do(a, give);
  go_to_h2();
  race_do(race_stranger("child"), attach_and_take);
  race_do(a, race_drop);
  race_finish_cycle();
  race_expect(0, "what a child was handed during H2");
  race_close();
}

START_TEST(who_attaches_while_h2_is_owed_owes_it_too)
{
  play_script(hand_to_child);
}
END_TEST

static void attach_and_cut(struct racer *racer)
{
  race_attach(racer);
  cut_next(racer);
}

/* In each phase: the child's barrier must be as the others' is. */
static void cut_by_newcomer(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(a, make_next);
  go_to_h2();
  race_serve(c);
  race_do(c, load_next);
  race_do(race_stranger("child"), attach_and_cut);
  race_finish_cycle();
  race_expect(0, "what a newcomer overwrote");
  race_close();
}

START_TEST(who_attaches_has_its_barrier_on_if_the_others_have)
{
  play_script(cut_by_newcomer);
}
END_TEST

static void attach_and_make(struct racer *racer)
{
  race_attach(racer);
  make_hidden_and_hold(racer);
}

static void make_by_newcomer(void *argument)
{
  (void)argument;
  open_for_three();
  go_to_h2();
  race_serve_all_but(NULL);
  play_must(race.driver, "all-scanned");
  race_do(race_stranger("child"), attach_and_make);
  race_finish_cycle();
  race_expect(0, "what a newcomer made while others marked");
  race_close();
}

START_TEST(who_attaches_while_others_mark_makes_black_objects)
{
  play_script(make_by_newcomer);
}
END_TEST

static void leave_with_log(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(b, make_next);
  go_to_h2();
  race_serve(c);
  race_do(c, load_next);
  race_do(a, cut_next);
  race_do(a, race_detach);
  race_finish_cycle();
  race_expect(0, "what the log of one who left held");
  race_close();
}

START_TEST(who_leaves_hands_its_log_over)
{
  play_script(leave_with_log);
}
END_TEST

static void stay_outside(struct racer *racer)
{
  dusk_blocking_begin(racer->thread);
  play_point("stands-outside");
  dusk_blocking_end(racer->thread);
  make_hidden_and_hold(racer);
}

/* a wants to come back while the driver serves H2 for it: its stack has been
 * read, and what it makes now is not black yet. */
static void come_back_while_served(void *argument)
{
  (void)argument;
  open_for_three();
  race_to(a, stay_outside, "stands-outside");
  race_ask();
  for (int round = 1; round <= 2; round++) {
    race_post();
    race_serve(b);
    race_serve(c);
  }
  play_must(race.driver, "gathered-not-black");
  bool is_back = race_on(a);
  race_serve(b);
  race_serve(c);
  play_until(race.driver, "all-scanned");
  if (!is_back)
    race_on(a);
  race_finish_cycle();
  race_expect(0, "what was made while others served");
  race_close();
}

START_TEST(nobody_comes_back_while_it_is_served)
{
  play_script(come_back_while_served);
}
END_TEST

/* ---- roots ---- */

static void *block[2];

static void add_block(struct racer *racer)
{
  block[0] = racer->hold[0];
  if (dusk_root_add(race.heap, block, sizeof block))
    play_fail("no root");
  racer->hold[0] = NULL;
}

static void make_block(struct racer *racer)
{
  make_hidden_and_hold(racer);
  add_block(racer);
}

static void take_block(struct racer *racer)
{
  racer->hold[0] = dusk_load(&block[0]);
  if (dusk_root_remove(race.heap, block))
    play_fail("no root");
  block[0] = NULL;
}

static void take_root_away(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, make_block);
  go_to_h2();
  race_serve(c);
  race_do(c, take_block); /* before roots are gathered */
  race_finish_cycle();
  race_expect(0, "what a removed root held");
  race_close();
}

START_TEST(what_a_root_holds_that_goes_is_kept)
{
  play_script(take_root_away);
}
END_TEST

static void add_root_late(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, make_hidden_and_hold);
  go_to_h2();
  race_serve(b);
  race_serve(c);
  play_until(race.driver, "after-h2"); /* the roots are gathered */
  race_do(a, add_block);
  race_finish_cycle();
  race_expect(0, "what a new root holds");
  race_close();
}

START_TEST(what_a_root_holds_that_comes_is_kept)
{
  play_script(add_root_late);
}
END_TEST

/* ---- termination rounds ---- */

static void flush(struct racer *racer)
{
  if (!barrier_flush(racer->thread))
    play_fail("no packet");
}

static void load_and_hide(struct racer *racer)
{
  struct pair *first = dusk_load(&black()->other);
  dusk_store(racer->thread, &black()->next, dusk_load(&first->next));
  dusk_store(racer->thread, &first->next, NULL);
}

static void move_to_black(struct racer *racer)
{
  dusk_store(racer->thread, &black()->other, dusk_load(&root()->next));
  dusk_store(racer->thread, &root()->next, NULL);
}

static void assist(struct racer *racer)
{
  uint64_t ns = 0;
  (void)racer;
  mark_assist(&race.heap->collector, UINT64_MAX, &ns);
}

/* Marking has run dry; a's log alone knows hidden 0, which knows hidden 1; both
 * hang on a black object. */
static void go_to_last_log(const char *point)
{
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(b, make_two);
  go_to_h2();
  race_serve_all_but(NULL);
  play_must(race.driver, "all-scanned");
  race_do(a, make_black_root);
  race_do(a, move_to_black);
  play_must(race.driver, point);
}

/* b serves with nothing in its log, and then hides hidden 1; the packet that
 * leads there is emptied before anybody looks again. */
static void serve_hide_and_assist(void)
{
  race_serve(b);
  race_do(b, load_and_hide);
  race_do(c, assist);
}

static void expect_both(void)
{
  race_finish_cycle();
  race_expect(0, "what a log held");
  race_expect(1, "what was hidden after a service");
  race_close();
}

static void hand_over_before_clearing(void *argument)
{
  (void)argument;
  go_to_last_log("dirty-not-cleared");
  race_do(a, flush);
  race_post();
  serve_hide_and_assist();
  expect_both();
}

START_TEST(a_hand_over_before_a_round_is_not_taken_for_none)
{
  play_script(hand_over_before_clearing);
}
END_TEST

static void hand_over_across_clearing(void *argument)
{
  (void)argument;
  go_to_last_log("dirty-not-cleared");
  race_to(a, flush, "dirty-not-pushed");
  if (race_try_post()) {
    race_serve(b);
    race_do(b, load_and_hide);
    race_on(a);
    race_do(c, assist);
  } else {
    race_on(a);
  }
  expect_both();
}

START_TEST(a_hand_over_across_the_clearing_is_waited_for)
{
  play_script(hand_over_across_clearing);
}
END_TEST

static void hand_over_in_a_round(void *argument)
{
  (void)argument;
  go_to_last_log("round-not-posted");
  race_do(a, flush);
  race_post();
  serve_hide_and_assist();
  expect_both();
}

START_TEST(a_hand_over_in_a_round_makes_it_dirty)
{
  play_script(hand_over_in_a_round);
}
END_TEST

static void serve_with_full_log(void *argument)
{
  (void)argument;
  go_to_last_log("round-posted");
  expect_both();
}

START_TEST(a_round_asks_each_thread_for_its_log)
{
  play_script(serve_with_full_log);
}
END_TEST

/* A marker holds the last grey object when the round begins, and has read
 * nothing of it. */
static void mark_across_the_round(void *argument)
{
  (void)argument;
  go_to_last_log("round-posted");
  race_do(a, flush);
  race_to(c, assist, "object-not-read");
  race_serve(a);
  race_serve(b);
  race_do(b, load_and_hide);
  play_until(race.driver, "marking-over");
  race_on(c);
  expect_both();
}

START_TEST(a_marker_that_is_inside_is_waited_for)
{
  play_script(mark_across_the_round);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("rounds");
  TCase *cases = tcase_create("rounds");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, who_attaches_while_h2_is_owed_owes_it_too);
  tcase_add_test(cases, who_attaches_has_its_barrier_on_if_the_others_have);
  tcase_add_test(cases, who_attaches_while_others_mark_makes_black_objects);
  tcase_add_test(cases, who_leaves_hands_its_log_over);
  tcase_add_test(cases, nobody_comes_back_while_it_is_served);
  tcase_add_test(cases, what_a_root_holds_that_goes_is_kept);
  tcase_add_test(cases, what_a_root_holds_that_comes_is_kept);
  tcase_add_test(cases, a_hand_over_before_a_round_is_not_taken_for_none);
  tcase_add_test(cases, a_hand_over_across_the_clearing_is_waited_for);
  tcase_add_test(cases, a_hand_over_in_a_round_makes_it_dirty);
  tcase_add_test(cases, a_round_asks_each_thread_for_its_log);
  tcase_add_test(cases, a_marker_that_is_inside_is_waited_for);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
