/* SPDX-License-Identifier: MIT */
/* store.c -- the forms of the barrier: what they do, and what they must not
 * lose
 *
 * <dusk/store.h>.  Each test runs out of a cycle and at each place of one that
 * cycle.h can hold: the slow half of a form must do what its inlined half does.
 * The others move the only references to objects about while a cycle stands,
 * or runs. */
#include "cycle.h"

struct fixture {
  dusk_heap *heap;
  dusk_thread *thread;
  struct hold hold;
  void *a, *b, *c; /* three objects */
};

static void fixture_open(struct fixture *f, int place)
{
  f->heap = api_open_manual();
  f->thread = api_attach(f->heap);
  f->a = api_alloc(f->thread, DUSK_LEAF, 16);
  f->b = api_alloc(f->thread, DUSK_LEAF, 16);
  f->c = api_alloc(f->thread, DUSK_LEAF, 16);
  hold_begin(&f->hold, f->heap, f->thread, (enum hold_place)place);
  ck_assert_int_eq(dusk_barrier_is_on(f->thread), place != HOLD_NOWHERE);
}

static void fixture_close(struct fixture *f)
{
  hold_end(&f->hold, f->thread);
  dusk_collect(f->thread);
  api_keep(f->a);
  api_keep(f->b);
  api_keep(f->c);
  api_close(f->heap, f->thread);
}

START_TEST(a_store_stores)
{
  struct fixture f;
  fixture_open(&f, _i);
  void **object = api_alloc(f.thread, DUSK_CONSERVATIVE, 64);
  ck_assert_ptr_null(dusk_load(&object[3]));
  dusk_init(f.thread, &object[3], f.a);
  ck_assert_ptr_eq(dusk_load(&object[3]), f.a);
  dusk_store(f.thread, &object[3], f.b);
  ck_assert_ptr_eq(dusk_load(&object[3]), f.b);
  dusk_store(f.thread, &object[3], NULL);
  ck_assert_ptr_null(dusk_load(&object[3]));
  ck_assert_ptr_null(dusk_load(&object[2]));
  ck_assert_ptr_null(dusk_load(&object[4]));
  fixture_close(&f);
}
END_TEST

/* Words that are no objects: the barrier logs them and must not believe them.
 */
START_TEST(any_word_may_be_stored)
{
  static char in_data;
  struct fixture f;
  fixture_open(&f, _i);
  char on_stack;
  char *const words[] = {(char *)1,
                         (char *)UINTPTR_MAX,
                         &in_data,
                         &on_stack,
                         (char *)f.heap,
                         (char *)f.a + 3,
                         (char *)f.a + MIB(100),
                         (char *)(uintptr_t)0xfff0};
  enum { WORDS = sizeof(words) / sizeof(words[0]) };
  void **object = api_alloc(f.thread, DUSK_CONSERVATIVE, WORDS * 8);
  void **copy = api_alloc(f.thread, DUSK_CONSERVATIVE, WORDS * 8);
  for (int round = 0; round < 1000; round++)
    for (int i = 0; i < WORDS; i++) {
      void *old = dusk_load(&object[i]);
      dusk_store(f.thread, &object[i], words[(i + round) % WORDS]);
      void *stored = dusk_load(&object[i]);
      ck_assert_ptr_eq(stored, words[(i + round) % WORDS]);
      ck_assert_ptr_eq(dusk_exchange(f.thread, &object[i], old), stored);
      ck_assert(dusk_cas(f.thread, &object[i], old, stored));
      dusk_copy(f.thread, copy, object, WORDS);
      ck_assert_ptr_eq(dusk_load(&copy[i]), stored);
    }
  dusk_clear(f.thread, object, WORDS);
  fixture_close(&f);
}
END_TEST

START_TEST(a_compare_and_swap_compares_and_swaps)
{
  struct fixture f;
  fixture_open(&f, _i);
  void **slot = api_alloc(f.thread, DUSK_CONSERVATIVE, 16);
  ck_assert(!dusk_cas(f.thread, slot, f.a, f.b));
  ck_assert_ptr_null(dusk_load(slot));
  ck_assert(dusk_cas(f.thread, slot, NULL, f.a));
  ck_assert_ptr_eq(dusk_load(slot), f.a);
  ck_assert(!dusk_cas(f.thread, slot, NULL, f.b));
  ck_assert(!dusk_cas(f.thread, slot, f.c, f.b));
  ck_assert_ptr_eq(dusk_load(slot), f.a);
  ck_assert(dusk_cas(f.thread, slot, f.a, f.a));
  ck_assert(dusk_cas(f.thread, slot, f.a, f.b));
  ck_assert(dusk_cas(f.thread, slot, f.b, NULL));
  ck_assert_ptr_null(dusk_load(slot));
  fixture_close(&f);
}
END_TEST

START_TEST(an_exchange_returns_what_was_there)
{
  struct fixture f;
  fixture_open(&f, _i);
  void **slot = api_alloc(f.thread, DUSK_CONSERVATIVE, 16);
  ck_assert_ptr_null(dusk_exchange(f.thread, slot, f.a));
  ck_assert_ptr_eq(dusk_exchange(f.thread, slot, f.b), f.a);
  ck_assert_ptr_eq(dusk_exchange(f.thread, slot, f.b), f.b);
  ck_assert_ptr_eq(dusk_exchange(f.thread, slot, NULL), f.b);
  ck_assert_ptr_null(dusk_load(slot));
  fixture_close(&f);
}
END_TEST

/* Copies of every length around the sizes at which pieces might end, and every
 * overlap, compared with memmove() on memory of our own. */
enum { COPY_WORDS = 1200 };

static void check_copy(const struct fixture *f, void **object, size_t to,
                       size_t from, size_t words)
{
  void *expected[COPY_WORDS];
  for (size_t i = 0; i < COPY_WORDS; i++) {
    void *word = i % 3 ? (char *)f->a + i % 16 : (char *)(uintptr_t)i;
    dusk_store(f->thread, &object[i], word);
    expected[i] = word;
  }
  memmove(&expected[to], &expected[from], words * sizeof(void *));
  dusk_copy(f->thread, &object[to], &object[from], words);
  for (size_t i = 0; i < COPY_WORDS; i++)
    api_check(dusk_load(&object[i]) == expected[i]);
}

START_TEST(a_copy_moves_words)
{
  static const size_t lengths[] = {0,   1,   2,   3,   7,   8,   63,  64, 65,
                                   127, 128, 129, 255, 256, 257, 511, 513};
  static const size_t distances[] = {0, 1, 2, 63, 64, 65, 300, 600};
  struct fixture f;
  fixture_open(&f, _i);
  void **object =
      api_alloc(f.thread, DUSK_CONSERVATIVE, COPY_WORDS * sizeof(void *));
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
    for (size_t j = 0; j < sizeof(distances) / sizeof(distances[0]); j++) {
      check_copy(&f, object, 10, 10 + distances[j], lengths[i]);
      check_copy(&f, object, 10 + distances[j], 10, lengths[i]);
    }
  fixture_close(&f);
}
END_TEST

START_TEST(a_clear_clears)
{
  static const size_t lengths[] = {0, 1, 2, 63, 64, 65, 255, 256, 257, 1000};
  struct fixture f;
  fixture_open(&f, _i);
  void **object =
      api_alloc(f.thread, DUSK_CONSERVATIVE, COPY_WORDS * sizeof(void *));
  for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
    for (size_t i = 0; i < COPY_WORDS; i++)
      dusk_store(f.thread, &object[i], f.a);
    dusk_clear(f.thread, &object[7], lengths[j]);
    for (size_t i = 0; i < COPY_WORDS; i++)
      ck_assert_ptr_eq(dusk_load(&object[i]),
                       i >= 7 && i < 7 + lengths[j] ? NULL : f.a);
  }
  fixture_close(&f);
}
END_TEST

/* Nothing lost: white leaves hang from an array that hangs from the gate, and
 * nobody else knows them.  While the cycle stands, each is moved to an array
 * made in the cycle, and its old slot overwritten, by each form in turn; by a
 * thread that was there, and by one that has just come. */
enum { MOVED = 2000 };

struct leaf {
  uintptr_t seal;
  uintptr_t rest;
};

static struct leaf *make_leaf(dusk_thread *thread, int i)
{
  struct leaf *leaf = api_alloc(thread, DUSK_LEAF, sizeof(*leaf));
  leaf->seal = (uintptr_t)leaf ^ (uintptr_t)i;
  return leaf;
}

/* Whoever was lost is written over first. */
static void check_leaves(dusk_heap *heap, dusk_thread *thread, void **slots,
                         int count)
{
  for (int i = 0; i < 4 * MOVED; i++)
    memset(api_alloc(thread, DUSK_LEAF, sizeof(struct leaf)), 0xff, 16);
  for (int i = 0; i < count; i++) {
    const struct leaf *leaf = dusk_load(&slots[i]);
    ck_assert_msg(dusk_size_of(heap, leaf) == sizeof(*leaf) &&
                      leaf->seal == ((uintptr_t)leaf ^ (uintptr_t)i),
                  "object %d is lost", i);
  }
}

static void *make_array_of_leaves(dusk_thread *thread)
{
  void **slots = api_alloc(thread, DUSK_CONSERVATIVE, MOVED * sizeof(void *));
  for (int i = 0; i < MOVED; i++)
    dusk_store(thread, &slots[i], make_leaf(thread, i));
  return slots;
}

static void move_leaf(dusk_thread *thread, void **to, void **from, int i)
{
  switch (i % 5) {
  case 0:
    dusk_store(thread, &to[i], dusk_load(&from[i]));
    dusk_store(thread, &from[i], NULL);
    break;
  case 1:
    dusk_store(thread, &to[i], dusk_exchange(thread, &from[i], to));
    break;
  case 2:
    ck_assert(dusk_cas(thread, &to[i], NULL, dusk_load(&from[i])));
    ck_assert(dusk_cas(thread, &from[i], dusk_load(&to[i]), to));
    break;
  case 3:
    dusk_copy(thread, &to[i], &from[i], 1);
    dusk_clear(thread, &from[i], 1);
    break;
  default:
    dusk_exchange(thread, &to[i], dusk_load(&from[i]));
    dusk_copy(thread, &from[i], &to[0], 1);
    break;
  }
}

struct moving {
  struct hold hold;
  void **to; /* registered root */
};

static void move_leaves(struct moving *moving, dusk_thread *thread)
{
  void **from = dusk_load(&moving->hold.gate[1]);
  void **to = api_alloc(thread, DUSK_CONSERVATIVE, MOVED * sizeof(void *));
  dusk_store(thread, &moving->to, to);
  for (int i = 0; i < MOVED; i++)
    move_leaf(thread, to, from, i);
}

static void *come_and_move(void *argument)
{
  struct moving *moving = argument;
  dusk_thread *thread = api_attach(moving->hold.heap);
  move_leaves(moving, thread);
  dusk_detach(thread);
  return NULL;
}

START_TEST(moved_references_keep_their_objects)
{
  bool by_newcomer = _i >= HOLD_PLACES;
  static struct moving moving;
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_root_add(heap, &moving.to, sizeof(moving.to)), 0);
  hold_init(&moving.hold, heap, (enum hold_place)(_i % HOLD_PLACES));
  moving.hold.make_hidden = make_array_of_leaves;
  hold_start(&moving.hold, thread);
  if (by_newcomer)
    pthread_join(api_start(come_and_move, &moving), NULL);
  else
    move_leaves(&moving, thread);
  hold_end(&moving.hold, thread);
  check_leaves(heap, thread, moving.to, MOVED);
  api_close(heap, thread);
}
END_TEST

/* The straggler's stack alone knows some leaves, and has not been scanned.  It
 * gives them to an object that is black and to a new root, and forgets them. */
struct giving {
  struct hold hold;
  void **to; /* registered root */
  void *area[OWN_WORDS];
};

static void make_own_leaves(dusk_thread *thread, void *volatile *own)
{
  for (int i = 0; i < OWN_WORDS; i++)
    own[i] = make_leaf(thread, i);
}

static void give_own_leaves(dusk_thread *thread, void *volatile *own,
                            void *argument)
{
  struct giving *giving = argument;
  void **to = dusk_load(&giving->to);
  for (int i = 0; i < OWN_WORDS; i++)
    switch (i % 5) {
    case 0:
      dusk_store(thread, &to[i], own[i]);
      break;
    case 1:
      dusk_exchange(thread, &to[i], own[i]);
      break;
    case 2:
      ck_assert(dusk_cas(thread, &to[i], NULL, own[i]));
      break;
    case 3:
      dusk_copy(thread, &to[i], (const void *)&own[i], 1);
      break;
    default:
      giving->area[i] = own[i]; /* no root yet */
      break;
    }
  ck_assert_int_eq(
      dusk_root_add(giving->hold.heap, giving->area, sizeof(giving->area)), 0);
}

START_TEST(given_references_keep_their_objects)
{
  static const enum hold_place places[] = {HOLD_BEFORE_ROOTS, HOLD_IN_ROOTS};
  static struct giving giving;
  dusk_heap *heap = api_open_manual();
  dusk_thread *thread = api_attach(heap);
  ck_assert_int_eq(dusk_root_add(heap, &giving.to, sizeof(giving.to)), 0);
  hold_init(&giving.hold, heap, places[_i]);
  giving.hold.make_own = make_own_leaves;
  giving.hold.give_own = give_own_leaves;
  hold_start(&giving.hold, thread);
  dusk_store(thread, &giving.to,
             api_alloc(thread, DUSK_CONSERVATIVE, OWN_WORDS * sizeof(void *)));
  hold_give(&giving.hold, &giving);
  hold_end(&giving.hold, thread);
  for (int i = 4; i < OWN_WORDS; i += 5)
    dusk_store(thread, &giving.to[i], giving.area[i]);
  check_leaves(heap, thread, giving.to, OWN_WORDS);
  api_close(heap, thread);
}
END_TEST

/* Tokens change hands between threads: none is lost, none is doubled. */
enum { TOKENS = 64, TRADERS = 4, TRADES = 100000 };

struct market {
  dusk_heap *heap;
  void *slots[TOKENS]; /* a registered root */
  bool by_cas;
};

static void *trade(void *argument)
{
  struct market *market = argument;
  dusk_thread *thread = api_attach(market->heap);
  uint64_t random = (uintptr_t)thread | 1;
  struct leaf *mine = api_alloc(thread, DUSK_LEAF, sizeof(*mine));
  mine->seal = ~(uintptr_t)mine;
  for (int i = 0; i < TRADES; i++) {
    void **slot = &market->slots[api_random(&random) % TOKENS];
    struct leaf *theirs;
    if (market->by_cas)
      do
        theirs = dusk_load(slot);
      while (!dusk_cas(thread, slot, theirs, mine));
    else
      theirs = dusk_exchange(thread, slot, mine);
    api_check(theirs->seal == ~(uintptr_t)theirs);
    mine = theirs;
    dusk_safepoint(thread);
    if (i % 16 == 0)
      memset(api_alloc(thread, DUSK_LEAF, sizeof(*mine)), 0, sizeof(*mine));
  }
  /* Into the ground, so that the count below is of the slots alone. */
  mine->rest = 1;
  dusk_detach(thread);
  return NULL;
}

static int compare_words(const void *one, const void *two)
{
  uintptr_t a = *(const uintptr_t *)one, b = *(const uintptr_t *)two;
  return a < b ? -1 : a > b;
}

START_TEST(exchanged_objects_are_neither_lost_nor_doubled)
{
  static struct market market;
  market.heap = api_open();
  market.by_cas = _i;
  dusk_thread *thread = api_attach(market.heap);
  ck_assert_int_eq(
      dusk_root_add(market.heap, market.slots, sizeof(market.slots)), 0);
  for (int i = 0; i < TOKENS; i++) {
    struct leaf *token = api_alloc(thread, DUSK_LEAF, sizeof(*token));
    token->seal = ~(uintptr_t)token;
    dusk_store(thread, &market.slots[i], token);
  }
  struct cycler cycler;
  cycler_start(&cycler, market.heap);
  pthread_t traders[TRADERS];
  dusk_blocking_begin(thread);
  for (int i = 0; i < TRADERS; i++)
    traders[i] = api_start(trade, &market);
  for (int i = 0; i < TRADERS; i++)
    pthread_join(traders[i], NULL);
  dusk_blocking_end(thread);
  cycler_stop(&cycler, thread);
  struct leaf *tokens[TOKENS];
  memcpy(tokens, market.slots, sizeof(tokens));
  qsort(tokens, TOKENS, sizeof(tokens[0]), compare_words);
  for (int i = 0; i < TOKENS; i++) {
    ck_assert_uint_eq(tokens[i]->seal, ~(uintptr_t)tokens[i]);
    ck_assert_uint_eq(tokens[i]->rest, 0);
    ck_assert(i == 0 || tokens[i] != tokens[i - 1]);
  }
  api_close(market.heap, thread);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("store");
  TCase *forms = api_case(suite, "forms");
  tcase_add_loop_test(forms, a_store_stores, 0, HOLD_PLACES);
  tcase_add_loop_test(forms, any_word_may_be_stored, 0, HOLD_PLACES);
  tcase_add_loop_test(forms, a_compare_and_swap_compares_and_swaps, 0,
                      HOLD_PLACES);
  tcase_add_loop_test(forms, an_exchange_returns_what_was_there, 0,
                      HOLD_PLACES);
  tcase_add_loop_test(forms, a_copy_moves_words, 0, HOLD_PLACES);
  tcase_add_loop_test(forms, a_clear_clears, 0, HOLD_PLACES);

  TCase *lost = api_case(suite, "nothing lost");
  tcase_add_loop_test(lost, moved_references_keep_their_objects, 0,
                      2 * HOLD_PLACES);
  tcase_add_loop_test(lost, given_references_keep_their_objects, 0, 2);
  tcase_add_loop_test(lost, exchanged_objects_are_neither_lost_nor_doubled, 0,
                      2);
  return api_run(suite);
}
