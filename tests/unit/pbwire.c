/* SPDX-License-Identifier: MIT */
/* Test of report/pbwire.c and report/pprof.c: what is written is read back by a
 * reader that was written for this test, from the format's description. */
#include "unit.h"

#include "fixture.h"
#include "report/pprof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct pbwire wire;

static void tear_down(void)
{
  pb_free(&wire);
}

static void check_wire(const char *bytes, size_t length)
{
  ck_assert(!wire.failed);
  ck_assert_uint_eq(wire.length, length);
  ck_assert_mem_eq(wire.bytes, bytes, length);
}

/* The examples of the format's description. */
START_TEST(numbers_and_texts)
{
  static const char wanted[] = "\x08\x96\x01\x12\x07testing";
  pb_number(&wire, 1, 150);
  pb_text(&wire, 2, "testing");
  check_wire(wanted, sizeof wanted - 1);
}
END_TEST

START_TEST(messages_and_packed_numbers)
{
  static const char wanted[] = "\x1a\x03\x08\x96\x01"
                               "\x32\x06\x03\x8e\x02\x9e\xa7\x05";
  size_t begun = pb_begin(&wire);
  pb_number(&wire, 1, 150);
  pb_end(&wire, 3, begun);
  pb_packed(&wire, 6, (const uint64_t[]){3, 270, 86942}, 3);
  check_wire(wanted, sizeof wanted - 1);
}
END_TEST

START_TEST(what_says_nothing_is_left_out)
{
  pb_number(&wire, 1, 0);
  pb_text(&wire, 2, "");
  pb_packed(&wire, 3, NULL, 0);
  ck_assert_uint_eq(wire.length, 0);
  pb_element(&wire, 2, "");
  check_wire("\x12\x00", 2);
}
END_TEST

/* ---- a reader ---- */

static uint64_t varint(size_t *at)
{
  uint64_t value = 0;
  unsigned shift = 0;
  uint8_t byte;
  do {
    ck_assert_uint_lt(*at, wire.length);
    byte = wire.bytes[(*at)++];
    value |= (uint64_t)(byte & 127) << shift;
    shift += 7;
  } while (byte & 128);
  return value;
}

START_TEST(numbers_of_each_length_come_back)
{
  size_t at = 0;
  for (unsigned field = 1; field < 5000; field *= 3)
    for (unsigned bits = 1; bits <= 64; bits++)
      pb_number(&wire, field, UINT64_MAX >> (64 - bits));
  for (unsigned field = 1; field < 5000; field *= 3)
    for (unsigned bits = 1; bits <= 64; bits++) {
      ck_assert_uint_eq(varint(&at), (uint64_t)field << 3);
      ck_assert_uint_eq(varint(&at), UINT64_MAX >> (64 - bits));
    }
  ck_assert_uint_eq(at, wire.length);
}
END_TEST

/* Messages within messages, longer than a byte's worth. */
static void put_nest(unsigned depth)
{
  size_t begun = pb_begin(&wire);
  if (depth) {
    for (unsigned i = 0; i < depth; i++)
      pb_text(&wire, 1, "a text of some length, to be moved");
    put_nest(depth - 1);
    pb_number(&wire, 2, depth);
  }
  pb_end(&wire, 3, begun);
}

static void read_nest(size_t *at, unsigned depth)
{
  ck_assert_uint_eq(varint(at), 3 << 3 | 2);
  uint64_t length = varint(at);
  size_t end = *at + length;
  if (depth) {
    for (unsigned i = 0; i < depth; i++) {
      ck_assert_uint_eq(varint(at), 1 << 3 | 2);
      ck_assert_uint_eq(varint(at), 34);
      ck_assert_mem_eq(wire.bytes + *at, "a text of some length, to be moved",
                       34);
      *at += 34;
    }
    read_nest(at, depth - 1);
    ck_assert_uint_eq(varint(at), 2 << 3);
    ck_assert_uint_eq(varint(at), depth);
  }
  ck_assert_uint_eq(*at, end);
}

START_TEST(messages_nest)
{
  size_t at = 0;
  put_nest(60);
  read_nest(&at, 60);
  ck_assert_uint_eq(at, wire.length);
}
END_TEST

START_TEST(a_message_continues_another)
{
  struct pbwire other = {0};
  pb_number(&wire, 1, 7);
  pb_number(&other, 2, 8);
  pb_append(&wire, &other);
  check_wire("\x08\x07\x10\x08", 4);
  other.failed = true;
  pb_append(&wire, &other);
  ck_assert(wire.failed);
  pb_number(&wire, 1, 7);
  ck_assert_uint_eq(wire.length, 4);
  pb_free(&other);
}
END_TEST

/* ---- pprof ---- */

static const struct pprof_type types[] = {{"things", "count"}};

/* Many strings and addresses: the tables grow, and each is kept once. */
START_TEST(many_samples_are_written)
{
  enum { SAMPLES = 20000 };
  struct pprof pprof;
  pprof_begin(&pprof, types, 1, 0, 1000);
  for (uintptr_t i = 0; i < SAMPLES; i++)
    pprof_addresses(&pprof, (const uintptr_t[]){0x1000 + i % 5000, 0x999}, 2);
  pprof_locate(&pprof);
  ck_assert_uint_eq(pprof.address_count, 5001);
  for (uintptr_t i = 0; i < SAMPLES; i++) {
    char name[32];
    snprintf(name, sizeof name, "name %u", (unsigned)(i % 7000));
    const struct pprof_label label = {.key = "label", .text = name};
    const uint64_t value = i + 1;
    pprof_sample(&pprof, (const uintptr_t[]){0x1000 + i % 5000, 0x999}, 2,
                 &value, 1, &label, 1);
  }
  ck_assert_uint_ge(pprof.strings.count, 7000);
  ck_assert_uint_lt(pprof.strings.count, 7300); /* and modules' names */
  int null = open("/dev/null", O_WRONLY);
  ck_assert_int_eq(pprof_write(&pprof, null), 0);
  ck_assert_int_eq(pprof_write(&pprof, -1), EBADF);
  close(null);
  pprof_end(&pprof);
}
END_TEST

START_TEST(without_memory_nothing_is_written)
{
  struct pprof pprof;
  int ends[2];
  char byte;
  pprof_begin(&pprof, types, 1, 0, 1000);
  pprof.failed = true;
  pprof_locate(&pprof);
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(pprof_write(&pprof, ends[1]), ENOMEM);
  close(ends[1]);
  ck_assert_int_eq(read(ends[0], &byte, 1), 0);
  close(ends[0]);
  pprof_end(&pprof);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("pbwire");
  TCase *cases = tcase_create("pbwire");
  tcase_set_timeout(cases, 60);
  tcase_add_checked_fixture(cases, NULL, tear_down);
  tcase_add_test(cases, numbers_and_texts);
  tcase_add_test(cases, messages_and_packed_numbers);
  tcase_add_test(cases, what_says_nothing_is_left_out);
  tcase_add_test(cases, numbers_of_each_length_come_back);
  tcase_add_test(cases, messages_nest);
  tcase_add_test(cases, a_message_continues_another);
  tcase_add_test(cases, many_samples_are_written);
  tcase_add_test(cases, without_memory_nothing_is_written);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
