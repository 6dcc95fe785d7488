/* SPDX-License-Identifier: MIT */
/* Test of the races that each ingredient of the barrier and of the handshakes
 * rules out: the interleaving is led to the moment at which an object would be
 * lost without it (runtime/README.md says why each is there).
 *
 * The names: `a` and `b` store, `c` has been scanned early, so that nobody
 * looks at its stack again; what it loads then, only a barrier can save. */
#include "race.h"

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

/* ---- acts ---- */

static struct pair *root(void)
{
  return dusk_load(&race.roots[0]);
}

/* An object that only the root's object knows. */
static void make_next(struct racer *racer)
{
  struct pair *made = race_new(racer);
  race_hide(0, made);
  dusk_store(racer->thread, &root()->next, made);
}

static void load_next(struct racer *racer)
{
  racer->hold[0] = dusk_load(&root()->next);
}

static void cut_next(struct racer *racer)
{
  dusk_store(racer->thread, &root()->next, NULL);
}

static void store_held(struct racer *racer)
{
  dusk_store(racer->thread, &root()->next, racer->hold[0]);
  racer->hold[0] = NULL;
}

static void make_hidden_and_hold(struct racer *racer)
{
  racer->hold[0] = race_new(racer);
  race_hide(0, racer->hold[0]);
}

/* An object that is black from birth, as root 1; nobody will read it. */
static void make_black_root(struct racer *racer)
{
  dusk_store(racer->thread, &race.roots[1], race_new(racer));
}

static struct pair *black(void)
{
  return dusk_load(&race.roots[1]);
}

static void store_into_black(struct racer *racer)
{
  dusk_store(racer->thread, &black()->next, racer->hold[0]);
}

/* ---- H1b ---- */

static void store_across_h1(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(b, make_hidden_and_hold);
  race_ask();
  race_post(); /* H1 */
  race_serve(a);
  race_serve(c);
  race_to(a, cut_next, "old-read"); /* with its barrier on */
  race_do(b, store_held);           /* with its own still off */
  race_serve(b);
  bool h1b = race_try_post();
  if (h1b) {
    race_serve(b);
    race_serve(c);
  }
  /* Without H1b that was H2, and c is scanned; else the driver waits for a. */
  race_try_post();
  race_serve(c);
  race_do(c, load_next);
  race_on(a);
  race_finish_cycle();
  if (c->hold[0])
    race_expect(0, "what was stored while another's barrier was off");
  race_close();
}

START_TEST(a_store_begun_while_barriers_were_off_is_waited_for)
{
  play_script(store_across_h1);
}
END_TEST

/* ---- the order in a store ---- */

static void cut_what_another_loaded(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(b, make_next);
  go_to_h2();
  race_serve(c);
  race_do(c, load_next); /* c is scanned: nobody will look there */
  race_do(a, cut_next);
  race_finish_cycle();
  race_expect(0, "what was overwritten");
  race_close();
}

START_TEST(what_a_store_overwrites_is_kept)
{
  play_script(cut_what_another_loaded);
}
END_TEST

static void exchange_next(struct racer *racer)
{
  racer->hold[0] = dusk_exchange(racer->thread, &root()->next, NULL);
  racer->hold[0] = NULL;
}

static void swap_next(struct racer *racer)
{
  struct pair *next = dusk_load(&root()->next);
  dusk_cas(racer->thread, &root()->next, next, NULL);
}

static void clear_root(struct racer *racer)
{
  dusk_clear(racer->thread, &root()->next, 2);
}

static void copy_over_root(struct racer *racer)
{
  dusk_copy(racer->thread, &root()->next, &black()->next, 1);
}

static race_act *const cuts[] = {exchange_next, swap_next, clear_root,
                                 copy_over_root};

static void cut_by_other_means(void *argument)
{
  race_act *cut = cuts[*(int *)argument];
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(a, make_black_root);
  race_do(b, make_next);
  go_to_h2();
  race_serve(c);
  race_do(c, load_next);
  race_do(a, cut);
  if (root()->next)
    play_fail("nothing was cut");
  race_finish_cycle();
  race_expect(0, "what was overwritten");
  race_close();
}

START_TEST(what_any_store_overwrites_is_kept)
{
  struct play play = {.order = PLAY_SCRIPT, .processors = 1};
  play_run(&play, cut_by_other_means, &_i);
}
END_TEST

static void exchange_into_black(struct racer *racer)
{
  dusk_exchange(racer->thread, &black()->next, racer->hold[0]);
}

static void swap_into_black(struct racer *racer)
{
  dusk_cas(racer->thread, &black()->next, NULL, racer->hold[0]);
}

static void copy_into_black(struct racer *racer)
{
  void *from[] = {racer->hold[0]};
  dusk_copy(racer->thread, &black()->next, from, 1);
}

static race_act *const hidings[] = {store_into_black, exchange_into_black,
                                    swap_into_black, copy_into_black};

/* a has not been scanned, and puts what it alone knows where nobody reads. */
static void hide_in_black(void *argument)
{
  race_act *hide = hidings[*(int *)argument];
  open_for_three();
  race_do(a, make_hidden_and_hold);
  go_to_h2();
  race_serve(c);
  race_do(c, make_black_root);
  race_do(a, hide);
  race_do(a, race_drop);
  race_finish_cycle();
  race_expect(0, "what was stored into a black object");
  race_close();
}

START_TEST(what_any_store_writes_before_h2_is_kept)
{
  struct play play = {.order = PLAY_SCRIPT, .processors = 1};
  play_run(&play, hide_in_black, &_i);
}
END_TEST

static void fill_new(struct racer *racer)
{
  struct pair *made = race_new(racer);
  dusk_init(racer->thread, &made->next, racer->hold[0]);
  racer->hold[0] = made;
}

/* Between H1 and H2 births are white: a black one would not be read. */
static void fill_between_h1_and_h2(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, make_hidden_and_hold);
  race_ask();
  race_post();
  race_serve_all_but(NULL);
  race_do(a, fill_new);
  race_finish_cycle();
  race_expect(0, "what a new object was filled with");
  race_close();
}

START_TEST(what_an_object_born_before_h2_holds_is_kept)
{
  play_script(fill_between_h1_and_h2);
}
END_TEST

/* ---- H3 and H4 ---- */

static void load_second_and_cut(struct racer *racer)
{
  struct pair *first = dusk_load(&black()->next);
  racer->hold[0] = dusk_load(&first->next);
  dusk_store(racer->thread, &first->next, NULL);
}

/* hidden 0 is the root's next, and knows hidden 1, which nobody else does. */
static void make_two(struct racer *racer)
{
  make_next(racer);
  race_hide(1, race_new(racer));
  dusk_store(racer->thread, &race_hidden(0)->next, race_hidden(1));
}

static void move_next_to_black(struct racer *racer)
{
  struct pair *next = dusk_load(&root()->next);
  dusk_store(racer->thread, &black()->next, next);
  dusk_store(racer->thread, &root()->next, NULL);
}

/* b hides an object behind a black one before anything is marked: its log alone
 * knows of it.  a has served the round that asks b for it. */
static void store_after_h3(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(b, make_two);
  go_to_h2();
  race_serve_all_but(NULL);
  play_must(race.driver, "all-scanned");
  race_do(b, make_black_root);
  race_do(b, move_next_to_black);
  race_post(); /* H3 */
  race_serve(a);
  race_do(a, load_second_and_cut);
  race_serve(b);
  race_finish_cycle();
  race_expect(0, "what a log held");
  race_expect(1, "what was loaded between two services");
  race_close();
}

START_TEST(a_barrier_is_on_until_marking_is_over_for_all)
{
  play_script(store_after_h3);
}
END_TEST

/* ---- testing words ---- */

/* b makes an object that looks like a free slot to others until b has served
 * H2, and c takes it over. */
static void pass_unpublished(void *argument)
{
  (void)argument;
  open_for_three();
  race_do(a, race_make_root);
  race_do(a, race_drop);
  race_do(b, make_hidden_and_hold);
  go_to_h2();
  race_serve(c);
  if (play_until(race.driver, "after-h2"))
    play_fail("the driver waits for nobody");
  race_do(b, store_held);
  race_do(c, load_next);
  race_do(c, cut_next);
  race_finish_cycle();
  race_expect(0, "a fresh object of a thread that owes H2");
  race_close();
}

START_TEST(no_word_is_tested_before_all_have_served_h2)
{
  play_script(pass_unpublished);
}
END_TEST

/* ---- the log ---- */

static void fill_log(struct racer *racer)
{
  struct packet *log = racer->thread->log;
  while (log->count < PACKET_WORDS)
    log->words[log->count++] = (uintptr_t)root();
}

static void cut_other(struct racer *racer)
{
  dusk_store(racer->thread, &root()->other, NULL);
}

static void overflow_log(void *argument)
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
  race_do(a, fill_log);
  race_do(a, cut_other);
  race_finish_cycle();
  race_expect(0, "what a full log held");
  race_close();
}

START_TEST(a_full_log_is_handed_over)
{
  play_script(overflow_log);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("races");
  TCase *cases = tcase_create("races");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, a_store_begun_while_barriers_were_off_is_waited_for);
  tcase_add_test(cases, what_a_store_overwrites_is_kept);
  tcase_add_loop_test(cases, what_any_store_overwrites_is_kept, 0, 4);
  tcase_add_loop_test(cases, what_any_store_writes_before_h2_is_kept, 0, 4);
  tcase_add_test(cases, what_an_object_born_before_h2_holds_is_kept);
  tcase_add_test(cases, a_barrier_is_on_until_marking_is_over_for_all);
  tcase_add_test(cases, no_word_is_tested_before_all_have_served_h2);
  tcase_add_test(cases, a_full_log_is_handed_over);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
