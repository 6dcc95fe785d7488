/* SPDX-License-Identifier: MIT */
/* Test of the races around the census, births while others mark, and memory
 * that is used again: scripts, as in races.c. */
#include "race.h"

#include "unit/unit.h"

static struct racer *a;

static void open_for_three(void)
{
  race_open();
  a = race_thread("a");
  race_thread("b");
  race_thread("c");
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

static void make_hidden_and_hold(struct racer *racer)
{
  racer->hold[0] = race_new(racer);
  race_hide(0, racer->hold[0]);
}

/* ---- the census, and memory that is used again ---- */

static void make_rooted(struct racer *racer)
{
  make_hidden_and_hold(racer);
  dusk_store(racer->thread, &race.roots[2], racer->hold[0]);
  racer->hold[0] = NULL;
}

static void make_before_census(void *argument)
{
  (void)argument;
  open_for_three();
  go_to_h2();
  race_serve_all_but(NULL);
  for (int i = 0; i < 9 && !play_until(race.driver, "after-h4"); i++)
    race_serve_all_but(NULL);
  race_do(a, make_rooted);
  race_finish_cycle();
  race_expect(0, "what was made before the census came by");
  race_close();
}

START_TEST(the_census_leaves_spans_alone_that_threads_have_taken)
{
  play_script(make_before_census);
}
END_TEST

static void make_after_h2(struct racer *racer)
{
  make_rooted(racer);
}

static void make_in_old_run(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make);
  race_do(a, race_drop);
  go_to_h2();
  race_serve(a);
  race_do(a, make_after_h2); /* from the run that it had */
  race_finish_cycle();
  race_expect(0, "what was made from a run taken before the cycle");
  race_close();
}

START_TEST(what_is_left_of_a_run_turns_black_at_h2)
{
  play_script(make_in_old_run);
}
END_TEST

enum { LARGE_BYTES = 100000, FREED = 300, SLOTS = 256 };

static void make_large(struct racer *racer)
{
  racer->hold[0] = dusk_alloc(racer->thread, DUSK_CONSERVATIVE, LARGE_BYTES);
  race_hide(0, racer->hold[0]);
}

static void make_large_while_marking(void *argument)
{
  (void)argument;
  open_for_three();
  go_to_h2();
  race_serve_all_but(NULL);
  play_must(race.driver, "all-scanned");
  race_do(a, make_large);
  race_finish_cycle();
  if (!dusk_size_of(race.heap, race_hidden(0)))
    play_fail("a large object is lost");
  race_close();
}

START_TEST(a_large_object_is_black_when_the_others_are)
{
  play_script(make_large_while_marking);
}
END_TEST

/* Three spans of objects, each of which knows one in the next span; all will be
 * free but one in each. */
static void make_spans(struct racer *racer)
{
  enum { COUNT = 3 * SLOTS };
  static struct pair *made[COUNT];
  for (unsigned i = 0; i < COUNT; i++)
    made[i] = race_new(racer);
  for (unsigned i = 0; i < COUNT; i++)
    if (i % SLOTS == SLOTS / 2)
      dusk_store(racer->thread, &race.roots[i / SLOTS], made[i]);
    else
      dusk_store(racer->thread, &made[i]->next, made[(i + SLOTS) % COUNT]);
}

static dusk_kind row; /* of pointers alone */

static void define_row(void)
{
  uint64_t all = 1;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = &all;
  spec.period = 1;
  if (dusk_kind_define(race.heap, &spec, &row))
    play_fail("no kind");
}

/* The same in one object, and the first of each page is kept. */
static void make_row(struct racer *racer)
{
  void **words = dusk_alloc(racer->thread, row, LARGE_BYTES);
  dusk_store(racer->thread, &race.roots[3], race_new(racer));
  for (size_t i = 0; i < LARGE_BYTES / sizeof *words; i++)
    words[i] = i < FREED ? race_new(racer) : words[i % FREED];
}

static race_act *const leavings[] = {make_spans, make_row};

static void make_again(struct racer *racer)
{
  racer->hold[0] = race_new(racer);
}

static void make_row_again(struct racer *racer)
{
  racer->hold[0] = dusk_alloc(racer->thread, row, LARGE_BYTES);
}

static race_act *const returns[] = {make_again, make_row_again};

/* a is about to zero memory whose last contents point to free slots.  Markers
 * that look at all that has a mark must not see it: the census finds out what
 * they mark. */
static void rescan_before_zeroing(void *argument)
{
  int which = *(int *)argument;
  open_for_three();
  define_row();
  race_do(a, leavings[which]);
  for (int cycle = 0; cycle < 2; cycle++) {
    race_ask();
    race_finish_cycle();
  }
  go_to_h2();
  race_serve_all_but(NULL);
  play_must(race.driver, "all-scanned");
  race_to(a, returns[which], "not-zeroed");
  race.heap->collector.grey.overflowed = 1;
  play_until(race.driver, "round-posted");
  race_on(a);
  race_finish_cycle();
  race_close();
}

START_TEST(what_is_not_zero_yet_is_not_read)
{
  struct play play = {.order = PLAY_SCRIPT, .processors = 1};
  play_run(&play, rescan_before_zeroing, &_i);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("reuse");
  TCase *cases = tcase_create("reuse");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, the_census_leaves_spans_alone_that_threads_have_taken);
  tcase_add_test(cases, what_is_left_of_a_run_turns_black_at_h2);
  tcase_add_test(cases, a_large_object_is_black_when_the_others_are);
  tcase_add_loop_test(cases, what_is_not_zero_yet_is_not_read, 0, 2);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
