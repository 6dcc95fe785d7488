/* SPDX-License-Identifier: MIT */
/* Test of mutator/barrier.c: which words of which store go into the log in
 * each state of a cycle, that they are there before the store, and what
 * becomes of a full log. */
#include "unit.h"

#include "fixture.h"
#include "mutator/barrier.h"
#include "os/vm.h"

#include "dusk/store.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

enum { OBJECTS = 2 * PACKET_WORDS + 100 };

static struct dusk_heap *heap;
static struct dusk_thread *mutator;
static void *objects[OBJECTS]; /* white, once a cycle marks */
static void *slots[OBJECTS];

static void set_up(void)
{
  heap = fixture_open();
  mutator = fixture_attach(heap);
  for (int i = 0; i < OBJECTS; i++)
    objects[i] = fixture_alloc(mutator, DUSK_LEAF, 16);
}

static void tear_down(void)
{
  if (mutator->abi.barrier)
    fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(mutator);
  fixture_close(heap);
}

/* The barrier is on, and stacks have not been read. */
static void begin_start(void)
{
  fixture_handshake(heap, HANDSHAKE_1);
  fixture_handshake(heap, HANDSHAKE_1B);
}

/* This thread has served H2, and some other has not. */
static void begin_scanned(void)
{
  fixture_begin_marking(heap);
  STORE_RELEASE(&heap->collector.registry.all_scanned, 0);
}

/* The log holds exactly these; it is empty afterwards. */
static void check_log(void *const *words, uint32_t count)
{
  ck_assert_uint_eq(mutator->log->count, count);
  for (uint32_t i = 0; i < count; i++)
    ck_assert_uint_eq(mutator->log->words[i], (uintptr_t)words[i]);
  mutator->log->count = 0;
}

static void mark(const void *object)
{
  struct arena *arena = &heap->collector.arena;
  ck_assert(
      marks_win(mutator->roles.marks, arena_granule(arena, (uintptr_t)object)));
}

/* ---- which words ---- */

START_TEST(outside_a_cycle_nothing_is_logged)
{
  begin_scanned();
  fixture_handshake(heap, HANDSHAKE_4);
  slots[0] = objects[0];
  dusk_store(mutator, &slots[0], objects[1]);
  check_log(NULL, 0);
}
END_TEST

START_TEST(before_the_stack_is_read_old_and_new_are_logged)
{
  begin_start();
  slots[0] = objects[0];
  dusk_store(mutator, &slots[0], objects[1]);
  ck_assert_ptr_eq(slots[0], objects[1]);
  check_log((void *[]){objects[0], objects[1]}, 2);
}
END_TEST

START_TEST(afterwards_old_alone)
{
  begin_scanned();
  slots[0] = objects[0];
  dusk_store(mutator, &slots[0], objects[1]);
  check_log((void *[]){objects[0]}, 1);
}
END_TEST

START_TEST(before_all_stacks_are_read_no_word_is_tested)
{
  begin_scanned();
  mark(objects[0]);
  slots[0] = objects[0];
  slots[1] = (char *)objects[OBJECTS - 1] + 16; /* looks like a free slot */
  dusk_store(mutator, &slots[0], NULL);
  dusk_store(mutator, &slots[1], NULL);
  check_log((void *[]){objects[0], (char *)objects[OBJECTS - 1] + 16}, 2);
}
END_TEST

START_TEST(then_white_objects_alone_are_logged)
{
  fixture_begin_marking(heap);
  mark(objects[0]);
  slots[0] = objects[0];
  slots[1] = objects[1];
  slots[2] = fixture_alloc(mutator, DUSK_LEAF, 16); /* born black */
  for (int i = 0; i < 3; i++)
    dusk_store(mutator, &slots[i], NULL);
  check_log((void *[]){objects[1]}, 1);
}
END_TEST

START_TEST(words_that_are_no_heap_address_are_not_logged)
{
  begin_start();
  slots[0] = NULL;
  slots[1] = slots;
  dusk_store(mutator, &slots[0], slots);
  dusk_store(mutator, &slots[1], NULL);
  check_log(NULL, 0);
}
END_TEST

START_TEST(a_word_that_was_logged_lately_is_not_logged_again)
{
  begin_start();
  for (int i = 0; i < 10000; i++)
    dusk_store(mutator, &slots[0], objects[i & 1]);
  ck_assert(grey_is_empty(&heap->collector.grey));
  ck_assert_uint_le(mutator->log->count, 20000 / PACKET_WORDS);
  ck_assert_uint_ge(mutator->log->count, 2);
  mutator->log->count = 0;
  barrier_begin(mutator); /* the next cycle starts afresh */
  dusk_store(mutator, &slots[0], NULL);
  check_log((void *[]){objects[1]}, 1);
}
END_TEST

/* ---- which stores ---- */

START_TEST(cas_logs_what_it_replaces)
{
  begin_scanned();
  slots[0] = objects[0];
  ck_assert(!dusk_cas(mutator, &slots[0], objects[1], objects[2]));
  ck_assert_ptr_eq(slots[0], objects[0]);
  ck_assert_uint_le(mutator->log->count, 1);
  mutator->log->count = 0;
  ck_assert(dusk_cas(mutator, &slots[0], objects[0], objects[2]));
  ck_assert_ptr_eq(slots[0], objects[2]);
  check_log((void *[]){objects[0]}, 1);
}
END_TEST

START_TEST(exchange_logs_what_it_returns)
{
  begin_scanned();
  slots[0] = objects[0];
  ck_assert_ptr_eq(dusk_exchange(mutator, &slots[0], objects[1]), objects[0]);
  ck_assert_ptr_eq(slots[0], objects[1]);
  check_log((void *[]){objects[0]}, 1);
}
END_TEST

START_TEST(clear_logs_each_word)
{
  fixture_begin_marking(heap);
  memcpy(slots, objects, 5 * sizeof *slots);
  dusk_clear(mutator, slots, 4);
  check_log(objects, 4);
  for (int i = 0; i < 5; i++)
    ck_assert_ptr_eq(slots[i], i < 4 ? NULL : objects[4]);
}
END_TEST

START_TEST(copy_logs_what_it_overwrites)
{
  fixture_begin_marking(heap);
  memcpy(slots, objects, 8 * sizeof *slots);
  dusk_copy(mutator, slots, objects + 20, 4);
  check_log(objects, 4);
  ck_assert_mem_eq(slots, objects + 20, 4 * sizeof *slots);
  ck_assert_mem_eq(slots + 4, objects + 4, 4 * sizeof *slots);
}
END_TEST

/* As memmove: both ways, more than one piece, every distance. */
START_TEST(copies_may_overlap)
{
  static void *expected[OBJECTS];
  static const int distances[] = {1, 2, PACKET_WORDS / 2, PACKET_WORDS};
  fixture_begin_marking(heap);
  for (int i = 0; i < 4; i++)
    for (int up = 0; up < 2; up++) {
      size_t words = OBJECTS - (size_t)distances[i];
      void **low = slots, **high = slots + distances[i];
      memcpy(slots, objects, sizeof slots);
      memcpy(expected, objects, sizeof expected);
      memmove(expected + (up ? distances[i] : 0),
              expected + (up ? 0 : distances[i]), words * sizeof *slots);
      dusk_copy(mutator, up ? high : low, up ? low : high, words);
      ck_assert_mem_eq(slots, expected, sizeof slots);
    }
}
END_TEST

/* Between the two another thread could load the old value and hide it: the log
 * is read at the moment of the store, which traps. */
static void **page; /* slots that cannot be written */
static uint32_t logged_when_stored;

static void protect(int access)
{
  if (mprotect(page, vm_page_size(), access) != 0)
    abort(); /* in a handler nothing else may be said */
}

static void note_log(int number)
{
  logged_when_stored = mutator->log->count;
  protect(PROT_READ | PROT_WRITE);
  (void)number;
}

static void check_order(uint32_t words)
{
  ck_assert_uint_eq(logged_when_stored, words);
  ck_assert_uint_eq(mutator->log->count, words);
  mutator->log->count = 0;
  memcpy(page, objects, 4 * sizeof *page);
  protect(PROT_READ);
}

START_TEST(logged_before_it_is_stored)
{
  page = vm_map(vm_page_size());
  ck_assert_ptr_nonnull(page);
  ck_assert(signal(SIGSEGV, note_log) != SIG_ERR);
  fixture_begin_marking(heap);
  check_order(0);
  dusk_store(mutator, &page[0], NULL);
  check_order(1);
  ck_assert(dusk_cas(mutator, &page[1], objects[1], NULL));
  check_order(1);
  dusk_exchange(mutator, &page[2], NULL);
  check_order(1);
  dusk_clear(mutator, page, 4);
  check_order(4);
  dusk_copy(mutator, page, objects + 10, 4);
  check_order(4);
  vm_unmap(page, vm_page_size());
}
END_TEST

/* ---- a full log ---- */

static unsigned handed_over(void)
{
  unsigned words = 0;
  ck_assert_uint_le(mutator->log->count, PACKET_WORDS);
  struct packet *packet;
  struct grey *grey = &heap->collector.grey;
  while ((packet = grey_pop(grey, &grey->raw))) {
    words += packet->count;
    grey_recycle(grey, packet);
  }
  return words;
}

START_TEST(a_full_log_is_handed_over)
{
  fixture_begin_marking(heap);
  grey_begin_round(&heap->collector.grey);
  memcpy(slots, objects, sizeof slots);
  for (int i = 0; i < OBJECTS; i++)
    dusk_store(mutator, &slots[i], NULL);
  ck_assert_uint_eq(heap->collector.grey.dirty, 1);
  ck_assert_uint_eq(mutator->log->count + handed_over(), OBJECTS);
}
END_TEST

START_TEST(long_clears_and_copies_hand_over_what_they_log)
{
  fixture_begin_marking(heap);
  memcpy(slots, objects, sizeof slots);
  dusk_clear(mutator, slots, OBJECTS);
  ck_assert_uint_eq(mutator->log->count + handed_over(), OBJECTS);
  mutator->log->count = 0;
  memcpy(slots, objects, sizeof slots);
  dusk_copy(mutator, slots, slots + 1, OBJECTS - 1);
  ck_assert_uint_eq(mutator->log->count + handed_over(), OBJECTS - 1);
}
END_TEST

START_TEST(what_has_been_marked_since_is_not_handed_over)
{
  fixture_begin_marking(heap);
  memcpy(slots, objects, 3 * sizeof *slots);
  dusk_clear(mutator, slots, 3);
  struct packet *log = mutator->log;
  mark(objects[0]);
  mark(objects[2]);
  ck_assert(barrier_flush(mutator));
  ck_assert_ptr_ne(mutator->log, log);
  ck_assert_uint_eq(log->count, 1);
  ck_assert_uint_eq(log->words[0], (uintptr_t)objects[1]);
  ck_assert_uint_eq(handed_over(), 1);
}
END_TEST

START_TEST(a_log_without_white_words_leaves_the_round_clean)
{
  fixture_begin_marking(heap);
  grey_begin_round(&heap->collector.grey);
  slots[0] = objects[0];
  dusk_store(mutator, &slots[0], NULL);
  mark(objects[0]);
  ck_assert(barrier_flush(mutator));
  ck_assert_uint_eq(mutator->log->count, 0);
  ck_assert_uint_eq(heap->collector.grey.dirty, 0);
  ck_assert(grey_is_empty(&heap->collector.grey));
}
END_TEST

static struct packet *hoard(void)
{
  struct grey *grey = &heap->collector.grey;
  struct packet *packet, *hoarded = NULL;
  while ((packet = grey_packet(grey))) {
    packet->words[0] = (uintptr_t)hoarded;
    hoarded = packet;
  }
  return hoarded;
}

START_TEST(without_packets_the_log_stays_as_it_was)
{
  begin_scanned();
  slots[0] = objects[0];
  dusk_store(mutator, &slots[0], NULL);
  struct packet *hoarded = hoard();
  ck_assert(!barrier_flush(mutator));
  ck_assert(grey_is_empty(&heap->collector.grey));
  check_log((void *[]){objects[0]}, 1);
  for (; hoarded; hoarded = (struct packet *)hoarded->words[0])
    grey_recycle(&heap->collector.grey, hoarded);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("barrier");
  TCase *cases = tcase_create("barrier");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, outside_a_cycle_nothing_is_logged);
  tcase_add_test(cases, before_the_stack_is_read_old_and_new_are_logged);
  tcase_add_test(cases, afterwards_old_alone);
  tcase_add_test(cases, before_all_stacks_are_read_no_word_is_tested);
  tcase_add_test(cases, then_white_objects_alone_are_logged);
  tcase_add_test(cases, words_that_are_no_heap_address_are_not_logged);
  tcase_add_test(cases, a_word_that_was_logged_lately_is_not_logged_again);
  tcase_add_test(cases, cas_logs_what_it_replaces);
  tcase_add_test(cases, exchange_logs_what_it_returns);
  tcase_add_test(cases, clear_logs_each_word);
  tcase_add_test(cases, copy_logs_what_it_overwrites);
  tcase_add_test(cases, copies_may_overlap);
  tcase_add_test(cases, logged_before_it_is_stored);
  tcase_add_test(cases, a_full_log_is_handed_over);
  tcase_add_test(cases, long_clears_and_copies_hand_over_what_they_log);
  tcase_add_test(cases, what_has_been_marked_since_is_not_handed_over);
  tcase_add_test(cases, a_log_without_white_words_leaves_the_round_clean);
  tcase_add_test(cases, without_packets_the_log_stays_as_it_was);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
