/* SPDX-License-Identifier: MIT */
/* Test of heap/kind.c: each mistake that a definition can have, and what is
 * copied of one that has none. */
#include "unit.h"

#include "fixture.h"
#include "heap/kind.h"

#include <errno.h>
#include <string.h>

static struct kinds kinds;

static void set_up(void)
{
  ck_assert(kinds_init(&kinds));
}

static void tear_down(void)
{
  kinds_destroy(&kinds);
}

static void trace_nothing(void *object, size_t bytes, dusk_tracer *tracer,
                          void *context)
{
  (void)object;
  (void)bytes;
  (void)tracer;
  (void)context;
}

static const struct kind *define(const dusk_kind_spec *spec)
{
  dusk_kind kind = 0;
  ck_assert_int_eq(kind_define(&kinds, spec, NULL, NULL, &kind), 0);
  ck_assert_uint_eq(kind, kinds_count(&kinds) - 1);
  return kind_find(&kinds, kind);
}

/* Refused, and nothing is changed. */
static void refuse(const dusk_kind_spec *spec)
{
  uint32_t count = kinds_count(&kinds);
  dusk_kind kind = 12345;
  ck_assert_int_eq(kind_define(&kinds, spec, NULL, NULL, &kind), EINVAL);
  ck_assert_uint_eq(kind, 12345);
  ck_assert_uint_eq(kinds_count(&kinds), count);
}

START_TEST(leaf_and_conservative_are_there_from_the_beginning)
{
  ck_assert_uint_eq(kinds_count(&kinds), 2);
  ck_assert_int_eq(kind_find(&kinds, DUSK_LEAF)->scan, DUSK_SCAN_LEAF);
  ck_assert_int_eq(kind_find(&kinds, DUSK_CONSERVATIVE)->scan,
                   DUSK_SCAN_CONSERVATIVE);
  ck_assert(!kind_is_scanned(&kinds, DUSK_LEAF));
  ck_assert(kind_is_scanned(&kinds, DUSK_CONSERVATIVE));
  ck_assert_ptr_null(kind_find(&kinds, 2));
  ck_assert_ptr_null(kind_find(&kinds, UINT32_MAX));
}
END_TEST

START_TEST(arguments_that_are_missing_or_unknown)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  ck_assert_int_eq(kind_define(&kinds, &spec, NULL, NULL, NULL), EINVAL);
  refuse(NULL);
  spec.struct_size--;
  refuse(&spec);
  spec.struct_size = 0;
  refuse(&spec);
  spec.struct_size = sizeof spec + 8;
  refuse(&spec);
  spec.struct_size = sizeof spec;
  spec.scan = (dusk_scan)(DUSK_SCAN_TRACE + 1);
  refuse(&spec);
  spec.scan = (dusk_scan)-1;
  refuse(&spec);
  spec.scan = DUSK_SCAN_TRACE;
  refuse(&spec);
}
END_TEST

START_TEST(layouts_that_cannot_be)
{
  const uint64_t bits[2] = {UINT64_C(1) << 3, 0};
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.size = 64;
  spec.period = 8;
  refuse(&spec); /* no bitmap */
  spec.pointers = bits;
  spec.size = 0;
  spec.period = 0;
  refuse(&spec); /* nothing to repeat */
  spec.size = 24;
  spec.period = 4;
  refuse(&spec); /* bit 3 is beyond the object */
  spec.size = 31;
  refuse(&spec); /* and so is half a word */
  spec.size = 32;
  ck_assert_uint_eq(define(&spec)->period, 4);
}
END_TEST

START_TEST(layouts_of_a_megabyte_and_beyond)
{
  enum { MOST = 1 << 20 };
  uint64_t *bits = calloc(1, MOST + 8);
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = bits;
  spec.size = MOST + 1;
  refuse(&spec);
  spec.size = MOST;
  ck_assert_uint_eq(define(&spec)->period, MOST / sizeof(void *));
  spec.size = 0;
  spec.period = (size_t)MOST * 8 + 1;
  refuse(&spec);
  spec.period = SIZE_MAX;
  refuse(&spec);
  spec.period = (size_t)MOST * 8;
  ck_assert_uint_eq(define(&spec)->period, spec.period);
  free(bits);
}
END_TEST

/* The caller may do what it likes with its own afterwards. */
START_TEST(name_and_layout_are_copied)
{
  char name[] = "pair";
  uint64_t bits[2] = {5, 1};
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.name = name;
  spec.size = 65 * 8;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.pointers = bits;
  spec.period = 65;
  const struct kind *kind = define(&spec);
  strcpy(name, "????");
  memset(bits, 0xff, sizeof bits);
  memset(&spec, 0xff, sizeof spec);
  ck_assert_str_eq(kind->name, "pair");
  ck_assert_uint_eq(kind->size, 65 * 8);
  ck_assert_uint_eq(kind->period, 65);
  ck_assert_uint_eq(kind->pointers[0], 5);
  ck_assert_uint_eq(kind->pointers[1], 1);
  ck_assert_uint_eq(kind->repeat, 0);
}
END_TEST

START_TEST(period_says_how_far_the_bitmap_goes)
{
  static const uint64_t ones[2] = {~UINT64_C(0), 0};
  static const uint64_t few[2] = {7, 0};
  static const struct {
    size_t size, period;
    const uint64_t *pointers;
    size_t expected_period;
    uint64_t expected_bits, expected_repeat;
  } layouts[] = {
      {80, 0, ones, 10, 0x3ff, 0}, /* 0: the whole object */
      {80, 3, ones, 3, 7, 0},      /* words beyond it hold no pointers */
      {24, 100, few, 3, 7, 0},     /* empty beyond the object */
      {0, 3, ones, 3, 7, 1},       /* any size: again and again */
      {0, 64, ones, 64, ~UINT64_C(0), 1},
  };
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    dusk_kind_spec spec = DUSK_KIND_INIT;
    spec.scan = DUSK_SCAN_LAYOUT;
    spec.size = layouts[i].size;
    spec.period = layouts[i].period;
    spec.pointers = layouts[i].pointers;
    const struct kind *kind = define(&spec);
    ck_assert_uint_eq(kind->period, layouts[i].expected_period);
    ck_assert_uint_eq(kind->pointers[0], layouts[i].expected_bits);
    ck_assert_uint_eq(kind->repeat, layouts[i].expected_repeat);
  }
}
END_TEST

START_TEST(callback_and_context_are_kept)
{
  int context;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_TRACE;
  spec.trace = trace_nothing;
  spec.context = &context;
  const struct kind *kind = define(&spec);
  ck_assert(kind->trace == trace_nothing);
  ck_assert_ptr_eq(kind->context, &context);
  ck_assert_ptr_null(kind->name);
  ck_assert(kind_is_scanned(&kinds, 2));
}
END_TEST

START_TEST(classes_are_noted_each_for_itself)
{
  struct kind *kind = kind_find(&kinds, DUSK_LEAF);
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c += 3) {
    kind_note_class(kind, c);
    kind_note_class(kind, c);
  }
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++)
    ck_assert_uint_eq(kind->classes[c / 64] >> c % 64 & 1, c % 3 == 0);
}
END_TEST

enum { THREADS = 4 };
static bool defined[DUSK_KINDS_MAX];
static unsigned refused[THREADS];

static void define_until_full(unsigned index)
{
  dusk_kind_spec spec = DUSK_KIND_INIT;
  dusk_kind kind;
  spec.size = index + 1;
  int error;
  while ((error = kind_define(&kinds, &spec, NULL, NULL, &kind)) == 0) {
    if (defined[kind] || kind_find(&kinds, kind)->size != index + 1)
      return; /* and refused[] stays 0 */
    defined[kind] = true;
  }
  refused[index] = error == ENOSPC;
}

START_TEST(threads_define_all_there_can_be)
{
  fixture_threads(THREADS, define_until_full);
  for (unsigned i = 0; i < THREADS; i++)
    ck_assert_uint_eq(refused[i], 1);
  ck_assert_uint_eq(kinds_count(&kinds), DUSK_KINDS_MAX);
  for (unsigned kind = 2; kind < DUSK_KINDS_MAX; kind++)
    ck_assert(defined[kind]);
  dusk_kind_spec spec = DUSK_KIND_INIT;
  dusk_kind kind = 12345;
  ck_assert_int_eq(kind_define(&kinds, &spec, NULL, NULL, &kind), ENOSPC);
  ck_assert_uint_eq(kind, 12345);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("kind");
  TCase *cases = tcase_create("kind");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, leaf_and_conservative_are_there_from_the_beginning);
  tcase_add_test(cases, arguments_that_are_missing_or_unknown);
  tcase_add_test(cases, layouts_that_cannot_be);
  tcase_add_test(cases, layouts_of_a_megabyte_and_beyond);
  tcase_add_test(cases, name_and_layout_are_copied);
  tcase_add_test(cases, period_says_how_far_the_bitmap_goes);
  tcase_add_test(cases, callback_and_context_are_kept);
  tcase_add_test(cases, classes_are_noted_each_for_itself);
  tcase_add_test(cases, threads_define_all_there_can_be);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
