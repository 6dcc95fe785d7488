/* SPDX-License-Identifier: MIT */
/* Test of collect/census.c: what is left, to the object and to the byte, and
 * where spans and pages go. */
#include "unit.h"

#include "fixture.h"
#include "collect/census.h"
#include "heap/central.h"

static struct dusk_heap *heap;
static struct collector *collector;
static struct arena *arena;
static struct dusk_thread *mutator;
static struct census census;

static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  arena = &collector->arena;
  mutator = fixture_attach(heap);
}

static void tear_down(void)
{
  fixture_detach(mutator);
  fixture_close(heap);
}

/* A cycle in which exactly these objects are reached. */
static void collect(void *const *kept, size_t count)
{
  fixture_begin_marking(heap);
  struct roles roles = mutator->roles;
  for (size_t i = 0; i < count; i++)
    ck_assert(marks_win(roles.marks, arena_granule(arena, (uintptr_t)kept[i])));
  fixture_handshake(heap, HANDSHAKE_4);
  census = census_run(collector, mutator->epoch);
}

static struct span *span_of(const void *object)
{
  struct object found;
  ck_assert(object_find(arena, (uintptr_t)object, &found));
  return found.span;
}

static bool is_free(const void *object)
{
  return arena->info[arena_page_of(arena, (uintptr_t)object)] == 0;
}

/* ---- counting ---- */

START_TEST(an_empty_heap)
{
  collect(NULL, 0);
  ck_assert_uint_eq(census.live, 0);
  ck_assert_uint_eq(census.spans, 0);
  ck_assert_uint_eq(flow_live(&arena->flow), 0);
}
END_TEST

enum { OBJECTS = 3000, CLASSES = 9 };

/* Random objects of many classes, of which some are kept. */
START_TEST(bytes_and_objects_are_counted)
{
  static void *kept[OBJECTS];
  size_t count = 0;
  uint64_t live = 0, live_scan = 0;
  struct tally freed = {0};
  for (int i = 0; i < OBJECTS; i++) {
    dusk_kind kind = fixture_random(2) ? DUSK_LEAF : DUSK_CONSERVATIVE;
    size_t bytes = fixture_random(30) ? fixture_random(3000) : 40000;
    void *object = fixture_alloc(mutator, kind, bytes);
    bool large = bytes > DUSK_SMALL_MAX;
    size_t size = large ? 5 * PAGE_BYTES : dusk_round_size(bytes);
    if (fixture_random(3) == 0) {
      kept[count++] = object;
      live += size;
      live_scan += kind == DUSK_CONSERVATIVE ? size : 0;
    } else {
      tally_add(&freed,
                large ? (unsigned)COUNTER_LARGE : dusk_size_class(bytes), 1,
                large ? size : 0);
    }
  }
  collect(kept, count);
  ck_assert_uint_eq(census.live, live);
  ck_assert_uint_eq(census.live_scan, live_scan);
  ck_assert_uint_eq(flow_live(&arena->flow), live);
  ck_assert_uint_eq(flow_scannable(&arena->flow), live_scan);
  ck_assert_mem_eq(&collector->freed, &freed, sizeof freed);
}
END_TEST

START_TEST(objects_that_were_born_black_are_left)
{
  fixture_begin_marking(heap);
  void *small = fixture_alloc(mutator, DUSK_LEAF, 100);
  void *large = fixture_alloc(mutator, DUSK_LEAF, 100000);
  fixture_handshake(heap, HANDSHAKE_4);
  census = census_run(collector, mutator->epoch);
  ck_assert_uint_eq(census.live, 112 + 13 * PAGE_BYTES);
  ck_assert(fixture_is_allocated(heap, small));
  ck_assert(fixture_is_allocated(heap, large));
  ck_assert(!fixture_is_marked(heap, small));
}
END_TEST

/* ---- bitmaps ---- */

START_TEST(what_was_marked_is_allocated_and_all_is_white)
{
  void *objects[200];
  for (int i = 0; i < 200; i++)
    objects[i] = fixture_alloc(mutator, DUSK_LEAF, 48);
  collect(objects, 100);
  for (int i = 0; i < 200; i++) {
    ck_assert(fixture_is_allocated(heap, objects[i]) == (i < 100));
    ck_assert(!fixture_is_marked(heap, objects[i]));
  }
  collect(objects, 50);
  for (int i = 0; i < 200; i++)
    ck_assert(fixture_is_allocated(heap, objects[i]) == (i < 50));
  ck_assert_uint_eq(census.live, 50 * 48);
  ck_assert_uint_eq(tally_objects(&collector->freed), 150);
}
END_TEST

/* ---- spans ---- */

START_TEST(a_span_with_free_slots_is_listed_for_the_new_epoch)
{
  void *object = fixture_alloc(mutator, DUSK_LEAF, 64);
  struct span *span = span_of(object);
  fixture_alloc(mutator, DUSK_LEAF, 64);
  collect(&object, 1);
  ck_assert_int_eq(span_state(span), SPAN_LISTED);
  ck_assert_uint_eq(span->epoch, mutator->epoch);
  ck_assert_uint_eq(span->allocated, 1);
  ck_assert_uint_eq(span->next_slot, 0);
  ck_assert(span->needs_zero);
  ck_assert_ptr_eq(
      central_take(arena, DUSK_LEAF, dusk_size_class(64), mutator->epoch),
      span);
}
END_TEST

START_TEST(a_full_span_is_listed_nowhere)
{
  static void *objects[PAGE_BYTES / 512];
  uint32_t slots = arena->classes[dusk_size_class(512)].slots;
  for (uint32_t i = 0; i < slots; i++)
    objects[i] = fixture_alloc(mutator, DUSK_LEAF, 512);
  struct span *span = span_of(objects[0]);
  ck_assert_ptr_eq(span_of(objects[slots - 1]), span);
  collect(objects, slots);
  ck_assert_int_eq(span_state(span), SPAN_FULL);
  ck_assert_uint_eq(span->allocated, slots);
  ck_assert_ptr_null(
      central_take(arena, DUSK_LEAF, dusk_size_class(512), mutator->epoch));
  collect(objects, slots - 1);
  ck_assert_int_eq(span_state(span), SPAN_LISTED);
}
END_TEST

START_TEST(a_free_slot_is_handed_out_again_and_a_live_one_is_not)
{
  static char *objects[PAGE_BYTES / 32];
  static void *kept[PAGE_BYTES / 32];
  uint32_t slots = arena->classes[dusk_size_class(32)].slots;
  for (uint32_t i = 0; i < slots; i++) {
    objects[i] = fixture_alloc(mutator, DUSK_LEAF, 32);
    objects[i][5] = 1;
    if (i % 2)
      kept[i / 2] = objects[i];
  }
  collect(kept, slots / 2);
  for (uint32_t i = 0; i < slots; i += 2) {
    char *object = fixture_alloc(mutator, DUSK_LEAF, 32);
    ck_assert_ptr_eq(object, objects[i]);
    ck_assert_int_eq(object[5], 0);
    ck_assert_int_eq(objects[i + 1][5], 1);
  }
}
END_TEST

START_TEST(large_objects)
{
  void *kept = fixture_alloc(mutator, DUSK_LEAF, 5 * PAGE_BYTES);
  void *dropped = fixture_alloc(mutator, DUSK_CONSERVATIVE, 7 * PAGE_BYTES);
  collect(&kept, 1);
  ck_assert_int_eq(span_state(span_of(kept)), SPAN_LARGE);
  ck_assert(is_free(dropped));
  ck_assert_uint_eq(census.spans, 2);
  ck_assert_uint_eq(census.freed, 1);
  ck_assert_uint_eq(census.live, 5 * PAGE_BYTES);
  ck_assert_uint_eq(census.live_scan, 0);
  ck_assert_uint_eq(collector->freed.objects[COUNTER_LARGE], 1);
  ck_assert_uint_eq(collector->freed.large_bytes, 7 * PAGE_BYTES);
}
END_TEST

/* Threads that have served H4 go on while the census counts. */
START_TEST(spans_of_the_new_epoch_are_passed_over)
{
  fixture_alloc(mutator, DUSK_LEAF, 64);
  fixture_begin_marking(heap);
  fixture_handshake(heap, HANDSHAKE_4);
  void *small = fixture_alloc(mutator, DUSK_CONSERVATIVE, 128);
  void *large = fixture_alloc(mutator, DUSK_LEAF, 40000);
  uint64_t taken = arena->flow.taken[mutator->epoch & 1];
  ck_assert_uint_ge(taken, 40000 + 128);
  census = census_run(collector, mutator->epoch);
  ck_assert_uint_eq(census.spans, 1);
  ck_assert_uint_eq(census.live, 0);
  ck_assert_int_eq(span_state(span_of(small)), SPAN_CACHED);
  ck_assert_int_eq(span_state(span_of(large)), SPAN_LARGE);
  ck_assert(fixture_is_allocated(heap, large));
  ck_assert_uint_eq(flow_live(&arena->flow), taken);
}
END_TEST

/* ---- pages ---- */

START_TEST(an_empty_span_is_taken_out_of_all_look_ups)
{
  struct object found;
  void *object = fixture_alloc(mutator, DUSK_LEAF, 64);
  uint32_t page = arena_page_of(arena, (uintptr_t)object);
  collect(NULL, 0);
  ck_assert_uint_eq(census.freed, 1);
  ck_assert(is_free(object));
  ck_assert(!object_find(arena, (uintptr_t)object, &found));
  ck_assert_uint_eq(arena_next_head(arena, 1), PAGE_NONE);
  for (int role = 0; role < 2; role++)
    ck_assert_uint_eq(bits_count(arena->marks[role], page, 1), 0);
  ck_assert_uint_eq(pages_read(arena).in_use, 0);
}
END_TEST

/* Freed pages side by side are one extent, whatever spans they were. */
START_TEST(neighbours_are_given_back_together)
{
  void *objects[CLASSES];
  uint32_t pages[CLASSES];
  for (int i = 0; i < CLASSES; i++) {
    size_t bytes = i % 2 ? (size_t)64 << i : (size_t)9 * PAGE_BYTES;
    objects[i] = fixture_alloc(mutator, DUSK_LEAF, bytes);
    pages[i] = span_of(objects[i])->pages;
  }
  void *kept[] = {objects[2], objects[7]};
  collect(kept, 2);
  ck_assert_uint_eq(census.freed, CLASSES - 2);
  uint32_t between = pages[3] + pages[4] + pages[5] + pages[6];
  uint32_t first = arena_page_of(arena, (uintptr_t)objects[3]);
  ck_assert_int_eq(span_state(&arena->spans[first]), SPAN_FREE);
  ck_assert_uint_eq(arena->spans[first].pages, between);
  ck_assert_uint_eq(pages_read(arena).in_use,
                    (uint64_t)(pages[2] + pages[7]) * PAGE_BYTES);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("census");
  TCase *cases = tcase_create("census");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, an_empty_heap);
  tcase_add_test(cases, bytes_and_objects_are_counted);
  tcase_add_test(cases, objects_that_were_born_black_are_left);
  tcase_add_test(cases, what_was_marked_is_allocated_and_all_is_white);
  tcase_add_test(cases, a_span_with_free_slots_is_listed_for_the_new_epoch);
  tcase_add_test(cases, a_full_span_is_listed_nowhere);
  tcase_add_test(cases, a_free_slot_is_handed_out_again_and_a_live_one_is_not);
  tcase_add_test(cases, large_objects);
  tcase_add_test(cases, spans_of_the_new_epoch_are_passed_over);
  tcase_add_test(cases, an_empty_span_is_taken_out_of_all_look_ups);
  tcase_add_test(cases, neighbours_are_given_back_together);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
