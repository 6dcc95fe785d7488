/* SPDX-License-Identifier: MIT */
/* Test of heap/grey.c: packets are neither lost nor doubled among threads; the
 * door lets nobody in once it is shut; and what happens without memory. */
#include "unit.h"

#include "fixture.h"
#include "heap/grey.h"

enum { PACKETS = 64 }; /* that there is room for; number 0 is not used */

static struct grey grey;

static void set_up(void)
{
  fixture_vm_begin();
  ck_assert(grey_init(&grey, PACKETS * sizeof(struct packet)));
}

static void tear_down(void)
{
  grey_destroy(&grey);
  ck_assert_uint_eq(fixture_vm.mapped, 0);
  fixture_vm_end();
}

static struct packet *make_packet(uintptr_t word)
{
  struct packet *packet = grey_packet(&grey);
  ck_assert_ptr_nonnull(packet);
  ck_assert_uint_eq(packet->count, 0);
  packet->words[packet->count++] = word;
  return packet;
}

/* ---- packets ---- */

START_TEST(lists_are_stacks)
{
  struct packet *packets[3];
  for (int i = 0; i < 3; i++) {
    packets[i] = make_packet((uintptr_t)i);
    grey_push(&grey, &grey.objects, packets[i]);
  }
  for (int i = 3; i-- > 0;) {
    ck_assert_ptr_eq(grey_pop(&grey, &grey.objects), packets[i]);
    ck_assert_uint_eq(packets[i]->count, 1);
    ck_assert_uint_eq(packets[i]->words[0], (uintptr_t)i);
  }
  ck_assert_ptr_null(grey_pop(&grey, &grey.objects));
}
END_TEST

START_TEST(lists_are_apart)
{
  struct packet *object = make_packet(1), *raw = make_packet(2);
  ck_assert(grey_is_empty(&grey));
  grey_push(&grey, &grey.raw, raw);
  ck_assert(!grey_is_empty(&grey));
  ck_assert(packet_list_is_empty(&grey.objects));
  ck_assert_ptr_null(grey_pop(&grey, &grey.objects));
  grey_push(&grey, &grey.objects, object);
  ck_assert_ptr_eq(grey_pop(&grey, &grey.raw), raw);
  ck_assert(!grey_is_empty(&grey));
  ck_assert_ptr_eq(grey_pop(&grey, &grey.objects), object);
  ck_assert(grey_is_empty(&grey));
}
END_TEST

START_TEST(a_recycled_packet_is_used_before_a_new_one)
{
  struct packet *packet = make_packet(1);
  grey_recycle(&grey, packet);
  ck_assert_ptr_eq(make_packet(2), packet);
  ck_assert_uint_eq(grey_bytes(&grey), sizeof(struct packet));
  ck_assert_ptr_ne(make_packet(3), packet);
  ck_assert_uint_eq(grey_bytes(&grey), 2 * sizeof(struct packet));
}
END_TEST

START_TEST(without_room_there_is_no_packet_until_one_comes_back)
{
  struct packet *packet = NULL;
  for (int i = 1; i < PACKETS; i++)
    packet = make_packet(0);
  for (int i = 0; i < 3; i++)
    ck_assert_ptr_null(grey_packet(&grey));
  grey_recycle(&grey, packet);
  ck_assert_ptr_eq(make_packet(0), packet);
  ck_assert_ptr_null(grey_packet(&grey));
  ck_assert_uint_eq(grey_bytes(&grey), (PACKETS - 1) * sizeof(struct packet));
}
END_TEST

START_TEST(refused_growth_is_tried_again)
{
  fixture_vm_refuse(1, 2);
  ck_assert_ptr_null(grey_packet(&grey));
  ck_assert_ptr_null(grey_packet(&grey));
  ck_assert_uint_eq(grey_bytes(&grey), 0);
  make_packet(1);
  ck_assert_uint_eq(fixture_vm.calls, 3);
}
END_TEST

START_TEST(refused_reservation)
{
  struct grey other;
  fixture_vm_refuse(1, 1);
  ck_assert(!grey_init(&other, 1 << 20));
}
END_TEST

START_TEST(discarded_packets_can_be_had_again)
{
  for (int i = 1; i < PACKETS; i++)
    grey_push(&grey, i % 3 ? &grey.objects : &grey.raw, make_packet(1));
  grey_discard(&grey);
  ck_assert(grey_is_empty(&grey));
  for (int i = 1; i < PACKETS; i++)
    make_packet(1);
  ck_assert_ptr_null(grey_packet(&grey));
}
END_TEST

/* ---- dirty ---- */

START_TEST(a_hand_over_makes_the_set_dirty_and_a_push_does_not)
{
  grey_push(&grey, &grey.objects, make_packet(1));
  grey_push(&grey, &grey.raw, make_packet(1));
  ck_assert_uint_eq(grey.dirty, 0);
  grey_hand_over(&grey, &grey.raw, make_packet(2));
  ck_assert_uint_eq(grey.dirty, 1);
  grey.dirty = 0;
  grey_hand_over(&grey, &grey.objects, make_packet(3));
  ck_assert_uint_eq(grey.dirty, 1);
  ck_assert_uint_eq(grey_pop(&grey, &grey.raw)->words[0], 2);
  ck_assert_uint_eq(grey_pop(&grey, &grey.objects)->words[0], 3);
}
END_TEST

/* ---- the door ---- */

START_TEST(a_shut_door_lets_nobody_in)
{
  ck_assert(!grey_enter(&grey)); /* shut from the beginning */
  grey_open(&grey);
  ck_assert(grey_enter(&grey));
  ck_assert(grey_enter(&grey)); /* any number */
  grey_leave(&grey);
  grey_leave(&grey);
  ck_assert(grey_shut(&grey));
  ck_assert(!grey_enter(&grey));
  ck_assert_uint_eq(grey.busy, 0);
  grey_open(&grey);
  ck_assert(grey_enter(&grey));
}
END_TEST

START_TEST(the_door_stays_open_while_somebody_is_inside_or_there_is_work)
{
  grey_open(&grey);
  ck_assert(grey_enter(&grey));
  ck_assert(!grey_shut(&grey));
  ck_assert(grey_enter(&grey)); /* it is open again */
  grey_leave(&grey);
  grey_leave(&grey);
  grey_push(&grey, &grey.raw, make_packet(1));
  ck_assert(!grey_shut(&grey));
  ck_assert_ptr_nonnull(grey_pop(&grey, &grey.raw));
  grey_push(&grey, &grey.objects, make_packet(1));
  ck_assert(!grey_shut(&grey));
  ck_assert_ptr_nonnull(grey_pop(&grey, &grey.objects));
  ck_assert(grey_shut(&grey));
}
END_TEST

/* Its `dirty` may have been cleared by the round that begins, and its packet is
 * in no list yet. */
START_TEST(a_hand_over_under_way_keeps_the_door_from_being_shut)
{
  struct dusk_heap *heap = fixture_open();
  struct grey *set = &heap->collector.grey;
  grey_open(set);
  fixture_hand_over_begin(heap, NULL);
  grey_begin_round(set);
  ck_assert_uint_eq(set->dirty, 0);
  ck_assert(grey_is_empty(set));
  ck_assert(!grey_shut(set));
  fixture_hand_over_end();
  ck_assert(!grey_shut(set));
  ck_assert_ptr_nonnull(grey_pop(set, &set->raw));
  ck_assert(grey_shut(set));
  fixture_close(heap);
}
END_TEST

/* The door is the markers': a thread can always hand over. */
START_TEST(a_hand_over_passes_the_shut_door)
{
  ck_assert(grey_shut(&grey));
  grey_begin_round(&grey);
  grey_hand_over(&grey, &grey.raw, make_packet(1));
  ck_assert_uint_eq(grey.busy, 0);
  ck_assert_uint_eq(grey.dirty, 1);
  ck_assert(!grey_is_empty(&grey));
}
END_TEST

enum { THREADS = 4, ROUNDS = 4000 };
static uint32_t inside;   /* markers, as they count themselves; atomic */
static uint32_t trespass; /* atomic */

/* Thread 0 shuts and opens, the others come and go. */
static void pass_the_door(unsigned index)
{
  for (int i = 0; i < ROUNDS; i++) {
    if (index > 0 && grey_enter(&grey)) {
      ADD_RELAXED(&inside, 1);
      SUB_RELAXED(&inside, 1);
      grey_leave(&grey);
    } else if (index == 0 && grey_shut(&grey)) {
      for (int look = 0; look < 20; look++)
        if (LOAD_RELAXED(&inside))
          ADD_RELAXED(&trespass, 1);
      grey_open(&grey);
    }
  }
}

START_TEST(once_shut_nobody_is_inside)
{
  grey_open(&grey);
  fixture_threads(THREADS, pass_the_door);
  ck_assert_uint_eq(trespass, 0);
  ck_assert_uint_eq(grey.busy, 0);
}
END_TEST

/* ---- threads ---- */

static uint32_t owners[PACKETS]; /* by number: threads that hold it; atomic */
static uint32_t doubled;         /* atomic */

/* Takes from somewhere and puts elsewhere, as markers do. */
static void shuffle_packets(unsigned index)
{
  struct packet_list *lists[] = {&grey.objects, &grey.raw, &grey.empty};
  for (unsigned i = index; i < ROUNDS + index; i++) {
    struct packet *packet = grey_pop(&grey, lists[i % 3]);
    if (!packet && !(packet = grey_packet(&grey)))
      continue;
    uint32_t *owner = &owners[packet - grey.packets];
    if (ADD_RELAXED(owner, 1) != 0)
      ADD_RELAXED(&doubled, 1);
    packet->count = 2;
    packet->words[0] = index;
    packet->words[1] = ~packet->words[0];
    if (packet->words[0] != index)
      ADD_RELAXED(&doubled, 1);
    SUB_RELAXED(owner, 1);
    grey_push(&grey, lists[(i * 7 + index) % 3], packet);
  }
}

START_TEST(packets_are_neither_lost_nor_doubled)
{
  fixture_threads(THREADS, shuffle_packets);
  ck_assert_uint_eq(doubled, 0);
  struct packet_list *lists[] = {&grey.objects, &grey.raw, &grey.empty};
  bool seen[PACKETS] = {false};
  unsigned found = 0;
  struct packet *packet;
  for (int i = 0; i < 3; i++)
    while ((packet = grey_pop(&grey, lists[i]))) {
      ck_assert(!seen[packet - grey.packets]);
      seen[packet - grey.packets] = true;
      ck_assert_uint_eq(packet->words[1], ~packet->words[0]);
      found++;
    }
  ck_assert_uint_eq(found, grey.made - 1);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("grey");
  TCase *cases = tcase_create("grey");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, lists_are_stacks);
  tcase_add_test(cases, lists_are_apart);
  tcase_add_test(cases, a_recycled_packet_is_used_before_a_new_one);
  tcase_add_test(cases, without_room_there_is_no_packet_until_one_comes_back);
  tcase_add_test(cases, refused_growth_is_tried_again);
  tcase_add_test(cases, refused_reservation);
  tcase_add_test(cases, discarded_packets_can_be_had_again);
  tcase_add_test(cases, a_hand_over_makes_the_set_dirty_and_a_push_does_not);
  tcase_add_test(cases, a_shut_door_lets_nobody_in);
  tcase_add_test(cases,
                 the_door_stays_open_while_somebody_is_inside_or_there_is_work);
  tcase_add_test(cases, a_hand_over_under_way_keeps_the_door_from_being_shut);
  tcase_add_test(cases, a_hand_over_passes_the_shut_door);
  tcase_add_test(cases, once_shut_nobody_is_inside);
  tcase_add_test(cases, packets_are_neither_lost_nor_doubled);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
