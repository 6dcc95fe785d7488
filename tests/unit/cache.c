/* SPDX-License-Identifier: MIT */
/* Test of mutator/cache.c: runs follow the free slots of a span, both bitmaps
 * learn what they must when they must, and every object is counted. */
#include "unit.h"

#include "fixture.h"
#include "heap/central.h"
#include "mutator/cache.h"
#include "os/clock.h"

#include "dusk/alloc.h"

#include <sched.h>

enum { CLASS = 3, BYTES = 64 }; /* the class used here, and its size */

static struct dusk_heap *heap;
static struct arena *arena;
static struct dusk_thread *mutator;

static void set_up(void)
{
  heap = fixture_open();
  arena = &heap->collector.arena;
  mutator = fixture_attach(heap);
}

static void tear_down(void)
{
  fixture_detach(mutator);
  fixture_close(heap);
}

static struct dusk_run *run(void)
{
  return cache_run(mutator, DUSK_LEAF, CLASS);
}

static struct span *make_span(void)
{
  struct span *span = span_make(arena, DUSK_LEAF, CLASS, mutator->epoch);
  ck_assert_ptr_nonnull(span);
  return span;
}

static size_t granule_of(const struct span *span, uint32_t slot)
{
  return arena_granule(arena, span_slot_address(arena, span, slot));
}

static void take(uint32_t slots)
{
  run()->cursor += (uintptr_t)slots * BYTES;
  ck_assert_uint_le(run()->cursor, run()->limit);
}

static void check_run(const struct span *span, uint32_t from, uint32_t to)
{
  ck_assert_uint_eq(run()->cursor, span_slot_address(arena, span, from));
  ck_assert_uint_eq(run()->limit, span_slot_address(arena, span, to));
}

/* Slots [from, to), and no others, have their bit set. */
static void check_bits(const uint64_t *bits, const struct span *span,
                       uint32_t from, uint32_t to)
{
  for (uint32_t slot = 0; slot < span->slots; slot++)
    ck_assert_msg(bit_test(bits, granule_of(span, slot)) ==
                      (slot >= from && slot < to),
                  "slot %u", slot);
}

static uint64_t counted(void)
{
  struct tally tally = {0};
  cache_read(mutator, &tally);
  ck_assert_uint_eq(tally_objects(&tally),
                    tally.objects[CLASS] + tally.objects[COUNTER_LARGE]);
  return tally_objects(&tally);
}

/* ---- white ---- */

START_TEST(there_is_no_run_at_first)
{
  ck_assert_uint_eq(run()->limit, 0);
  ck_assert_ptr_null(cache_span(mutator, run()));
  ck_assert(!cache_next_run(mutator, DUSK_LEAF, CLASS));
  ck_assert_uint_eq(counted(), 0);
}
END_TEST

START_TEST(a_fresh_span_is_one_run)
{
  struct span *span = make_span();
  ck_assert(cache_adopt(mutator, span));
  check_run(span, 0, span->slots);
  ck_assert_ptr_eq(cache_span(mutator, run()), span);
  ck_assert_uint_eq(span->allocated, span->slots);
  take(span->slots);
  ck_assert_ptr_eq(cache_span(mutator, run()), span);
  ck_assert(!cache_next_run(mutator, DUSK_LEAF, CLASS));
  ck_assert_uint_eq(run()->limit, 0);
  ck_assert_uint_eq(mutator->held, PAGE_NONE);
  ck_assert_int_eq(span_state(span), SPAN_FULL);
  ck_assert_uint_eq(counted(), span->slots);
}
END_TEST

START_TEST(runs_lie_between_what_is_allocated)
{
  struct span *span = make_span();
  static const uint32_t used[] = {0, 1, 5, 9};
  for (int i = 0; i < 4; i++)
    allocated_set(mutator->roles.allocated, granule_of(span, used[i]), 1, 1);
  span->allocated = 4;
  ck_assert(cache_adopt(mutator, span));
  check_run(span, 2, 5);
  take(3);
  ck_assert(cache_next_run(mutator, DUSK_LEAF, CLASS));
  check_run(span, 6, 9);
  take(3);
  ck_assert(cache_next_run(mutator, DUSK_LEAF, CLASS));
  check_run(span, 10, span->slots);
  ck_assert_uint_eq(span->allocated, span->slots);
  ck_assert_uint_eq(counted(), 6);
}
END_TEST

START_TEST(a_span_without_a_free_slot_leaves_at_once)
{
  struct span *span = make_span();
  span->allocated = span->next_slot = span->slots;
  ck_assert(!cache_adopt(mutator, span));
  ck_assert_int_eq(span_state(span), SPAN_FULL);
  ck_assert_uint_eq(mutator->held, PAGE_NONE);
}
END_TEST

START_TEST(white_objects_are_published_when_their_run_is_used_up)
{
  struct span *span = make_span();
  allocated_set(mutator->roles.allocated, granule_of(span, 7), 1, 1);
  ck_assert(cache_adopt(mutator, span));
  take(7);
  check_bits(mutator->roles.allocated, span, 7, 8);
  ck_assert(cache_next_run(mutator, DUSK_LEAF, CLASS));
  check_bits(mutator->roles.allocated, span, 0, 8);
  check_bits(mutator->roles.marks, span, 0, 0);
}
END_TEST

/* ---- black ---- */

START_TEST(turning_black_publishes_what_is_used_and_marks_the_rest)
{
  struct span *span = make_span();
  ck_assert(cache_adopt(mutator, span));
  take(10);
  cache_blacken(mutator);
  check_bits(mutator->roles.allocated, span, 0, 10);
  check_bits(mutator->roles.marks, span, 10, span->slots);
  check_run(span, 10, span->slots);
}
END_TEST

START_TEST(a_black_run_is_marked_when_it_is_taken)
{
  struct span *span = make_span();
  mutator->black = true;
  ck_assert(cache_adopt(mutator, span));
  check_bits(mutator->roles.marks, span, 0, span->slots);
  take(span->slots);
  ck_assert(!cache_next_run(mutator, DUSK_LEAF, CLASS));
  check_bits(mutator->roles.allocated, span, 0, 0);
  mutator->black = false;
}
END_TEST

START_TEST(what_is_dropped_loses_the_marks_of_what_was_not_used)
{
  struct span *span = make_span();
  mutator->black = true;
  ck_assert(cache_adopt(mutator, span));
  take(10);
  cache_drop(mutator);
  check_bits(mutator->roles.marks, span, 0, 10);
  ck_assert_uint_eq(span->allocated, 10);
  ck_assert_int_eq(span_state(span), SPAN_FULL); /* for the census to file */
  ck_assert_uint_eq(run()->limit, 0);
  ck_assert_uint_eq(mutator->held, PAGE_NONE);
  ck_assert_uint_eq(counted(), 10);
  mutator->black = false;
}
END_TEST

/* ---- samples ---- */

/* The next sample falls into this byte of what is taken next. */
static void sample_at(uint64_t gap)
{
  enum { RATE = 1 << 30 };
  ck_assert_int_eq(profile_set_rate(&arena->profile, RATE), 0);
  mutator->sampling = (struct sampling){.rate = RATE, .gap = gap, .state = 1};
}

static void *take_sampled(void)
{
  return cache_take_sampled(mutator, DUSK_LEAF, CLASS);
}

/* The run, as it is inline, ends before the slot; no object fits behind. */
static void check_cut(const struct span *span, uint32_t from, uint32_t to)
{
  ck_assert_uint_eq(run()->cursor, span_slot_address(arena, span, from));
  ck_assert_uint_eq(run()->limit, span_slot_address(arena, span, to) + 1);
}

START_TEST(a_sample_cuts_the_run_before_its_slot)
{
  static const uint32_t slots[] = {0, 1, 10, 127};
  uint32_t slot = slots[_i];
  struct span *span = make_span();
  sample_at(slot * BYTES + BYTES - 1);
  ck_assert(cache_adopt(mutator, span));
  check_cut(span, 0, slot);
  ck_assert_ptr_eq(cache_span(mutator, run()), span);
  ck_assert_uint_eq(counted(), 0);
  ck_assert_uint_eq(span->allocated, span->slots);
  take(slot);
  ck_assert_uint_eq(counted(), slot);
  ck_assert_uint_eq((uintptr_t)take_sampled(),
                    span_slot_address(arena, span, slot));
  check_run(span, slot + 1, span->slots);
  ck_assert_uint_eq(counted(), slot + 1);
  ck_assert_ptr_null(take_sampled());
  take(span->slots - slot - 1);
  ck_assert(!cache_next_run(mutator, DUSK_LEAF, CLASS));
  check_bits(mutator->roles.allocated, span, 0, span->slots);
  ck_assert_uint_eq(counted(), span->slots);
}
END_TEST

START_TEST(a_run_may_be_cut_again_and_again)
{
  struct span *span = make_span();
  ck_assert_int_eq(profile_set_rate(&arena->profile, 1), 0);
  ck_assert(cache_adopt(mutator, span));
  for (uint32_t slot = 0; slot < span->slots; slot++) {
    check_cut(span, slot, slot);
    ck_assert_uint_eq((uintptr_t)take_sampled(),
                      span_slot_address(arena, span, slot));
    ck_assert_uint_eq(counted(), slot + 1);
  }
  ck_assert_ptr_null(take_sampled());
  ck_assert(!cache_next_run(mutator, DUSK_LEAF, CLASS));
}
END_TEST

START_TEST(turning_black_marks_what_is_behind_a_cut_too)
{
  struct span *span = make_span();
  sample_at(20 * BYTES);
  ck_assert(cache_adopt(mutator, span));
  take(10);
  cache_blacken(mutator);
  check_bits(mutator->roles.allocated, span, 0, 10);
  check_bits(mutator->roles.marks, span, 10, span->slots);
  check_cut(span, 10, 20);
}
END_TEST

START_TEST(what_is_dropped_loses_the_marks_behind_a_cut_too)
{
  struct span *span = make_span();
  mutator->black = true;
  sample_at(20 * BYTES);
  ck_assert(cache_adopt(mutator, span));
  check_bits(mutator->roles.marks, span, 0, span->slots);
  take(10 + 10 * (uint32_t)_i); /* before the cut, and at it */
  cache_drop(mutator);
  check_bits(mutator->roles.marks, span, 0, 10 + 10 * (uint32_t)_i);
  ck_assert_uint_eq(span->allocated, 10 + 10 * (uint32_t)_i);
  ck_assert_uint_eq(counted(), 10 + 10 * (uint64_t)_i);
  ck_assert_uint_eq(run()->limit, 0);
  mutator->black = false;
}
END_TEST

START_TEST(who_leaves_with_a_cut_gives_the_span_to_who_comes)
{
  struct span *span = make_span();
  flow_take(&arena->flow, mutator->epoch, (uint64_t)span->slots * BYTES, false);
  sample_at(20 * BYTES);
  ck_assert(cache_adopt(mutator, span));
  take(20);
  cache_leave(mutator);
  check_bits(mutator->roles.allocated, span, 0, 20);
  ck_assert_uint_eq(flow_live(&arena->flow), 20 * BYTES);
  ck_assert_ptr_eq(central_take(arena, DUSK_LEAF, CLASS, mutator->epoch), span);
  ck_assert(cache_adopt(mutator, span));
  check_run(span, 20, span->slots);
}
END_TEST

START_TEST(a_sample_does_not_keep_a_run_from_what_is_allocated)
{
  struct span *span = make_span();
  allocated_set(mutator->roles.allocated, granule_of(span, 7), 1, 1);
  sample_at(6 * BYTES);
  ck_assert(cache_adopt(mutator, span));
  take(6);
  ck_assert_uint_eq((uintptr_t)take_sampled(),
                    span_slot_address(arena, span, 6));
  check_run(span, 7, 7);
  ck_assert_ptr_eq(cache_span(mutator, run()), span);
  ck_assert(cache_next_run(mutator, DUSK_LEAF, CLASS));
  check_run(span, 8, span->slots);
}
END_TEST

START_TEST(each_object_is_handed_out_once_and_counted_when_all_are_sampled)
{
  static uintptr_t last[3];
  ck_assert_int_eq(profile_set_rate(&arena->profile, (uint64_t)_i), 0);
  for (uint64_t made = 0; made < 5000;) {
    uintptr_t object = (uintptr_t)fixture_alloc(mutator, DUSK_LEAF, BYTES);
    ck_assert_uint_ne(object, last[made % 3]);
    last[made % 3] = object;
    ck_assert_uint_eq(counted(), ++made);
  }
  cache_leave(mutator);
  ck_assert_uint_eq(counted(), 5000);
  ck_assert_uint_eq(
      bits_count(mutator->roles.allocated, 0, arena->pages.committed), 5000);
}
END_TEST

/* ---- leaving ---- */

START_TEST(who_leaves_gives_spans_to_who_comes)
{
  struct span *span = make_span();
  flow_take(&arena->flow, mutator->epoch, (uint64_t)span->slots * BYTES, false);
  ck_assert(cache_adopt(mutator, span));
  take(10);
  cache_leave(mutator);
  check_bits(mutator->roles.allocated, span, 0, 10);
  ck_assert_uint_eq(flow_live(&arena->flow), 10 * BYTES);
  ck_assert_int_eq(span_state(span), SPAN_LISTED);
  ck_assert_ptr_eq(central_take(arena, DUSK_LEAF, CLASS, mutator->epoch), span);
  ck_assert(cache_adopt(mutator, span));
  check_run(span, 10, span->slots);
}
END_TEST

/* Its free slots are marked no more; the next thread must get them as they
 * were, and not those before them. */
START_TEST(who_leaves_black_gives_spans_to_who_comes)
{
  struct span *span = make_span();
  mutator->black = true;
  ck_assert(cache_adopt(mutator, span));
  take(10);
  cache_leave(mutator);
  check_bits(mutator->roles.marks, span, 0, 10);
  ck_assert_ptr_eq(central_take(arena, DUSK_LEAF, CLASS, mutator->epoch), span);
  ck_assert(cache_adopt(mutator, span));
  check_run(span, 10, span->slots);
  mutator->black = false;
  cache_drop(mutator);
}
END_TEST

START_TEST(a_span_that_is_used_up_is_given_to_nobody)
{
  struct span *span = make_span();
  ck_assert(cache_adopt(mutator, span));
  take(span->slots);
  cache_leave(mutator);
  ck_assert_int_eq(span_state(span), SPAN_FULL);
  ck_assert_ptr_null(central_take(arena, DUSK_LEAF, CLASS, mutator->epoch));
}
END_TEST

/* All that is behind its last run is allocated: nobody looked there. */
START_TEST(a_span_without_a_free_slot_behind_is_given_to_nobody)
{
  struct span *span = make_span();
  uint32_t first = span->slots - 5;
  allocated_set(mutator->roles.allocated, granule_of(span, first),
                span_stride(span), 5);
  span->allocated = 5;
  ck_assert(cache_adopt(mutator, span));
  check_run(span, 0, first);
  take(first);
  cache_leave(mutator);
  ck_assert_int_eq(span_state(span), SPAN_FULL);
  ck_assert_ptr_null(central_take(arena, DUSK_LEAF, CLASS, mutator->epoch));
}
END_TEST

START_TEST(all_held_spans_go)
{
  struct span *spans[DUSK_SIZE_CLASSES];
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    spans[c] = span_make(arena, DUSK_CONSERVATIVE, (uint8_t)c, mutator->epoch);
    ck_assert_ptr_nonnull(spans[c]);
    ck_assert(cache_adopt(mutator, spans[c]));
  }
  /* One from the middle leaves by itself. */
  struct dusk_run *middle = cache_run(mutator, DUSK_CONSERVATIVE, 30);
  middle->cursor = middle->limit;
  ck_assert(!cache_next_run(mutator, DUSK_CONSERVATIVE, 30));
  cache_drop(mutator);
  for (unsigned c = 0; c < DUSK_SIZE_CLASSES; c++) {
    ck_assert_int_eq(span_state(spans[c]), SPAN_FULL);
    ck_assert_uint_eq(spans[c]->allocated, c == 30 ? spans[c]->slots : 0);
    ck_assert_uint_eq(cache_run(mutator, DUSK_CONSERVATIVE, c)->limit, 0);
  }
  ck_assert_uint_eq(mutator->held, PAGE_NONE);
}
END_TEST

/* ---- counting ---- */

START_TEST(each_object_is_counted_once)
{
  uint64_t made = 0;
  for (int i = 0; i < 5000; i++) {
    fixture_alloc(mutator, DUSK_LEAF, BYTES);
    ck_assert_uint_eq(counted(), ++made);
  }
  cache_leave(mutator);
  ck_assert_uint_eq(counted(), made);
}
END_TEST

START_TEST(large_objects_are_counted_with_their_bytes)
{
  struct tally tally = {0};
  cache_count_large(mutator, 40960);
  cache_count_large(mutator, 8192);
  cache_read(mutator, &tally);
  ck_assert_uint_eq(tally.objects[COUNTER_LARGE], 2);
  ck_assert_uint_eq(tally.large_bytes, 49152);
}
END_TEST

static uint32_t reading; /* atomic */
static uint64_t count_read;

/* The owner changes its run: what it has written of that counts nothing. */
static void change_or_read(unsigned index)
{
  if (index == 1) {
    while (!LOAD_ACQUIRE(&reading))
      sched_yield();
    clock_sleep(5 * 1000 * 1000);
    STORE_RELEASE(&mutator->taken.objects[CLASS], 7);
    STORE_RELEASE(&mutator->version, 2);
  } else {
    STORE_RELEASE(&reading, 1);
    count_read = counted();
  }
}

START_TEST(readers_wait_for_a_run_that_changes)
{
  mutator->version = 1;
  mutator->taken.objects[CLASS] = 1000;
  fixture_threads(2, change_or_read);
  ck_assert_uint_eq(count_read, 7);
}
END_TEST

enum { OBJECTS = 200000 };
static uint32_t finished; /* atomic */
static uint32_t backward; /* atomic */

static void allocate_or_read(unsigned index)
{
  uint64_t seen = 0;
  if (index == 0) {
    for (int i = 0; i < OBJECTS; i++)
      if (!dusk_alloc(mutator, DUSK_LEAF, BYTES))
        abort();
    STORE_RELEASE(&finished, 1);
  }
  while (index != 0 && !LOAD_ACQUIRE(&finished)) {
    struct tally tally = {0};
    cache_read(mutator, &tally);
    uint64_t now = tally_objects(&tally);
    if (now < seen || now > OBJECTS)
      ADD_RELAXED(&backward, 1);
    seen = now;
  }
}

/* Never more than there are, never fewer than before. */
START_TEST(readers_see_a_count_that_grows)
{
  ck_assert_int_eq(profile_set_rate(&arena->profile, (uint64_t)_i), 0);
  fixture_threads(2, allocate_or_read);
  ck_assert_uint_eq(backward, 0);
  ck_assert_uint_eq(counted(), OBJECTS);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("cache");
  TCase *cases = tcase_create("cache");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, there_is_no_run_at_first);
  tcase_add_test(cases, a_fresh_span_is_one_run);
  tcase_add_test(cases, runs_lie_between_what_is_allocated);
  tcase_add_test(cases, a_span_without_a_free_slot_leaves_at_once);
  tcase_add_test(cases, white_objects_are_published_when_their_run_is_used_up);
  tcase_add_test(cases,
                 turning_black_publishes_what_is_used_and_marks_the_rest);
  tcase_add_test(cases, a_black_run_is_marked_when_it_is_taken);
  tcase_add_test(cases, what_is_dropped_loses_the_marks_of_what_was_not_used);
  tcase_add_loop_test(cases, a_sample_cuts_the_run_before_its_slot, 0, 4);
  tcase_add_test(cases, a_run_may_be_cut_again_and_again);
  tcase_add_test(cases, turning_black_marks_what_is_behind_a_cut_too);
  tcase_add_loop_test(cases, what_is_dropped_loses_the_marks_behind_a_cut_too,
                      0, 2);
  tcase_add_test(cases, who_leaves_with_a_cut_gives_the_span_to_who_comes);
  tcase_add_test(cases, a_sample_does_not_keep_a_run_from_what_is_allocated);
  tcase_add_loop_test(
      cases, each_object_is_handed_out_once_and_counted_when_all_are_sampled, 1,
      3);
  tcase_add_test(cases, who_leaves_gives_spans_to_who_comes);
  tcase_add_test(cases, who_leaves_black_gives_spans_to_who_comes);
  tcase_add_test(cases, a_span_that_is_used_up_is_given_to_nobody);
  tcase_add_test(cases, a_span_without_a_free_slot_behind_is_given_to_nobody);
  tcase_add_test(cases, all_held_spans_go);
  tcase_add_test(cases, each_object_is_counted_once);
  tcase_add_test(cases, large_objects_are_counted_with_their_bytes);
  tcase_add_test(cases, readers_wait_for_a_run_that_changes);
  tcase_add_loop_test(cases, readers_see_a_count_that_grows, 0, 2);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
