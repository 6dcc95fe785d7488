/* SPDX-License-Identifier: MIT */
/* Test of heap/pages.c: against an array of flags, one a page, that is searched
 * from its beginning; all short histories of a tiny heap, and long random ones
 * of a small one. */
#include "unit.h"

#include "fixture.h"
#include "heap/scavenge.h"
#include "os/vm.h"

#include <string.h>

enum { PAGES_MAX = 1024 };

static struct arena arena;
static uint32_t limit; /* pages; the first is never used */

/* What should be. */
static bool taken[PAGES_MAX];
static bool dirty[PAGES_MAX];

/* What was taken and not yet given, in the order of taking. */
static struct extent {
  uint32_t page;
  uint32_t count;
} held[PAGES_MAX];
static unsigned held_count;

static uint32_t system_pages; /* to a page of the system, at least 1 */

static uint64_t *word_of(uint32_t page)
{
  return arena_page(&arena, page);
}

/* A heap of that many pages, all of them free and clean. */
static void start_with(uint32_t pages)
{
  for (uint32_t i = 1; i < arena.pages.frontier; i++)
    *word_of(i) = 0;
  limit = pages;
  arena.pages = (struct pages){0};
  pages_init(&arena.pages, pages);
  if (arena.end) {
    memset(arena.dirty, 0, PAGES_MAX / 8);
    memset(arena.chunks, 0, PAGES_MAX / CHUNK_PAGES * sizeof(struct chunk));
  }
  memset(taken, 0, sizeof taken);
  memset(dirty, 0, sizeof dirty);
  held_count = 0;
}

static void set_up(void)
{
  ck_assert_int_eq(arena_open(&arena, (size_t)PAGES_MAX * PAGE_BYTES), 0);
  system_pages = (uint32_t)(vm_page_size() / PAGE_BYTES);
  system_pages = system_pages ? system_pages : 1;
  start_with(PAGES_MAX);
}

static void tear_down(void)
{
  arena_close(&arena);
}

/* ---- the naive heap ---- */

static uint32_t naive_take(uint32_t count)
{
  uint32_t length = 0;
  for (uint32_t page = 1; page < limit; page++) {
    length = taken[page] ? 0 : length + 1;
    if (length == count)
      return page + 1 - count;
  }
  return PAGE_NONE;
}

static void note_taken(uint32_t page, uint32_t count)
{
  for (uint32_t i = page; i < page + count; i++)
    taken[i] = dirty[i] = true;
  held[held_count++] = (struct extent){page, count};
}

static bool any_dirty(uint32_t page, uint32_t count)
{
  bool any = false;
  for (uint32_t i = page; i < page + count; i++)
    any = any || dirty[i];
  return any;
}

/* ---- the operations, on both ---- */

static void take(uint32_t count)
{
  uint32_t expected = naive_take(count);
  bool needs_zero = false;
  uint32_t page = pages_take(&arena, count, &needs_zero);
  ck_assert_uint_eq(page, expected);
  if (page == PAGE_NONE)
    return;
  ck_assert_int_eq(needs_zero, any_dirty(page, count));
  for (uint32_t i = page; i < page + count; i++) {
    if (!needs_zero && *word_of(i))
      ck_abort_msg("page %u is said to be zero", i);
    *word_of(i) = i;
  }
  note_taken(page, count);
}

static void give(unsigned index)
{
  struct extent extent = held[index];
  held[index] = held[--held_count];
  pages_give(&arena, extent.page, extent.count);
  for (uint32_t i = extent.page; i < extent.page + extent.count; i++)
    taken[i] = false;
}

/* Pages can be released only if all of the system's page around them is. */
static void release(void)
{
  uint64_t bytes = 0;
  if (system_pages == 1)
    for (uint32_t i = 1; i < limit; i++)
      if (!taken[i] && dirty[i]) {
        dirty[i] = false;
        bytes += PAGE_BYTES;
      }
  uint64_t before = arena.pages.released;
  uint64_t released = scavenge_all(&arena);
  ck_assert(system_pages > 1 || released == bytes);
  ck_assert_uint_eq(arena.pages.released, before + released);
}

/* ---- what is always true ---- */

static void expect_taken(uint32_t from, uint32_t to, bool expected)
{
  for (uint32_t i = from; i < to; i++)
    if (i > 0 && taken[i] != expected)
      ck_abort_msg("page %u is%s free", i, expected ? "" : " not");
}

/* Walks the tree in the order of addresses; returns the longest extent. */
static uint32_t walk(uint32_t node, uint32_t *end)
{
  if (!node)
    return 0;
  const struct span *extent = &arena.spans[node];
  uint32_t longest = walk(extent->left, end);
  if (node <= *end && *end)
    ck_abort_msg("the extents at %u and before %u touch", node, *end);
  expect_taken(*end, node, true);
  expect_taken(node, node + extent->pages, false);
  *end = node + extent->pages;
  uint32_t right = walk(extent->right, end);
  longest = right > longest ? right : longest;
  longest = extent->pages > longest ? extent->pages : longest;
  ck_assert_uint_eq(extent->longest, longest);
  return longest;
}

static void expect_invariants(void)
{
  uint64_t in_use = 0, holding = 0;
  uint32_t end = 0;
  walk(arena.pages.root, &end);
  ck_assert_uint_le(end, arena.pages.frontier);
  expect_taken(end, arena.pages.frontier, true);
  expect_taken(arena.pages.frontier, limit, false);
  for (uint32_t i = 0; i < limit; i++) {
    in_use += taken[i];
    holding += !taken[i] && dirty[i];
  }
  struct pages_figures figures = pages_read(&arena);
  ck_assert_uint_eq(figures.in_use, in_use * PAGE_BYTES);
  ck_assert_uint_ge(figures.committed, figures.in_use + PAGE_BYTES * (end > 0));
  ck_assert_uint_le(figures.committed, (uint64_t)limit * PAGE_BYTES);
  ck_assert(system_pages > 1 ||
            figures.committed - figures.in_use - figures.released ==
                holding * PAGE_BYTES);
}

/* ---- tests ---- */

START_TEST(lowest_address_first)
{
  for (int i = 0; i < 6; i++)
    take(2);
  give(4);
  give(0); /* the extents at 1 and at 9 are free */
  take(1);
  take(2);
  take(1);
  ck_assert_uint_eq(held[held_count - 3].page, 1);
  ck_assert_uint_eq(held[held_count - 2].page, 9);
  ck_assert_uint_eq(held[held_count - 1].page, 2);
}
END_TEST

START_TEST(neighbours_join_on_either_side)
{
  static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    start_with(PAGES_MAX);
    uint32_t page[4];
    bool zero;
    for (int k = 0; k < 4; k++)
      page[k] = pages_take(&arena, 3, &zero);
    for (int k = 0; k < 3; k++)
      pages_give(&arena, page[orders[i][k]], 3); /* the fourth stays */
    ck_assert_uint_eq(arena.spans[arena.pages.root].pages, 9);
    ck_assert_uint_eq(pages_take(&arena, 9, &zero), page[0]);
    ck_assert_uint_eq(arena.pages.root, PAGE_NONE);
  }
}
END_TEST

START_TEST(what_is_free_below_the_frontier_is_used_to_go_beyond_it)
{
  take(4);
  take(4);
  give(1);
  take(10);
  ck_assert_uint_eq(held[1].page, 5);
  ck_assert_uint_eq(arena.pages.frontier, 15);
  expect_invariants();
}
END_TEST

START_TEST(an_exhausted_heap_says_so_and_goes_on)
{
  take(limit);
  ck_assert_uint_eq(held_count, 0);
  take(limit - 1);
  ck_assert_uint_eq(held_count, 1);
  take(1);
  ck_assert_uint_eq(held_count, 1);
  expect_invariants();
  give(0);
  take(UINT32_MAX);
  take(limit - 1);
  ck_assert_uint_eq(held_count, 1);
  expect_invariants();
}
END_TEST

START_TEST(a_refused_release_leaves_pages_dirty)
{
  fixture_vm_begin();
  fixture_vm.refuse_release = true;
  take(8);
  give(0);
  ck_assert_uint_eq(scavenge_all(&arena), 0);
  ck_assert_uint_eq(fixture_vm.released, 1);
  expect_invariants();
  fixture_vm.refuse_release = false;
  release();
  expect_invariants();
  take(8);
  fixture_vm_end();
}
END_TEST

START_TEST(neighbouring_dirty_pages_are_released_in_one_call)
{
  for (int i = 0; i < 4; i++)
    take(8);
  give(3);
  give(2);
  release();
  for (int i = 0; i < 2; i++)
    take(8);
  give(0);
  give(2);
  give(0); /* pages 1 to 8 are free, and so are 17 to 32 */
  fixture_vm_begin();
  release();
  ck_assert_uint_eq(fixture_vm.released, 2);
  release();
  ck_assert_uint_eq(fixture_vm.released, 2);
  fixture_vm_end();
}
END_TEST

/* One step of a history: false if it makes no sense here. */
static bool step(unsigned choice)
{
  if (choice < 3)
    take(choice + 1);
  else if (choice < 6 && choice - 3 < held_count)
    give(choice - 3);
  else if (choice == 6)
    release();
  else
    return false;
  return true;
}

enum { CHOICES = 7, LENGTH = 6, TINY = 7 };

START_TEST(all_short_histories)
{
  unsigned histories = 1;
  for (int i = 0; i < LENGTH; i++)
    histories *= CHOICES;
  for (unsigned history = 0; history < histories; history++) {
    unsigned rest = history;
    start_with(TINY);
    for (int i = 0; i < LENGTH && step(rest % CHOICES); i++)
      rest /= CHOICES;
    expect_invariants();
  }
}
END_TEST

/* Some of a random length; more when there is room, less when there is not. */
START_TEST(long_random_histories)
{
  for (unsigned i = 0; i < 6000; i++) {
    uint32_t roll = fixture_random(100);
    bool grow = i / 400 % 2 == 0;
    if (roll == 0)
      release();
    else if (roll < (grow ? 65 : 35))
      take(1 + (fixture_random(8) ? fixture_random(6) : fixture_random(90)));
    else if (held_count)
      give(fixture_random(held_count));
    expect_invariants();
  }
}
END_TEST

static void take_and_give(unsigned index)
{
  uint32_t pages[16] = {0};
  bool zero;
  for (unsigned i = 0; i < 2000; i++) {
    unsigned at = i * 7 % 16;
    uint32_t count = 1 + (at + index) % 5;
    if (pages[at]) {
      ck_assert_uint_eq(*word_of(pages[at]), index);
      pages_give(&arena, pages[at], count);
      pages[at] = PAGE_NONE;
    } else if ((pages[at] = pages_take(&arena, count, &zero))) {
      *word_of(pages[at]) = index;
    }
  }
  for (unsigned at = 0; at < 16; at++)
    if (pages[at])
      pages_give(&arena, pages[at], 1 + (at + index) % 5);
}

START_TEST(threads_never_share_a_page)
{
  fixture_threads(4, take_and_give);
  ck_assert_uint_eq(arena.pages.in_use, 0);
  ck_assert_uint_eq(arena.spans[arena.pages.root].pages,
                    arena.pages.frontier - 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pages");
  TCase *cases = tcase_create("pages");
  tcase_set_timeout(cases, 120);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, lowest_address_first);
  tcase_add_test(cases, neighbours_join_on_either_side);
  tcase_add_test(cases,
                 what_is_free_below_the_frontier_is_used_to_go_beyond_it);
  tcase_add_test(cases, an_exhausted_heap_says_so_and_goes_on);
  tcase_add_test(cases, a_refused_release_leaves_pages_dirty);
  tcase_add_test(cases, neighbouring_dirty_pages_are_released_in_one_call);
  tcase_add_test(cases, all_short_histories);
  tcase_add_test(cases, long_random_histories);
  tcase_add_test(cases, threads_never_share_a_page);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
