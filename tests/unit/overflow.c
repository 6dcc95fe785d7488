/* SPDX-License-Identifier: MIT */
/* Test of collect/mark.c when packets run out: objects that are marked and
 * could not be buffered are found again. */
#include "marker.h"

/* Packet 0 is not used, and the mutator's log is one. */
static void limit_packets(unsigned markers)
{
  fixture_detach(mutator);
  grey_destroy(&collector->grey);
  ck_assert(grey_init(&collector->grey, (2 + markers) * sizeof(struct packet)));
  mutator = fixture_attach(heap);
}

START_TEST(without_a_packet_nobody_marks)
{
  limit_packets(0);
  grey_open(&collector->grey);
  ck_assert(!mark_enter(&tracer, collector));
  ck_assert_uint_eq(collector->grey.busy, 0);
  STORE_RELAXED(&collector->epoch, collector->registry.joining.epoch);
}
END_TEST

START_TEST(a_full_packet_goes_to_others)
{
  static void *list[PACKET_WORDS + 1];
  for (unsigned i = 0; i <= PACKET_WORDS; i++)
    list[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 16);
  fixture_begin_marking(heap);
  enter();
  for (unsigned i = 0; i < PACKET_WORDS; i++)
    push(list[i]);
  ck_assert(grey_is_empty(&collector->grey));
  push(list[PACKET_WORDS]);
  ck_assert(!grey_is_empty(&collector->grey));
  ck_assert_uint_eq(tracer.packet->count, 1);
  ck_assert_uint_eq(collector->grey.overflowed, 0);
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  mark_leave(&tracer);
}
END_TEST

/* A piece takes two words.  When the large object's turn has come, its
 * neighbour in the FIFO has filled the packet but for one. */
START_TEST(a_piece_is_not_put_half_into_a_packet)
{
  enum { CHILDREN = FIFO_SLOTS + 10, BELOW = PACKET_WORDS - 12 };
  ck_assert_uint_le(CHILDREN, 64);
  void **fan =
      fixture_alloc(mutator, fixture_layout(heap, 512, UINT64_MAX, 0), 512);
  void **big = fixture_alloc(mutator, DUSK_CONSERVATIVE, 800000);
  void *below[BELOW];
  for (int i = 0; i < BELOW; i++)
    below[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 16);
  for (int i = 0; i < CHILDREN; i++)
    fan[i] = fixture_alloc(mutator, DUSK_CONSERVATIVE, 16);
  big[99999] = fixture_alloc(mutator, DUSK_LEAF, 16);
  fixture_begin_marking(heap);
  enter();
  for (int i = 0; i < BELOW; i++)
    push(below[i]);
  push(big);
  push(fan);
  ck_assert(mark_drain(&tracer, 513)); /* the fan, and one piece */
  ck_assert_uint_lt(tracer.work, 800000);
  ck_assert(!grey_is_empty(&collector->grey));
  ck_assert_uint_eq(tracer.packet->count, 2);
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  mark_leave(&tracer);
  ck_assert(fixture_is_marked(heap, big[99999]));
}
END_TEST

/* A root that is wider than all packets together; what it leads to leads on,
 * to a large object that is read in pieces among others. */
static void check_rescan(unsigned markers)
{
  enum { WIDTH = 5 * PACKET_WORDS };
  static void **leads[WIDTH];
  static void *ends[WIDTH];
  limit_packets(markers);
  dusk_kind kind = fixture_layout(heap, 2 * sizeof(void *), 2, 0);
  void **root = fixture_alloc(mutator, fixture_layout(heap, 0, 1, 1),
                              WIDTH * sizeof(void *));
  void **big = fixture_alloc(mutator, DUSK_CONSERVATIVE, 800000);
  for (unsigned i = 0; i < WIDTH; i++) {
    root[i] = leads[i] = fixture_alloc(mutator, kind, 2 * sizeof(void *));
    ends[i] = fixture_alloc(mutator, DUSK_LEAF, 32);
    leads[i][1] = i ? ends[i] : (void *)big;
  }
  big[99999] = ends[0];
  fixture_begin_marking(heap);
  enter();
  push(root);
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  ck_assert_uint_eq(collector->grey.overflowed, 1);
  unsigned rescans = 0;
  for (; collector->grey.overflowed; rescans++)
    mark_rescan(&tracer);
  mark_leave(&tracer);
  ck_assert_uint_lt(rescans, 20);
  ck_assert(fixture_is_marked(heap, big));
  for (unsigned i = 0; i < WIDTH; i++) {
    ck_assert_msg(fixture_is_marked(heap, leads[i]), "object %u", i);
    ck_assert_msg(fixture_is_marked(heap, ends[i]), "end %u", i);
  }
}

START_TEST(what_found_no_packet_is_found_again)
{
  check_rescan(1);
}
END_TEST

START_TEST(what_found_no_second_packet_is_found_again)
{
  check_rescan(2);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("overflow");
  TCase *cases = tcase_create("overflow");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, without_a_packet_nobody_marks);
  tcase_add_test(cases, a_full_packet_goes_to_others);
  tcase_add_test(cases, a_piece_is_not_put_half_into_a_packet);
  tcase_add_test(cases, what_found_no_packet_is_found_again);
  tcase_add_test(cases, what_found_no_second_packet_is_found_again);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
