/* SPDX-License-Identifier: MIT */
/* Tests of heap/heapcheck: a sound heap passes, and each kind of corruption is
 * found and named. */
#include "collect/census.h"
#include "heap/central.h"
#include "heap/heapcheck.h"
#include "heap/scavenge.h"

#include "tests/unit/fixture.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct dusk_heap *heap;
static struct arena *arena;
static struct dusk_thread *mutator;

enum { OBJECTS = 4000 };

/* One of each. */
static struct {
  void *large;  /* objects */
  void *full;   /* in a span without free slots */
  void *listed; /* in a span with some */
  void *cached; /* in the mutator's */
} sample;

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

static struct span *span_of(const void *object)
{
  struct object found;
  ck_assert(object_find(arena, (uintptr_t)object, &found));
  return found.span;
}

static uint32_t page_of(const void *object)
{
  return arena_span_page(arena, span_of(object));
}

static void keep(const void *object)
{
  bool won =
      marks_win(mutator->roles.marks, arena_granule(arena, (uintptr_t)object));
  ck_assert(won);
}

/* A heap after a cycle: spans of all states, and free extents between. */
static void fill(void)
{
  static void *kept[OBJECTS];
  static void *large[20];
  for (int i = 0; i < OBJECTS; i++)
    kept[i] = fixture_alloc(mutator, DUSK_LEAF, 512);
  for (int i = 0; i < 20; i++)
    large[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 100000);
  fixture_begin_marking(heap);
  for (int i = 0; i < 1000; i++)
    keep(kept[i]);
  for (int i = 1000; i < 2000; i += 3)
    keep(kept[i]);
  for (int i = 0; i < 20; i += 2)
    keep(large[i]);
  fixture_handshake(heap, HANDSHAKE_4);
  census_run(&heap->collector, mutator->epoch);
  sample.large = large[10];
  sample.full = kept[500];
  sample.listed = kept[1501 + 1];
  sample.cached = fixture_alloc(mutator, DUSK_CONSERVATIVE, 64);
  ck_assert_int_eq(span_state(span_of(sample.large)), SPAN_LARGE);
  ck_assert_int_eq(span_state(span_of(sample.full)), SPAN_FULL);
  ck_assert_int_eq(span_state(span_of(sample.listed)), SPAN_LISTED);
  ck_assert_int_eq(span_state(span_of(sample.cached)), SPAN_CACHED);
}

static void walk(uint64_t unpublished)
{
  heapcheck_walk(arena, mutator->epoch, unpublished);
}

START_TEST(a_sound_heap_passes)
{
  walk(0);
  fill();
  walk(HEAPCHECK_RUNNING);
  walk(0);
  struct dusk_thread *other = fixture_attach(heap);
  for (int i = 0; i < 1000; i++)
    fixture_alloc(other, DUSK_LEAF, 16 * (1 + fixture_random(20)));
  walk(0);
  fixture_detach(other);
  walk(0);
  scavenge_all(arena);
  walk(0);
}
END_TEST

/* A stretch that is being given back belongs to nobody else meanwhile. */
START_TEST(a_claim_is_allowed_for)
{
  fill();
  uint32_t extent = arena->pages.root;
  lock_acquire(&arena->pages.lock);
  pages_claim_locked(arena, extent, 1);
  lock_release(&arena->pages.lock);
  walk(0);
  lock_acquire(&arena->pages.lock);
  pages_unclaim_locked(arena, extent, 1, false);
  lock_release(&arena->pages.lock);
  walk(0);
}
END_TEST

/* Of a large object that its thread is clearing. */
START_TEST(pages_in_no_span_are_allowed_for)
{
  fill();
  struct span *span = span_make_large(arena, DUSK_LEAF, 50000, mutator->epoch);
  ck_assert_ptr_nonnull(span);
  walk(span->pages);
}
END_TEST

/* Allocation and giving back while the walk goes on. */
static bool done;

static void allocate_or_walk(unsigned index)
{
  if (index == 0) {
    for (int i = 0; i < 200; i++)
      walk(HEAPCHECK_RUNNING);
    STORE_RELAXED(&done, true);
    return;
  }
  struct dusk_thread *mine = fixture_attach(heap);
  for (unsigned i = 0; !LOAD_RELAXED(&done); i++) {
    if (flow_live(&arena->flow) < 40 << 20)
      fixture_alloc(mine, DUSK_LEAF, i % 64 ? 16 + i % 700 : 70000);
    if (i % 1000 == 0) {
      fixture_detach(mine);
      mine = fixture_attach(heap);
      scavenge(arena, 1 << 20, SCAVENGE_FORCED, SCAVENGE_ASKED);
    }
  }
  fixture_detach(mine);
}

START_TEST(a_running_heap_passes)
{
  fill();
  fixture_threads(4, allocate_or_walk);
}
END_TEST

/* ---- corruption ---- */

static void extent_too_long(void)
{
  arena->spans[arena->pages.root].pages++;
}

static void extent_lost(void)
{
  uint32_t root = arena->pages.root;
  struct span *top = &arena->spans[root];
  ck_assert(top->left);
  top->left = 0;
  top->longest = top->right ? arena->spans[top->right].longest : 0;
  top->longest = top->longest > top->pages ? top->longest : top->pages;
}

static void extents_in_a_circle(void)
{
  uint32_t root = arena->pages.root;
  arena->spans[root].left = root;
}

static void longest_is_wrong(void)
{
  arena->spans[arena->pages.root].longest += 5;
}

static void heap_order_is_wrong(void)
{
  arena->spans[arena->pages.root].priority = 0;
}

static void free_page_in_a_span(void)
{
  arena->info[arena->pages.root] = pageinfo_make(1, 0, 0);
}

static void free_page_with_a_bit(void)
{
  size_t granule = (size_t)arena->pages.root * PAGE_GRANULES;
  mutator->roles.allocated[granule / 64] |= 1;
}

static void in_use_is_wrong(void)
{
  arena->pages.in_use++;
}

static void dirty_is_wrong(void)
{
  arena->pages.idle_dirty--;
}

static void chunk_is_wrong(void)
{
  arena->chunks[0].in_use++;
}

static void released_is_wrong(void)
{
  arena->pages.released += 4096;
}

static void page_of_another_span(void)
{
  uint32_t page = page_of(sample.large);
  arena->info[page + 2] = pageinfo_make(page + 1, 0, CLASS_LARGE);
}

static void head_inside_a_span(void)
{
  uint32_t page = page_of(sample.large) + 3;
  arena->heads[page / 64] |= UINT64_C(1) << (page % 64);
}

static void span_is_hidden(void)
{
  uint32_t page = page_of(sample.full);
  arena->heads[page / 64] &= ~(UINT64_C(1) << (page % 64));
}

static void kind_is_unknown(void)
{
  span_of(sample.full)->kind = 300;
}

static void size_is_wrong(void)
{
  span_of(sample.cached)->size += 16;
}

static void epoch_is_old(void)
{
  span_of(sample.listed)->epoch--;
}

static void state_is_none(void)
{
  span_of(sample.full)->state = 9;
}

static void state_is_of_another_class(void)
{
  span_of(sample.full)->state = SPAN_LARGE;
}

static void bit_between_slots(void)
{
  size_t granule = arena_granule(arena, (uintptr_t)sample.full) + 1;
  mutator->roles.allocated[granule / 64] |= UINT64_C(1) << (granule % 64);
}

static void bit_lost(void)
{
  size_t granule = arena_granule(arena, (uintptr_t)sample.full);
  mutator->roles.allocated[granule / 64] &= ~(UINT64_C(1) << (granule % 64));
}

static void bit_of_a_listed_span_lost(void)
{
  size_t granule = arena_granule(arena, (uintptr_t)sample.listed);
  mutator->roles.allocated[granule / 64] ^= UINT64_C(1) << (granule % 64);
}

static void span_is_not_published(void)
{
  ck_assert_ptr_nonnull(
      span_make_large(arena, DUSK_LEAF, 50000, mutator->epoch));
}

static void mark_between_cycles(void)
{
  size_t granule = arena_granule(arena, (uintptr_t)sample.cached);
  mutator->roles.marks[granule / 64] |= UINT64_C(1) << (granule % 64);
}

static void listed_twice(void)
{
  struct span *span = span_of(sample.listed);
  span->next = arena_span_page(arena, span);
}

static void list_of_a_full_span(void)
{
  struct span *span = span_of(sample.listed);
  span->next = page_of(sample.full);
}

static void list_end_is_wrong(void)
{
  struct span *span = span_of(sample.listed);
  struct central *central = central_of(arena, span->kind, span->size_class);
  if (central->tight.first)
    central->tight.last = page_of(sample.full);
  else
    central->roomy.last = page_of(sample.full);
}

static void live_is_wrong(void)
{
  arena->flow.counted -= 512;
}

static const struct {
  void (*plant)(void);
  const char *found;
} plants[] = {
    {extent_too_long, ""},
    {extent_lost, "pages in spans, up to the next free extent"},
    {extents_in_a_circle, "free extent: expected"},
    {longest_is_wrong, "longest extent of a subtree"},
    {heap_order_is_wrong, "priority of an extent"},
    {free_page_in_a_span, "word of a free page"},
    {free_page_with_a_bit, "bits of a free page: expected 0 (0x0), found 1"},
    {in_use_is_wrong, "pages in use, by the free ones"},
    {dirty_is_wrong, "free pages with memory"},
    {chunk_is_wrong, "chunk by chunk"},
    {released_is_wrong, "bytes released"},
    {page_of_another_span, "word in the page map"},
    {head_inside_a_span, "where the next span begins"},
    {span_is_hidden, "pages in spans, up to the next free extent"},
    {kind_is_unknown, "the span's kind: expected 1 (0x1), found 300"},
    {size_is_wrong, "slot size: expected 64 (0x40), found 80"},
    {epoch_is_old, "the span's epoch"},
    {state_is_none, "the span's state"},
    {state_is_of_another_class, "the state of a span with this class"},
    {bit_between_slots, "granules from a slot's start to an allocated bit"},
    {bit_lost, "objects of the span, by its bits: expected 16"},
    {bit_of_a_listed_span_lost, "objects of the span, by its bits"},
    {mark_between_cycles, "marks between two cycles: expected 0"},
    {listed_twice, "circle"},
    {list_of_a_full_span, "the state of a span in a list: expected 2"},
    {list_end_is_wrong, "the last span of a list"},
    {live_is_wrong, "bytes that count as live"},
    {span_is_not_published, "pages in spans, up to the next free extent"},
};

/* What a process of its own says of a heap in which this is planted. */
static void walk_with(void (*plant)(void), char *text, size_t size, int *status)
{
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    plant();
    walk(0);
    _exit(0);
  }
  close(ends[1]);
  size_t length = 0;
  for (ssize_t got;
       (got = read(ends[0], text + length, size - 1 - length)) > 0;)
    length += (size_t)got;
  text[length] = '\0';
  close(ends[0]);
  ck_assert_int_eq(waitpid(child, status, 0), child);
}

START_TEST(corruption_is_found_and_named)
{
  char text[2048];
  int status;
  fill();
  walk_with(plants[_i].plant, text, sizeof text, &status);
  ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                "plant %d passed: %s", _i, text);
  ck_assert_msg(strstr(text, "heapcheck: page ") &&
                    strstr(text, plants[_i].found),
                "plant %d: %s", _i, text);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("heapcheck");
  TCase *sound = tcase_create("sound");
  tcase_set_timeout(sound, 300);
  tcase_add_checked_fixture(sound, set_up, tear_down);
  tcase_add_test(sound, a_sound_heap_passes);
  tcase_add_test(sound, a_claim_is_allowed_for);
  tcase_add_test(sound, pages_in_no_span_are_allowed_for);
  tcase_add_test(sound, a_running_heap_passes);
  suite_add_tcase(suite, sound);
  TCase *corrupt = tcase_create("corrupt");
  tcase_add_checked_fixture(corrupt, set_up, tear_down);
  tcase_add_loop_test(corrupt, corruption_is_found_and_named, 0,
                      (int)(sizeof plants / sizeof *plants));
  suite_add_tcase(suite, corrupt);
  return unit_run(suite);
}
