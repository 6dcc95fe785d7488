/* SPDX-License-Identifier: MIT */
/* Test of event/ring.c and event/track.c: a ring keeps what is newest, and who
 * reads it meanwhile gets whole events, in order, and knows how many it missed.
 */
#include "unit.h"

#include "fixture.h"
#include "event/track.h"

#include <sched.h>

enum { ROOM = 64, FITS = ROOM - 1 };

static struct ring *ring;
static struct ring_reader reader;

static void set_up(void)
{
  ring = ring_make(ROOM);
  ck_assert_ptr_nonnull(ring);
  reader = (struct ring_reader){0};
}

static void tear_down(void)
{
  ring_free(ring);
}

/* Event number n: each field tells which. */
static void add(uint64_t n)
{
  ring_add(ring, &(struct event){.start_ns = n,
                                 .duration_ns = 3 * n,
                                 .a = ~n,
                                 .b = n << 32,
                                 .owner = (uint32_t)(7 * n),
                                 .id = (enum event_id)(n % EVENT_COUNT)});
}

static void check_is(const struct event *event, uint64_t n)
{
  if (event->start_ns != n || event->duration_ns != 3 * n || event->a != ~n ||
      event->b != n << 32 || event->owner != (uint32_t)(7 * n) ||
      event->id != n % EVENT_COUNT)
    ck_abort_msg("event %llu is another", (unsigned long long)n);
}

/* Reads all there are, which begin with number `first`; how many. */
static uint64_t read_all(uint64_t first)
{
  struct event event;
  uint64_t count = 0;
  while (ring_next(ring, &reader, &event))
    check_is(&event, first + count++);
  return count;
}

/* ---- alone ---- */

START_TEST(a_new_ring_is_empty)
{
  ck_assert_uint_eq(read_all(0), 0);
  ck_assert_uint_eq(reader.lost, 0);
}
END_TEST

START_TEST(events_come_out_as_they_went_in_once)
{
  uint64_t next = 1;
  for (uint64_t round = 0; round < 1000; round++) {
    uint64_t count = fixture_random(FITS + 1);
    for (uint64_t i = 0; i < count; i++)
      add(next + i);
    ck_assert_uint_eq(read_all(next), count);
    next += count;
  }
  ck_assert_uint_gt(next, 3 * ROOM);
  ck_assert_uint_eq(reader.lost, 0);
}
END_TEST

START_TEST(the_newest_are_kept_and_the_rest_is_counted)
{
  enum { MANY = 5 * ROOM + 7 };
  for (uint64_t n = 0; n < MANY; n++)
    add(n);
  ck_assert_uint_eq(read_all(MANY - FITS), FITS);
  ck_assert_uint_eq(reader.lost, MANY - FITS);
}
END_TEST

START_TEST(readers_do_not_take_from_each_other)
{
  for (uint64_t n = 0; n < 10; n++)
    add(n);
  ck_assert_uint_eq(read_all(0), 10);
  reader = (struct ring_reader){.next = 4};
  ck_assert_uint_eq(read_all(4), 6);
  ck_assert_uint_eq(reader.lost, 0);
}
END_TEST

/* ---- both at once ---- */

enum { MANY = 200000 };
static struct ring_reader readers[3];
static uint64_t taken[3];
static bool written;

static void write_or_read(unsigned index)
{
  struct event event;
  uint64_t last = 0;
  if (index == 3) {
    for (uint64_t n = 1; n <= MANY; n++) {
      add(n);
      if (n % 32 == 0)
        sched_yield();
    }
    STORE_RELEASE(&written, true); /* with the others */
    return;
  }
  for (;;) {
    bool all = LOAD_ACQUIRE(&written); /* with the writer */
    while (ring_next(ring, &readers[index], &event)) {
      check_is(&event, event.start_ns);
      if (event.start_ns <= last)
        ck_abort_msg("an event came twice, or too late");
      last = event.start_ns;
      taken[index]++;
    }
    if (all)
      return;
    sched_yield(); /* or the writer waits for each slice of three readers */
  }
}

START_TEST(each_is_read_whole_or_counted_while_more_are_written)
{
  fixture_threads(4, write_or_read);
  for (unsigned i = 0; i < 3; i++) {
    ck_assert_uint_eq(taken[i] + readers[i].lost, MANY);
    ck_assert_uint_ge(taken[i], FITS);
  }
}
END_TEST

/* ---- tracks ---- */

static struct track track;

START_TEST(a_track_that_is_off_times_nothing)
{
  ck_assert_uint_eq(track_begin(&track), 0);
  track_end(&track, EVENT_wall, 0, 0, 0);
  track_note(&track, EVENT_wall, 1, 2, 3, 4);
  track_mark(&track, EVENT_goal, 1);
  ck_assert_ptr_null(track.rings);
}
END_TEST

START_TEST(what_began_while_it_was_off_is_left_out)
{
  struct event event;
  uint64_t start = track_begin(&track);
  ck_assert_uint_ge(track_start(&track, ROOM), ring_bytes(ROOM));
  track_end(&track, EVENT_wall, start, 0, 0);
  ck_assert(!ring_next(track.ring, &reader, &event));
  start = track_begin(&track);
  track_stop(&track);
  track_end(&track, EVENT_wall, start, 0, 0);
  ck_assert(!ring_next(track.rings, &reader, &event));
  track_clear(&track);
  ck_assert_ptr_null(track.rings);
}
END_TEST

START_TEST(a_span_is_from_its_start_to_its_end)
{
  struct event event;
  track.owner = 77;
  track_start(&track, ROOM);
  uint64_t start = track_begin(&track);
  track_end(&track, EVENT_wall, start, 5, 6);
  uint64_t after = clock_now();
  ck_assert(ring_next(track.ring, &reader, &event));
  ck_assert_uint_eq(event.id, EVENT_wall);
  ck_assert_uint_eq(event.start_ns, start);
  ck_assert_uint_le(event.start_ns + event.duration_ns, after);
  ck_assert_uint_eq(event.a, 5);
  ck_assert_uint_eq(event.b, 6);
  ck_assert_uint_eq(event.owner, 77);
  track_clear(&track);
}
END_TEST

START_TEST(a_ring_is_used_again_unless_it_is_too_small)
{
  track_start(&track, ROOM);
  const struct ring *first = track.ring;
  track_stop(&track);
  ck_assert_ptr_null(track.ring);
  ck_assert_uint_eq(track_start(&track, ROOM / 2), 0);
  ck_assert_ptr_eq(track.ring, first);
  ck_assert_uint_eq(track_start(&track, ROOM + 1), ring_bytes(2 * ROOM));
  ck_assert_ptr_ne(track.ring, first);
  ck_assert_uint_eq(track.ring->room, 2 * ROOM);
  ck_assert_ptr_eq(track.ring->older, first);
  track_clear(&track);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("ring");
  TCase *cases = tcase_create("ring");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, a_new_ring_is_empty);
  tcase_add_test(cases, events_come_out_as_they_went_in_once);
  tcase_add_test(cases, the_newest_are_kept_and_the_rest_is_counted);
  tcase_add_test(cases, readers_do_not_take_from_each_other);
  tcase_add_test(cases, each_is_read_whole_or_counted_while_more_are_written);
  tcase_add_test(cases, a_track_that_is_off_times_nothing);
  tcase_add_test(cases, what_began_while_it_was_off_is_left_out);
  tcase_add_test(cases, a_span_is_from_its_start_to_its_end);
  tcase_add_test(cases, a_ring_is_used_again_unless_it_is_too_small);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
