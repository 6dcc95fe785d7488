/* SPDX-License-Identifier: MIT */
/* Test of heap/recount.c and collect/revive.c: what is allocated in the child
 * of a fork, state by state.  No fork is needed: the test is the one thread
 * that is left, and the others are records that nobody runs. */
#include "unit.h"

#include "fixture.h"
#include "collect/census.h"
#include "collect/revive.h"
#include "collect/worker.h"
#include "heap/freed.h"
#include "heap/recount.h"
#include "heap/scavenge.h"
#include "mutator/cache.h"
#include "mutator/poll.h"

#include <string.h>

static struct dusk_heap *heap;
static struct collector *collector;
static struct arena *arena;
static struct dusk_thread *own;
static struct dusk_thread *other; /* vanishes */

static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  arena = &collector->arena;
  own = fixture_attach(heap);
  other = fixture_attach(heap);
  memset(&other->self, 0xff, sizeof other->self);
}

static void tear_down(void)
{
  fixture_detach(own);
  fixture_close(heap);
}

static void vanish_in(enum phase phase)
{
  STORE_RELAXED(&collector->phase, phase);
  revive_heap(heap);
  ck_assert_ptr_eq(collector->registry.first, own);
  ck_assert_uint_eq(collector_phase(collector), PHASE_IDLE);
}

static uint64_t objects_now(void)
{
  struct tally taken = {0};
  tally_fold(&taken, &collector->registry.left);
  for (struct dusk_thread *t = collector->registry.first; t; t = t->next)
    cache_read(t, &taken);
  return tally_objects(&taken) - tally_objects(&collector->freed);
}

static uint64_t allocated_bits(void)
{
  struct roles roles = own->roles;
  return bits_count(roles.allocated, 0, arena->pages.committed);
}

static uint64_t marks(void)
{
  struct roles roles = own->roles;
  return bits_count(roles.marks, 0, arena->pages.committed);
}

/* Whatever was, these hold of a heap that nobody uses. */
static void check_rest(void)
{
  ck_assert_uint_eq(marks(), 0);
  ck_assert_uint_eq(objects_now(), allocated_bits());
  ck_assert_uint_eq(own->epoch, collector->registry.joining.epoch);
  ck_assert(!own->abi.barrier && !own->black && !own->scanned);
  ck_assert_uint_eq(own->served, collector->registry.round);
  ck_assert_uint_eq(collector->begun, collector->finished);
  ck_assert(grey_is_empty(&collector->grey));
  ck_assert_uint_eq(collector->pacing.pacer.triggered, PACER_NO_TRIGGER);
}

/* A whole cycle in which nothing is reached but these. */
static void collect(void *const *kept, size_t count)
{
  fixture_begin_marking(heap);
  struct roles roles = own->roles;
  for (size_t i = 0; i < count; i++)
    ck_assert(marks_win(roles.marks, arena_granule(arena, (uintptr_t)kept[i])));
  fixture_handshake(heap, HANDSHAKE_4);
  census_run(collector, own->epoch);
}

/* ---- phases ---- */

START_TEST(between_cycles_what_caches_hold_is_kept)
{
  void *mine = fixture_alloc(own, DUSK_LEAF, 48);
  void *theirs = fixture_alloc(other, DUSK_LEAF, 48);
  void *large = fixture_alloc(other, DUSK_LEAF, 100000);
  vanish_in(PHASE_IDLE);
  ck_assert(fixture_is_allocated(heap, mine));
  ck_assert(fixture_is_allocated(heap, theirs));
  ck_assert(fixture_is_allocated(heap, large));
  check_rest();
  void *kept[] = {mine, theirs};
  collect(kept, 2);
  ck_assert_uint_eq(allocated_bits(), 2);
  ck_assert_uint_eq(objects_now(), 2);
}
END_TEST

START_TEST(a_cycle_that_begins_has_never_been)
{
  void *old = fixture_alloc(other, DUSK_LEAF, 48);
  collect(&old, 1);
  uint32_t epoch = own->epoch;
  void *young = fixture_alloc(other, DUSK_LEAF, 48);
  fixture_handshake(heap, HANDSHAKE_1);
  collector->begun++;
  void *younger = fixture_alloc(other, DUSK_LEAF, 48);
  vanish_in(PHASE_START);
  ck_assert(fixture_is_allocated(heap, old));
  ck_assert(fixture_is_allocated(heap, young));
  ck_assert(fixture_is_allocated(heap, younger));
  ck_assert_uint_eq(own->epoch, epoch);
  check_rest();
}
END_TEST

START_TEST(while_marking_white_and_black_count)
{
  void *white = fixture_alloc(other, DUSK_LEAF, 48);
  fixture_begin_marking(heap);
  collector->begun++;
  void *black = fixture_alloc(other, DUSK_LEAF, 64);
  void *large = fixture_alloc(own, DUSK_LEAF, 100000);
  vanish_in(PHASE_MARK);
  ck_assert(fixture_is_allocated(heap, white));
  ck_assert(fixture_is_allocated(heap, black));
  ck_assert(fixture_is_allocated(heap, large));
  check_rest();
}
END_TEST

/* One has served H4 and allocates in the next epoch, the other has not. */
START_TEST(while_barriers_go_off_both_epochs_count)
{
  void *white = fixture_alloc(other, DUSK_LEAF, 48);
  fixture_begin_marking(heap);
  uint32_t epoch = own->epoch;
  handshake_post(collector, HANDSHAKE_4, epoch);
  poll_serve(other);
  ck_assert_uint_eq(other->epoch, epoch + 1);
  void *next = fixture_alloc(other, DUSK_LEAF, 48);
  void *large = fixture_alloc(other, DUSK_LEAF, 100000);
  void *black = cache_run(own, DUSK_LEAF, dusk_size_class(48))->limit
                    ? fixture_alloc(own, DUSK_LEAF, 48)
                    : NULL;
  vanish_in(PHASE_END);
  ck_assert_uint_eq(own->epoch, epoch);
  ck_assert(fixture_is_allocated(heap, white));
  ck_assert(fixture_is_allocated(heap, next));
  ck_assert(fixture_is_allocated(heap, large));
  ck_assert(!black || fixture_is_allocated(heap, black));
  check_rest();
}
END_TEST

/* What a census that has begun did not come to is freed: of what it freed
 * already others may be made. */
START_TEST(a_census_is_completed)
{
  void *dead = fixture_alloc(other, DUSK_LEAF, 48);
  void *kept = fixture_alloc(other, DUSK_LEAF, 64);
  void *large = fixture_alloc(other, DUSK_LEAF, 100000);
  void *large_kept = fixture_alloc(other, DUSK_LEAF, 100000);
  fixture_begin_marking(heap);
  uint32_t epoch = own->epoch;
  struct roles roles = own->roles;
  marks_win(roles.marks, arena_granule(arena, (uintptr_t)kept));
  marks_win(roles.marks, arena_granule(arena, (uintptr_t)large_kept));
  fixture_handshake(heap, HANDSHAKE_4);
  void *young = fixture_alloc(other, DUSK_LEAF, 128);
  collector->begun++;
  vanish_in(PHASE_CENSUS);
  ck_assert_uint_eq(own->epoch, epoch + 1);
  ck_assert_uint_eq(collector->finished, collector->begun);
  ck_assert(!fixture_is_allocated(heap, dead));
  ck_assert(!fixture_is_allocated(heap, large));
  ck_assert(fixture_is_allocated(heap, kept));
  ck_assert(fixture_is_allocated(heap, large_kept));
  ck_assert(fixture_is_allocated(heap, young));
  check_rest();
}
END_TEST

/* DUSK_DEBUG=poison: as the census would have filled what it had not come to. */
START_TEST(a_careful_census_is_completed_with_care)
{
  arena->careful = arena->poison = true;
  uint64_t *dead = fixture_alloc(other, DUSK_LEAF, 48);
  uint64_t *kept = fixture_alloc(other, DUSK_LEAF, 48);
  fixture_begin_marking(heap);
  marks_win(own->roles.marks, arena_granule(arena, (uintptr_t)kept));
  fixture_handshake(heap, HANDSHAKE_4);
  collector->begun++;
  vanish_in(PHASE_CENSUS);
  ck_assert_uint_eq(dead[0], FREED_WORD);
  ck_assert_uint_eq(dead[5], FREED_WORD);
  ck_assert_uint_eq(kept[0], 0);
  check_rest();
}
END_TEST

/* ---- in the middle of something ---- */

START_TEST(a_span_that_nobody_published_is_free)
{
  fixture_alloc(own, DUSK_LEAF, 48);
  uint64_t before = pages_read(arena).in_use;
  struct span *span = span_make_large(arena, DUSK_LEAF, 100000, own->epoch);
  ck_assert_ptr_nonnull(span);
  size_t granule = span_first_granule(arena, span);
  allocated_set(own->roles.allocated, granule, 1, 1);
  arena->info[arena_span_page(arena, span)] = 1;
  vanish_in(PHASE_IDLE);
  ck_assert_uint_eq(pages_read(arena).in_use, before);
  ck_assert(!bit_test(own->roles.allocated, granule));
  ck_assert_uint_eq(arena->info[arena_span_page(arena, span)], 0);
  check_rest();
}
END_TEST

START_TEST(a_span_that_nobody_has_used_is_free)
{
  struct span *span = span_make(arena, DUSK_LEAF, 3, own->epoch);
  ck_assert_ptr_nonnull(span);
  vanish_in(PHASE_IDLE);
  ck_assert_uint_eq(pages_read(arena).in_use, 0);
  check_rest();
}
END_TEST

START_TEST(a_service_that_nobody_finished_does_no_harm)
{
  void *mine = fixture_alloc(own, DUSK_LEAF, 48);
  STORE_RELAXED(&own->state, THREAD_SERVED);
  own->version++;
  own->black = true;
  own->held = 7;
  own->log->count = 3;
  vanish_in(PHASE_START);
  ck_assert_uint_eq(thread_state(own), THREAD_OUTSIDE);
  ck_assert_uint_eq(collector->registry.outside, 1);
  ck_assert(fixture_is_allocated(heap, mine));
  check_rest();
  poll_come_back(own);
  ck_assert_ptr_ne(fixture_alloc(own, DUSK_LEAF, 48), mine);
}
END_TEST

START_TEST(memory_that_somebody_was_returning_comes_back)
{
  void *large = fixture_alloc(own, DUSK_LEAF, 100000);
  uint32_t page = arena_page_of(arena, (uintptr_t)large);
  collect(NULL, 0);
  uint32_t pages = arena->pages.frontier;
  lock_acquire(&arena->pages.lock);
  pages_claim_locked(arena, page, 4);
  lock_release(&arena->pages.lock);
  vanish_in(PHASE_IDLE);
  ck_assert_uint_eq(arena->pages.claims, 0);
  bool needs_zero = false;
  ck_assert_uint_eq(pages_take(arena, pages - 1, &needs_zero), 1);
  ck_assert(needs_zero);
}
END_TEST

START_TEST(what_is_free_and_clean_stays_clean)
{
  fixture_alloc(own, DUSK_LEAF, 100000);
  collect(NULL, 0);
  ck_assert_uint_gt(scavenge_all(arena), 0);
  uint64_t released = pages_read(arena).released;
  vanish_in(PHASE_IDLE);
  ck_assert_uint_eq(pages_read(arena).released, released);
  ck_assert_uint_eq(arena->pages.idle_dirty, 0);
}
END_TEST

/* ---- threads ---- */

START_TEST(other_threads_records_are_used_again)
{
  uint64_t caches = collector->registry.caches;
  fixture_alloc(other, DUSK_LEAF, 48);
  vanish_in(PHASE_IDLE);
  ck_assert_uint_eq(thread_state(other), THREAD_DETACHED);
  ck_assert_uint_eq(collector->registry.attached, 1);
  ck_assert_ptr_eq(registry_make(&collector->registry), other);
  ck_assert_uint_eq(other->abi.rows[DUSK_LEAF].runs[dusk_size_class(48)].limit,
                    0);
  ck_assert_uint_eq(collector->registry.caches, caches);
  registry_spare(&collector->registry, other);
}
END_TEST

START_TEST(a_record_that_was_in_nobodys_list_is_found)
{
  struct dusk_thread *made = registry_make(&collector->registry);
  ck_assert_ptr_nonnull(made);
  vanish_in(PHASE_IDLE);
  struct dusk_thread *first = registry_make(&collector->registry);
  struct dusk_thread *second = registry_make(&collector->registry);
  ck_assert((first == made && second == other) ||
            (first == other && second == made));
  registry_spare(&collector->registry, first);
  registry_spare(&collector->registry, second);
}
END_TEST

START_TEST(without_memory_to_return_records_are_cleared)
{
  fixture_alloc(other, DUSK_LEAF, 48);
  fixture_vm_begin();
  fixture_vm.refuse_release = true;
  vanish_in(PHASE_IDLE);
  fixture_vm_end();
  ck_assert_uint_eq(thread_state(other), THREAD_DETACHED);
  ck_assert_uint_eq(other->held, PAGE_NONE);
}
END_TEST

/* ---- all at once ---- */

enum { OBJECTS = 4000 };

/* Random objects by two threads over some cycles; after the fork exactly what
 * is kept is left by the next cycle. */
START_TEST(a_heap_of_everything)
{
  static void *objects[OBJECTS];
  for (int round = 0; round < 4; round++) {
    size_t count = 0;
    for (int i = 0; i < OBJECTS; i++) {
      size_t bytes = fixture_random(30) ? fixture_random(3000) : 40000;
      struct dusk_thread *thread = other && fixture_random(2) ? other : own;
      void *object = fixture_alloc(thread, DUSK_LEAF, bytes);
      if (fixture_random(4) == 0)
        objects[count++] = object;
      if (i == OBJECTS / 2 && round % 2)
        fixture_begin_marking(heap);
    }
    if (round % 2) {
      vanish_in(PHASE_MARK);
      other = NULL;
      check_rest();
    }
    for (size_t i = 0; i < count; i++)
      if (round % 2)
        ck_assert(fixture_is_allocated(heap, objects[i]));
    collect(objects, count);
    ck_assert_uint_eq(allocated_bits(), count);
    ck_assert_uint_eq(objects_now(), count);
  }
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("recount");
  TCase *tests = tcase_create("recount");
  tcase_add_checked_fixture(tests, set_up, tear_down);
  tcase_add_test(tests, between_cycles_what_caches_hold_is_kept);
  tcase_add_test(tests, a_cycle_that_begins_has_never_been);
  tcase_add_test(tests, while_marking_white_and_black_count);
  tcase_add_test(tests, while_barriers_go_off_both_epochs_count);
  tcase_add_test(tests, a_census_is_completed);
  tcase_add_test(tests, a_careful_census_is_completed_with_care);
  tcase_add_test(tests, a_span_that_nobody_published_is_free);
  tcase_add_test(tests, a_span_that_nobody_has_used_is_free);
  tcase_add_test(tests, a_service_that_nobody_finished_does_no_harm);
  tcase_add_test(tests, memory_that_somebody_was_returning_comes_back);
  tcase_add_test(tests, what_is_free_and_clean_stays_clean);
  tcase_add_test(tests, other_threads_records_are_used_again);
  tcase_add_test(tests, a_record_that_was_in_nobodys_list_is_found);
  tcase_add_test(tests, without_memory_to_return_records_are_cleared);
  tcase_add_test(tests, a_heap_of_everything);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
