/* SPDX-License-Identifier: MIT */
/* Test of heap/central.c and heap/spanlist.h: which span comes out first, to
 * whom, and to nobody twice. */
#include "unit.h"

#include "fixture.h"
#include "heap/central.h"

static struct arena arena;

static void set_up(void)
{
  ck_assert_int_eq(arena_open(&arena, (size_t)8 << 20), 0);
}

static void tear_down(void)
{
  arena_close(&arena);
}

static struct span *make_span(dusk_kind kind, unsigned size_class,
                              uint32_t allocated)
{
  struct span *span = span_make(&arena, (uint16_t)kind, (uint8_t)size_class, 1);
  ck_assert_ptr_nonnull(span);
  span->allocated = allocated;
  return span;
}

/* ---- lists ---- */

START_TEST(list_is_first_in_first_out)
{
  struct span spans[8] = {{0}};
  struct spanlist list = {0};
  ck_assert_uint_eq(list.first, PAGE_NONE);
  ck_assert_uint_eq(spanlist_pop(&list, spans), PAGE_NONE);
  for (int round = 0; round < 2; round++) {
    for (uint32_t page = 1; page < 4; page++)
      spanlist_push(&list, page, spans);
    ck_assert_uint_ne(list.first, PAGE_NONE);
    for (uint32_t page = 1; page < 4; page++)
      ck_assert_uint_eq(spanlist_pop(&list, spans), page);
    ck_assert_uint_eq(list.first, PAGE_NONE);
    ck_assert_uint_eq(spanlist_pop(&list, spans), PAGE_NONE);
  }
}
END_TEST

/* ---- centrals ---- */

START_TEST(a_span_is_given_and_taken)
{
  struct span *span = make_span(DUSK_LEAF, 4, 1);
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 4, 1));
  central_give(&arena, span, 1);
  ck_assert_int_eq(span_state(span), SPAN_LISTED);
  ck_assert_ptr_eq(central_take(&arena, DUSK_LEAF, 4, 1), span);
  ck_assert_int_eq(span_state(span), SPAN_CACHED);
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 4, 1));
}
END_TEST

START_TEST(each_kind_and_class_has_its_own)
{
  struct span *leaf = make_span(DUSK_LEAF, 4, 1);
  struct span *conservative = make_span(DUSK_CONSERVATIVE, 4, 1);
  struct span *bigger = make_span(DUSK_LEAF, 5, 1);
  central_give(&arena, leaf, 1);
  central_give(&arena, conservative, 1);
  central_give(&arena, bigger, 1);
  ck_assert_ptr_null(central_take(&arena, DUSK_CONSERVATIVE, 5, 1));
  ck_assert_ptr_eq(central_take(&arena, DUSK_CONSERVATIVE, 4, 1), conservative);
  ck_assert_ptr_eq(central_take(&arena, DUSK_LEAF, 5, 1), bigger);
  ck_assert_ptr_eq(central_take(&arena, DUSK_LEAF, 4, 1), leaf);
}
END_TEST

/* With half of its slots free a span still is roomy. */
START_TEST(roomy_spans_come_first_each_sort_in_the_order_of_giving)
{
  uint32_t slots = arena.classes[0].slots;
  uint32_t allocated[] = {slots - 1, 1, slots / 2 + 1, slots / 2, 0};
  static const int order[] = {1, 3, 4, 0, 2};
  struct span *spans[5];
  for (int i = 0; i < 5; i++)
    spans[i] = make_span(DUSK_LEAF, 0, allocated[i]);
  for (int i = 0; i < 5; i++)
    central_give(&arena, spans[i], 1);
  for (int i = 0; i < 5; i++)
    ck_assert_ptr_eq(central_take(&arena, DUSK_LEAF, 0, 1), spans[order[i]]);
}
END_TEST

START_TEST(nobody_takes_from_the_list_of_another_epoch)
{
  struct span *span = make_span(DUSK_LEAF, 4, 1);
  central_give(&arena, span, 8);
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 4, 7));
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 4, 9));
  ck_assert_int_eq(span_state(span), SPAN_LISTED);
  ck_assert_ptr_eq(central_take(&arena, DUSK_LEAF, 4, 8), span);
}
END_TEST

START_TEST(a_new_epoch_forgets_the_spans_of_the_old)
{
  struct span *roomy = make_span(DUSK_LEAF, 4, 1);
  struct span *tight = make_span(DUSK_LEAF, 4, arena.classes[4].slots - 1);
  struct span *fresh = make_span(DUSK_LEAF, 4, 1);
  central_give(&arena, roomy, 1);
  central_give(&arena, tight, 1);
  central_give(&arena, fresh, 2);
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 4, 1));
  ck_assert_ptr_eq(central_take(&arena, DUSK_LEAF, 4, 2), fresh);
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 4, 2));
}
END_TEST

START_TEST(centrals_of_the_last_kind_are_usable)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  dusk_kind kind = 0;
  while (kinds_count(&arena.kinds) < DUSK_KINDS_MAX)
    ck_assert_int_eq(arena_define_kind(&arena, &spec, &kind), 0);
  ck_assert_uint_eq(kind, DUSK_KINDS_MAX - 1);
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    struct span *span = make_span(kind, c, 0);
    central_give(&arena, span, 1);
    ck_assert_ptr_eq(central_take(&arena, kind, c, 1), span);
  }
}
END_TEST

START_TEST(a_kind_without_memory_for_its_centrals_is_not_defined)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  dusk_kind kind = 12345;
  fixture_vm_begin();
  fixture_vm_refuse(1, 1);
  uint32_t count = kinds_count(&arena.kinds);
  ck_assert_int_ne(arena_define_kind(&arena, &spec, &kind), 0);
  ck_assert_uint_eq(kinds_count(&arena.kinds), count);
  ck_assert_uint_eq(kind, 12345);
  ck_assert_int_eq(arena_define_kind(&arena, &spec, &kind), 0);
  fixture_vm_end();
  ck_assert_ptr_null(central_take(&arena, kind, 0, 1));
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, SPANS = 6, ROUNDS = 3000 };
static uint32_t holder[1024]; /* by page: who has it, from 1 */
static unsigned stolen[THREADS];

static void take_and_give(unsigned index)
{
  for (int i = 0; i < ROUNDS; i++) {
    struct span *span = central_take(&arena, DUSK_LEAF, 0, 1);
    if (!span)
      continue;
    uint32_t *mine = &holder[arena_span_page(&arena, span)];
    stolen[index] += *mine != 0;
    *mine = index + 1;
    span->allocated = (unsigned)i % 2 * span->slots; /* roomy and tight */
    stolen[index] += *mine != index + 1;
    *mine = 0;
    central_give(&arena, span, 1);
  }
}

START_TEST(a_span_has_one_taker)
{
  for (int i = 0; i < SPANS; i++)
    central_give(&arena, make_span(DUSK_LEAF, 0, 0), 1);
  fixture_threads(THREADS, take_and_give);
  for (int i = 0; i < THREADS; i++)
    ck_assert_uint_eq(stolen[i], 0);
  for (int i = 0; i < SPANS; i++)
    ck_assert_ptr_nonnull(central_take(&arena, DUSK_LEAF, 0, 1));
  ck_assert_ptr_null(central_take(&arena, DUSK_LEAF, 0, 1));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("central");
  TCase *cases = tcase_create("central");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, list_is_first_in_first_out);
  tcase_add_test(cases, a_span_is_given_and_taken);
  tcase_add_test(cases, each_kind_and_class_has_its_own);
  tcase_add_test(cases,
                 roomy_spans_come_first_each_sort_in_the_order_of_giving);
  tcase_add_test(cases, nobody_takes_from_the_list_of_another_epoch);
  tcase_add_test(cases, a_new_epoch_forgets_the_spans_of_the_old);
  tcase_add_test(cases, centrals_of_the_last_kind_are_usable);
  tcase_add_test(cases, a_kind_without_memory_for_its_centrals_is_not_defined);
  tcase_add_test(cases, a_span_has_one_taker);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
