/* SPDX-License-Identifier: MIT */
/* Tests of heap/freed: what dead objects hold, and pages that nobody touches
 * again. */
#include "collect/careful.h"
#include "collect/census.h"
#include "heap/freed.h"
#include "heap/heapcheck.h"
#include "os/vm.h"

#include "tests/unit/fixture.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>

static struct dusk_heap *heap;
static struct arena *arena;
static struct dusk_thread *mutator;

static void open_with(struct debug_options debug)
{
  heap = fixture_open();
  arena = &heap->collector.arena;
  careful_open(arena, &debug);
  mutator = fixture_attach(heap);
}

static void close_heap(void)
{
  fixture_detach(mutator);
  fixture_close(heap);
}

/* A cycle in which exactly this object is reached. */
static void collect(const void *kept)
{
  fixture_begin_marking(heap);
  bool won =
      marks_win(mutator->roles.marks, arena_granule(arena, (uintptr_t)kept));
  ck_assert(won);
  fixture_handshake(heap, HANDSHAKE_4);
  census_run(&heap->collector, mutator->epoch);
  heapcheck_walk(arena, mutator->epoch, 0);
}

static bool all_words_are(const void *object, size_t bytes, uint64_t word)
{
  for (size_t i = 0; i < bytes / sizeof word; i++)
    if (((const uint64_t *)object)[i] != word)
      return false;
  return true;
}

START_TEST(the_dead_are_filled_and_the_living_are_not)
{
  open_with((struct debug_options){.poison = 1});
  uint64_t *kept = fixture_alloc(mutator, DUSK_LEAF, 80);
  uint64_t *dead = fixture_alloc(mutator, DUSK_LEAF, 80);
  uint64_t *large = fixture_alloc(mutator, DUSK_LEAF, 50000);
  kept[3] = 77;
  collect(kept);
  ck_assert(all_words_are(dead, 80, FREED_WORD));
  ck_assert(all_words_are(large, 50000, FREED_WORD));
  ck_assert_uint_eq(kept[3], 77);
  close_heap();
}
END_TEST

START_TEST(new_objects_are_zero)
{
  open_with((struct debug_options){.poison = 1});
  uint64_t *kept = fixture_alloc(mutator, DUSK_LEAF, 80);
  uint64_t *dead = fixture_alloc(mutator, DUSK_LEAF, 80);
  uint64_t *large = fixture_alloc(mutator, DUSK_LEAF, 50000);
  collect(kept);
  uint64_t *next = fixture_alloc(mutator, DUSK_LEAF, 80);
  ck_assert_ptr_eq(next, dead);
  ck_assert(all_words_are(next, 80, 0));
  next = fixture_alloc(mutator, DUSK_LEAF, 50000);
  ck_assert_ptr_eq(next, large);
  ck_assert(all_words_are(next, 50000, 0));
  close_heap();
}
END_TEST

/* Slots that no object has had since the last census keep what they hold. */
START_TEST(what_was_free_before_is_not_filled_again)
{
  open_with((struct debug_options){.poison = 1});
  void *kept = fixture_alloc(mutator, DUSK_LEAF, 80);
  uint64_t *dead = fixture_alloc(mutator, DUSK_LEAF, 80);
  collect(kept);
  dead[0] = 5;
  collect(kept);
  ck_assert_uint_eq(dead[0], 5);
  close_heap();
}
END_TEST

START_TEST(behind_the_fence_nothing_is_used_twice)
{
  open_with((struct debug_options){.efence = 1});
  uint64_t *kept = fixture_alloc(mutator, DUSK_LEAF, 16);
  char *last = (char *)kept;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 50; i++) {
      char *next = fixture_alloc(mutator, DUSK_LEAF, i == 0 ? 20000 : 16);
      ck_assert(next > last);
      ck_assert_uint_eq((uintptr_t)next % PAGE_BYTES, 0);
      last = next;
    }
    *kept = 7;
    collect(kept);
    ck_assert_uint_eq(*kept, 7);
    ck_assert_uint_eq(arena->pages.in_use, 1);
  }
  close_heap();
}
END_TEST

START_TEST(an_object_behind_the_fence_may_be_empty)
{
  open_with((struct debug_options){.efence = 1});
  char *one = fixture_alloc(mutator, DUSK_LEAF, 0);
  char *two = fixture_alloc(mutator, DUSK_LEAF, 0);
  ck_assert_ptr_ne(one, two);
  close_heap();
}
END_TEST

START_TEST(who_looks_behind_the_fence_is_stopped)
{
  open_with((struct debug_options){.efence = 1});
  void *kept = fixture_alloc(mutator, DUSK_LEAF, 16);
  volatile uint64_t *dead = fixture_alloc(mutator, DUSK_LEAF, 16);
  collect(kept);
  signal(SIGSEGV, SIG_DFL); /* not a sanitizer's */
  (void)*dead;
}
END_TEST

/* A fence that the system refuses is a line, and the old page is filled. */
static int refuse(void *start, size_t bytes)
{
  (void)start;
  (void)bytes;
  return -1;
}

START_TEST(without_a_fence_there_is_a_filling)
{
  open_with((struct debug_options){.efence = 1});
  void *kept = fixture_alloc(mutator, DUSK_LEAF, 16);
  void *dead = fixture_alloc(mutator, DUSK_LEAF, 16);
  vm_system.close = refuse;
  fixture_stderr_begin();
  collect(kept);
  fixture_alloc(mutator, DUSK_LEAF, 16);
  collect(kept);
  const char *said = fixture_stderr_end();
  ck_assert(strstr(said, "efence: the system refuses to close more pages"));
  ck_assert_ptr_null(strchr(strchr(said, '\n') + 1, '\n'));
  if (!arena->watched)
    ck_assert(all_words_are(dead, 16, FREED_WORD));
  close_heap();
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("freed");
  TCase *tests = tcase_create("freed");
  tcase_add_test(tests, the_dead_are_filled_and_the_living_are_not);
  tcase_add_test(tests, new_objects_are_zero);
  tcase_add_test(tests, what_was_free_before_is_not_filled_again);
  tcase_add_test(tests, behind_the_fence_nothing_is_used_twice);
  tcase_add_test(tests, an_object_behind_the_fence_may_be_empty);
  tcase_add_test_raise_signal(tests, who_looks_behind_the_fence_is_stopped,
                              SIGSEGV);
  tcase_add_test(tests, without_a_fence_there_is_a_filling);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
