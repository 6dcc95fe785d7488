/* SPDX-License-Identifier: MIT */
/* Test of heap/scavenge.c: which pages are returned, in what order, and that
 * they read as zero afterwards; against an array of flags, one a page. */
#include "unit.h"

#include "fixture.h"
#include "heap/scavenge.h"
#include "os/vm.h"

#include <string.h>

enum {
  CHUNKS = 6,
  PAGES = CHUNKS * CHUNK_PAGES,
  HUGE = 256, /* set by the test, whatever the machine's is */
  LOG = 4096,
};

static struct arena arena;
static bool taken[PAGES];
static bool dirty[PAGES];

/* ---- a system that notes what is released ---- */

static struct vm_table real;
static struct {
  uint32_t page;
  uint32_t count;
} released[LOG];
static unsigned releases;
static bool refuses;
static void (*meanwhile)(void); /* called once, while a claim is out */

static int note_release(void *start, size_t bytes)
{
  uint32_t page = arena_page_of(&arena, (uintptr_t)start);
  uint32_t count = (uint32_t)(bytes / PAGE_BYTES);
  released[releases % LOG].page = page;
  released[releases++ % LOG].count = count;
  for (uint32_t i = page; i < page + count; i++)
    if (taken[i])
      ck_abort_msg("page %u is in use, and released", i);
  if (meanwhile) {
    void (*call)(void) = meanwhile;
    meanwhile = NULL;
    call();
  }
  if (refuses)
    return -1;
  memset(&dirty[page], 0, count);
  return real.release(start, bytes);
}

static void set_up(void)
{
  ck_assert_int_eq(arena_open(&arena, (size_t)PAGES * PAGE_BYTES), 0);
  arena.huge_pages = HUGE;
  memset(taken, 0, sizeof taken);
  memset(dirty, 0, sizeof dirty);
  real = vm_system;
  vm_system.release = note_release;
  releases = 0;
  refuses = false;
  meanwhile = NULL;
}

static void tear_down(void)
{
  vm_system = real;
  arena_close(&arena);
}

static uint64_t *word_of(uint32_t page)
{
  return arena_page(&arena, page);
}

static uint32_t take(uint32_t count)
{
  bool needs_zero;
  uint32_t page = pages_take(&arena, count, &needs_zero);
  if (page == PAGE_NONE)
    return page;
  for (uint32_t i = page; i < page + count; i++) {
    ck_assert(!taken[i]);
    if (!needs_zero && *word_of(i))
      ck_abort_msg("page %u is said to be zero", i);
    *word_of(i) = i;
    taken[i] = dirty[i] = true;
  }
  return page;
}

static void give(uint32_t page, uint32_t count)
{
  memset(&taken[page], 0, count);
  pages_give(&arena, page, count);
}

static uint64_t idle_dirty(void)
{
  uint64_t count = 0;
  for (uint32_t i = 0; i < PAGES; i++)
    count += !taken[i] && dirty[i];
  return count;
}

static void expect_counts(void)
{
  uint64_t in_chunk[CHUNKS] = {0}, dirty_in[CHUNKS] = {0};
  for (uint32_t i = 0; i < PAGES; i++) {
    in_chunk[i / CHUNK_PAGES] += taken[i];
    dirty_in[i / CHUNK_PAGES] += !taken[i] && dirty[i];
  }
  for (uint32_t i = 0; i < arena.pages.committed / CHUNK_PAGES; i++) {
    ck_assert_uint_eq(arena.chunks[i].in_use, in_chunk[i]);
    ck_assert_uint_eq(arena.chunks[i].dirty, dirty_in[i]);
  }
  ck_assert_uint_eq(arena.pages.idle_dirty, idle_dirty());
  ck_assert_uint_eq(arena.pages.claims, 0);
}

static uint64_t return_pages(uint64_t pages, enum scavenge_how how)
{
  return scavenge(&arena, pages * PAGE_BYTES, how, SCAVENGE_BACKGROUND) /
         PAGE_BYTES;
}

/* The whole heap is taken, one page at a time; page 0 is none. */
static void fill(void)
{
  for (uint32_t i = 1; i < PAGES; i++)
    ck_assert_uint_eq(take(1), i);
}

/* The heap's pages may be larger than the system's, or smaller: most tests need
 * them not to be smaller. */
static bool system_pages_are_larger(void)
{
  return vm_page_size() > PAGE_BYTES;
}

/* ---- which, and in what order ---- */

START_TEST(the_highest_address_goes_first)
{
  fill();
  give(100, 8);
  give(700, 8);
  give(1300, 8);
  if (system_pages_are_larger())
    return;
  ck_assert_uint_eq(return_pages(8, SCAVENGE_FORCED), 8);
  ck_assert_uint_eq(released[0].page, 1300);
  ck_assert_uint_eq(return_pages(12, SCAVENGE_FORCED), 12);
  ck_assert_uint_eq(released[1].page, 700);
  ck_assert_uint_eq(released[2].page, 104); /* the high end of it */
  ck_assert_uint_eq(released[2].count, 4);
  expect_counts();
}
END_TEST

START_TEST(whole_huge_pages_go_before_parts)
{
  fill();
  give(2 * HUGE - 10, HUGE + 20); /* pages of three, all of the middle one */
  give(2000, 40);
  ck_assert_uint_eq(return_pages(1, SCAVENGE_FORCED), HUGE);
  ck_assert_uint_eq(released[0].page, 2 * HUGE);
  ck_assert_uint_eq(released[0].count, HUGE);
  if (system_pages_are_larger())
    return;
  return_pages(1, SCAVENGE_FORCED);
  ck_assert_uint_eq(released[1].page, 2039);
  expect_counts();
}
END_TEST

START_TEST(a_huge_page_that_is_partly_clean_goes_as_a_whole)
{
  fill();
  give(HUGE, HUGE);
  give(HUGE * 3, HUGE);
  ck_assert_uint_eq(scavenge_all(&arena), 2u * HUGE * PAGE_BYTES);
  ck_assert_uint_eq(take(1), HUGE);
  give(HUGE, 1);
  releases = 0;
  ck_assert_uint_eq(return_pages(1, SCAVENGE_FORCED), 1);
  ck_assert_uint_eq(releases, 1);
  expect_counts();
}
END_TEST

START_TEST(dense_chunks_are_left_alone_unless_forced)
{
  enum { LOW = CHUNK_PAGES };
  fill();
  for (uint32_t i = 0; i < 16; i++)
    give(LOW + 8 * i, 1); /* 496 of 512 stay in use */
  ck_assert_uint_eq(return_pages(16, SCAVENGE_SPARSE), 0);
  give(LOW + 8 * 16, 1);
  if (system_pages_are_larger())
    return;
  ck_assert_uint_eq(return_pages(1, SCAVENGE_SPARSE), 1);
  ck_assert_uint_eq(take(1), LOW);
  ck_assert_uint_eq(return_pages(16, SCAVENGE_SPARSE), 0);
  ck_assert_uint_eq(return_pages(16, SCAVENGE_FORCED), 15);
  expect_counts();
}
END_TEST

START_TEST(a_chunk_that_was_dense_at_the_last_cycle_is_left_alone)
{
  fill();
  pages_note_use(&arena);
  give(2 * CHUNK_PAGES, CHUNK_PAGES);
  ck_assert_uint_eq(return_pages(8, SCAVENGE_SPARSE), 0);
  pages_note_use(&arena); /* the next cycle finds it free */
  ck_assert_uint_eq(return_pages(8, SCAVENGE_SPARSE), HUGE);
  pages_note_use(&arena);
  ck_assert_uint_eq(arena.pages.last_in_use, PAGES - 1 - CHUNK_PAGES);
  expect_counts();
}
END_TEST

START_TEST(an_idle_program_keeps_no_chunk_for_what_was)
{
  fill();
  pages_note_use(&arena);
  give(2 * CHUNK_PAGES, CHUNK_PAGES);
  pages_forget_use(&arena);
  ck_assert_uint_eq(return_pages(8, SCAVENGE_SPARSE), HUGE);
}
END_TEST

START_TEST(huge_pages_larger_than_a_chunk_do_not_hide_pages)
{
  arena.huge_pages = CHUNK_PAGES; /* what arena_open() makes of 512 MiB */
  fill();
  give(600, 3 * CHUNK_PAGES);
  ck_assert_uint_ge(scavenge_all(&arena),
                    3u * CHUNK_PAGES * PAGE_BYTES - 2 * vm_page_size());
  ck_assert_uint_eq(released[0].page % CHUNK_PAGES, 0);
  ck_assert_uint_eq(released[0].count, CHUNK_PAGES);
  expect_counts();
}
END_TEST

/* ---- while the memory is on its way ---- */

START_TEST(a_refused_release_is_not_tried_again_at_once)
{
  fill();
  give(1100, 64);
  refuses = true;
  ck_assert_uint_eq(return_pages(64, SCAVENGE_FORCED), 0);
  ck_assert_uint_eq(releases, 1);
  ck_assert_uint_eq(return_pages(64, SCAVENGE_FORCED), 0);
  ck_assert_uint_eq(releases, 1);
  expect_counts();
  refuses = false;
  ck_assert_uint_gt(scavenge_all(&arena), 0);
  expect_counts();
}
END_TEST

static uint32_t taken_meanwhile;

static void take_meanwhile(void)
{
  ck_assert_uint_eq(arena.pages.claims, 1);
  taken_meanwhile = take(8);
}

START_TEST(pages_that_are_being_returned_cannot_be_taken)
{
  fill();
  give(1000, 40);
  if (system_pages_are_larger())
    return;
  meanwhile = take_meanwhile;
  ck_assert_uint_eq(return_pages(16, SCAVENGE_FORCED), 16);
  ck_assert_uint_eq(released[0].page, 1024);
  ck_assert_uint_eq(taken_meanwhile, 1000);
  expect_counts();
}
END_TEST

static void give_meanwhile(void)
{
  give(1030, 5);
  give(1000, 10);
}

START_TEST(what_is_given_beside_a_claim_joins_it_when_it_is_back)
{
  fill();
  give(1010, 20);
  meanwhile = give_meanwhile;
  scavenge_all(&arena);
  ck_assert_uint_eq(arena.spans[1000].pages, 35);
  ck_assert_uint_eq(arena.pages.root, 1000);
  expect_counts();
}
END_TEST

static void *take_all_free(void *argument)
{
  (void)argument;
  taken_meanwhile = take(HUGE);
  return NULL;
}

static pthread_t taker;

static void start_taker(void)
{
  ck_assert_int_eq(pthread_create(&taker, NULL, take_all_free, NULL), 0);
}

/* Not "out of memory": what is claimed comes back. */
START_TEST(a_thread_that_finds_no_pages_waits_for_a_claim)
{
  fill();
  give(HUGE * 4, HUGE);
  meanwhile = start_taker;
  ck_assert_uint_eq(return_pages(HUGE, SCAVENGE_FORCED), HUGE);
  ck_assert_int_eq(pthread_join(taker, NULL), 0);
  ck_assert_uint_eq(taken_meanwhile, HUGE * 4);
  expect_counts();
}
END_TEST

/* ---- eagerly ---- */

static uint64_t held(void)
{
  struct pages_figures figures = pages_read(&arena);
  return figures.committed - figures.released;
}

START_TEST(a_heap_at_its_limit_returns_as_much_as_it_takes)
{
  for (uint32_t i = 0; i < 4 * CHUNK_PAGES; i++)
    take(1);
  give(1, 2);
  give(1000, 200);
  STORE_RELAXED(&arena.pages.ready_limit, held());
  if (system_pages_are_larger())
    return;
  for (int i = 0; i < 20; i++) {
    ck_assert_uint_ne(take(300), PAGE_NONE); /* none is free that is so long */
    if (idle_dirty() == 0)
      break;
    ck_assert_uint_le(held(), LOAD_RELAXED(&arena.pages.ready_limit));
  }
  ck_assert_uint_gt(scavenge_read(&arena).bytes[SCAVENGE_EAGER], 0);
  ck_assert_uint_eq(scavenge_read(&arena).bytes[SCAVENGE_BACKGROUND], 0);
  expect_counts();
}
END_TEST

START_TEST(nobody_returns_while_the_limiter_is_on)
{
  for (uint32_t i = 0; i < 4 * CHUNK_PAGES; i++)
    take(1);
  give(1000, 200);
  STORE_RELAXED(&arena.pages.ready_limit, 0);
  STORE_RELAXED(&arena.pages.eager_is_off, 1);
  ck_assert_uint_ne(take(300), PAGE_NONE);
  ck_assert_uint_eq(releases, 0);
  STORE_RELAXED(&arena.pages.eager_is_off, 0);
  ck_assert_uint_ne(take(300), PAGE_NONE);
  ck_assert(system_pages_are_larger() || releases > 0);
}
END_TEST

START_TEST(memory_that_is_held_already_costs_no_return)
{
  fill();
  give(1000, 200);
  STORE_RELAXED(&arena.pages.ready_limit, 0);
  take(100);
  ck_assert_uint_eq(releases, 0);
}
END_TEST

START_TEST(a_heap_over_its_target_returns_what_it_grows_by)
{
  for (uint32_t i = 0; i < 4 * CHUNK_PAGES; i++)
    take(1);
  for (int i = 0; i < 4; i++)
    give(100 + 400 * (uint32_t)i, 32);
  uint64_t before = held();
  STORE_RELAXED(&arena.pages.retain, before - 100 * PAGE_BYTES);
  if (system_pages_are_larger())
    return;
  take(64); /* longer than any that is free: the heap grows */
  ck_assert_uint_eq(held(), before);
  STORE_RELAXED(&arena.pages.retain, before + 50 * PAGE_BYTES);
  take(64);
  ck_assert_uint_eq(held(), before + 50 * PAGE_BYTES);
  expect_counts();
}
END_TEST

/* ---- histories ---- */

START_TEST(random_histories_keep_the_counts)
{
  static struct {
    uint32_t page;
    uint32_t count;
  } got[PAGES];
  unsigned count = 0;
  for (unsigned i = 0; i < 4000; i++) {
    uint32_t roll = fixture_random(100);
    bool grow = i / 500 % 2 == 0;
    refuses = fixture_random(10) == 0;
    if (roll < 8) {
      uint64_t before = idle_dirty();
      uint64_t gone =
          return_pages(1 + fixture_random(300),
                       fixture_random(2) ? SCAVENGE_FORCED : SCAVENGE_SPARSE);
      ck_assert_uint_eq(idle_dirty(), before - gone);
    } else if (roll == 8) {
      pages_note_use(&arena);
    } else if (roll < (grow ? 65 : 35)) {
      uint32_t size =
          1 + fixture_random(fixture_random(8) ? 6 : CHUNK_PAGES + 90);
      uint32_t page = take(size);
      if (page != PAGE_NONE) {
        got[count].page = page;
        got[count++].count = size;
      }
    } else if (count) {
      unsigned at = fixture_random(count);
      give(got[at].page, got[at].count);
      got[at] = got[--count];
    }
    expect_counts();
  }
  ck_assert_uint_gt(releases, 10);
}
END_TEST

/* Threads that take and give while others return: a page is never two threads',
 * and what is said to be zero is. */
static void body(unsigned index)
{
  uint32_t pages[16] = {0};
  for (unsigned i = 0; i < 3000; i++) {
    unsigned at = i * 7 % 16;
    uint32_t count = 1 + (at + index) % 5;
    bool needs_zero;
    if (index == 3) {
      scavenge_all(&arena);
    } else if (pages[at]) {
      ck_assert_uint_eq(*word_of(pages[at]), index + 1);
      pages_give(&arena, pages[at], count);
      pages[at] = PAGE_NONE;
    } else if ((pages[at] = pages_take(&arena, count, &needs_zero))) {
      if (!needs_zero && *word_of(pages[at]))
        ck_abort_msg("page %u is said to be zero", pages[at]);
      *word_of(pages[at]) = index + 1;
    }
  }
  for (unsigned at = 0; at < 16; at++)
    if (pages[at])
      pages_give(&arena, pages[at], 1 + (at + index) % 5);
}

START_TEST(threads_take_and_give_while_others_return)
{
  vm_system = real;
  fixture_threads(4, body);
  ck_assert_uint_eq(arena.pages.in_use, 0);
  ck_assert_uint_eq(arena.pages.claims, 0);
  ck_assert_uint_eq(arena.spans[arena.pages.root].pages,
                    arena.pages.frontier - 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("scavenge");
  TCase *cases = tcase_create("scavenge");
  tcase_set_timeout(cases, 120);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  suite_add_tcase(suite, cases);
  tcase_add_test(cases, the_highest_address_goes_first);
  tcase_add_test(cases, whole_huge_pages_go_before_parts);
  tcase_add_test(cases, a_huge_page_that_is_partly_clean_goes_as_a_whole);
  tcase_add_test(cases, dense_chunks_are_left_alone_unless_forced);
  tcase_add_test(cases, a_chunk_that_was_dense_at_the_last_cycle_is_left_alone);
  tcase_add_test(cases, an_idle_program_keeps_no_chunk_for_what_was);
  tcase_add_test(cases, huge_pages_larger_than_a_chunk_do_not_hide_pages);
  tcase_add_test(cases, a_refused_release_is_not_tried_again_at_once);
  tcase_add_test(cases, pages_that_are_being_returned_cannot_be_taken);
  tcase_add_test(cases, what_is_given_beside_a_claim_joins_it_when_it_is_back);
  tcase_add_test(cases, a_thread_that_finds_no_pages_waits_for_a_claim);
  tcase_add_test(cases, a_heap_at_its_limit_returns_as_much_as_it_takes);
  tcase_add_test(cases, nobody_returns_while_the_limiter_is_on);
  tcase_add_test(cases, memory_that_is_held_already_costs_no_return);
  tcase_add_test(cases, a_heap_over_its_target_returns_what_it_grows_by);
  tcase_add_test(cases, random_histories_keep_the_counts);
  tcase_add_test(cases, threads_take_and_give_while_others_return);
  return unit_run(suite);
}
