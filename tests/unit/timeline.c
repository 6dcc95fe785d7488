/* SPDX-License-Identifier: MIT */
/* Test of report/timeline.c against golden lines, and of collect/recording.c: a
 * recording has what was noted while it was on, and nothing else. */
#include "unit.h"

#include "fixture.h"
#include "collect/recording.h"
#include "os/clock.h"
#include "report/timeline.h"
#include "report/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 64, FITS = ROOM - 1 };

static struct dusk_heap *heap;
static struct collector *collector;
static struct recording *recording;
static char text[1 << 20];

static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  recording = &collector->recording;
  collector->opened_ns = 1000000;
}

static void tear_down(void)
{
  fixture_close(heap);
}

/* As if it had begun when the heap was opened. */
static void start(void)
{
  ck_assert_int_eq(recording_start(collector, ROOM), 0);
  recording->since_ns = collector->opened_ns;
}

static const char *write_text(void)
{
  FILE *file = tmpfile();
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(timeline_write(heap, fileno(file)), 0);
  rewind(file);
  size_t length = fread(text, 1, sizeof text - 1, file);
  text[length] = '\0';
  fclose(file);
  return text;
}

/* What all texts begin with, and end with. */
static const char *head(void)
{
  static char line[256];
  snprintf(line, sizeof line,
           "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n"
           "{\"ph\":\"M\",\"pid\":%ld,\"tid\":1,\"name\":\"process_name\","
           "\"args\":{\"name\":\"dusk heap\"}}",
           (long)getpid());
  return line;
}

static const char *tail(unsigned overwritten)
{
  static char line[256];
  snprintf(line, sizeof line,
           "\n],\"otherData\":{\"opened_ns\":1000000,\"overwritten\":%u}}\n",
           overwritten);
  return line;
}

/* A line of an event, the process put in. */
static void append(char *to, const char *form, const char *rest)
{
  sprintf(to + strlen(to), ",\n{\"ph\":\"%s\",\"pid\":%ld,\"tid\":%s}", form,
          (long)getpid(), rest);
}

static void append_name(char *to, unsigned owner, const char *name)
{
  char line[256];
  snprintf(line, sizeof line,
           "%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}", owner,
           name);
  append(to, "M", line);
  snprintf(line, sizeof line,
           "%u,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}",
           owner, owner);
  append(to, "M", line);
}

/* ---- the text ---- */

START_TEST(without_a_recording_nothing_is_there)
{
  char wanted[1024];
  snprintf(wanted, sizeof wanted, "%s%s", head(), tail(0));
  ck_assert_str_eq(write_text(), wanted);
}
END_TEST

START_TEST(each_form_has_its_line)
{
  static char wanted[8192];
  start();
  struct track *track = &collector->track;
  track_note(track, EVENT_h1, 1001001, 998999, 7, 3);
  track_note(track, EVENT_cycle, 1001000, 2000000, 3, 1);
  track_note(track, EVENT_goal, 3001000, 0, 4096, 0);
  track_note(track, EVENT_trigger, 3001001, 0, UINT64_MAX, 0); /* none */
  track_note(&collector->scavenging.track, EVENT_scavenge, 1000000, 5, 65536,
             0);
  struct dusk_thread *thread = fixture_attach(heap);
  thread->track.ring->written = 0; /* that it has attached */
  track_note(&thread->track, EVENT_service, 1002000, 1, 7, 0);
  track_note(&thread->track, EVENT_service, 1003000, 1, 8, 0);
  track_note(&thread->track, EVENT_assist, 1004000, 20, 16384, 19);
  track_note(&thread->track, EVENT_leave, 1005000, 0, 1, 0);
  strcpy(wanted, head());
  append_name(wanted, 1, "driver");
  append(wanted, "X",
         "1,\"name\":\"cycle\",\"cat\":\"dusk\",\"ts\":1.000,\"dur\":2000.000,"
         "\"args\":{\"cycle\":3,\"forced\":1}");
  append(wanted, "X",
         "1,\"name\":\"H1\",\"cat\":\"dusk\",\"ts\":1.001,\"dur\":998.999,"
         "\"args\":{\"round\":7,\"cycle\":3}");
  append(wanted, "C",
         "1,\"name\":\"goal\",\"cat\":\"dusk\",\"ts\":2001.000,"
         "\"args\":{\"bytes\":4096}");
  append_name(wanted, 2, "scavenger");
  append(wanted, "X",
         "2,\"name\":\"scavenge\",\"cat\":\"dusk\",\"ts\":0.000,\"dur\":0.005,"
         "\"args\":{\"bytes\":65536}");
  append_name(wanted, 10001, "thread 1");
  append(wanted, "X",
         "10001,\"name\":\"service\",\"cat\":\"dusk\",\"ts\":2.000,"
         "\"dur\":0.001,\"args\":{\"round\":7}");
  append(wanted, "s",
         "1,\"name\":\"handshake\",\"cat\":\"dusk\",\"id\":\"7.10001\","
         "\"bp\":\"e\",\"ts\":1.001");
  append(wanted, "f",
         "10001,\"name\":\"handshake\",\"cat\":\"dusk\",\"id\":\"7.10001\","
         "\"bp\":\"e\",\"ts\":2.000");
  append(wanted, "X",
         "10001,\"name\":\"service\",\"cat\":\"dusk\",\"ts\":3.000,"
         "\"dur\":0.001,\"args\":{\"round\":8}"); /* a handshake unknown */
  append(wanted, "X",
         "10001,\"name\":\"assist\",\"cat\":\"dusk\",\"ts\":4.000,"
         "\"dur\":0.020,\"args\":{\"marked_bytes\":16384,\"marking_ns\":19}");
  append(wanted, "i",
         "10001,\"name\":\"leave\",\"cat\":\"dusk\",\"ts\":5.000,\"s\":\"t\","
         "\"args\":{\"thread\":1}");
  strcat(wanted, tail(0));
  ck_assert_str_eq(write_text(), wanted);
  fixture_detach(thread);
}
END_TEST

START_TEST(of_two_that_begin_at_once_the_longer_is_outside)
{
  start();
  track_note(&collector->track, EVENT_h1, 1001000, 10, 7, 3);
  track_note(&collector->track, EVENT_cycle, 1001000, 20, 3, 0);
  const char *written = write_text();
  ck_assert(strstr(written, "\"cycle\",\"cat") < strstr(written, "\"H1\""));
}
END_TEST

START_TEST(what_is_overwritten_is_counted)
{
  start();
  for (unsigned i = 0; i < FITS + 9; i++)
    track_note(&collector->track, EVENT_h1, 1001000 + i, 10, i, 1);
  const char *written = write_text();
  ck_assert_ptr_null(strstr(written, "\"round\":8,"));
  ck_assert_ptr_nonnull(strstr(written, "\"round\":9,"));
  ck_assert_ptr_nonnull(strstr(written, tail(9)));
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
  start();
  int full = open("/dev/full", O_WRONLY);
  ck_assert_int_ge(full, 0);
  ck_assert_int_eq(timeline_write(heap, full), EIO);
  close(full);
  ck_assert_int_eq(timeline_write(heap, full), EIO); /* it is closed */
  ck_assert_int_eq(timeline_write(heap, -1), EIO);
  write_text();
}
END_TEST

/* ---- when ---- */

/* How often the text has it. */
static unsigned count(const char *what)
{
  unsigned found = 0;
  for (const char *at = write_text(); (at = strstr(at, what)); at++)
    found++;
  return found;
}

START_TEST(what_comes_before_and_after_is_left_out)
{
  struct track *track = &collector->track;
  track_note(track, EVENT_h1, clock_now(), 1, 1, 1);
  ck_assert_int_eq(recording_start(collector, ROOM), 0);
  track_note(track, EVENT_h2, clock_now(), 1, 2, 1);
  recording_stop(collector);
  track_note(track, EVENT_h3, clock_now(), 1, 3, 1);
  ck_assert_uint_eq(count("\"H1\""), 0);
  ck_assert_uint_eq(count("\"H2\""), 1);
  ck_assert_uint_eq(count("\"H3\""), 0);
  recording_stop(collector);
  ck_assert_uint_eq(count("\"H2\""), 1);

  /* The next one forgets the last, and goes on if it is on. */
  ck_assert_int_eq(recording_start(collector, ROOM), 0);
  ck_assert_uint_eq(count("\"H2\""), 0);
  track_note(track, EVENT_h3, clock_now(), 1, 3, 1);
  ck_assert_int_eq(recording_start(collector, 2 * ROOM), 0);
  track_note(track, EVENT_h3, clock_now(), 1, 4, 1); /* in another ring */
  ck_assert_uint_eq(count("\"H3\""), 2);
}
END_TEST

START_TEST(threads_are_recorded_whenever_they_come)
{
  struct dusk_thread *first = fixture_attach(heap);
  ck_assert_int_eq(recording_start(collector, ROOM), 0);
  struct dusk_thread *second = fixture_attach(heap);
  fixture_handshake(heap, HANDSHAKE_1);
  ck_assert_uint_eq(count("\"service\""), 2);
  ck_assert_uint_eq(count("\"thread 1\""), 1);
  ck_assert_uint_eq(count("\"thread 2\""), 1);
  ck_assert_uint_eq(count("\"attach\""), 1);
  fixture_detach(second);
  ck_assert_uint_eq(count("\"leave\""), 1);
  ck_assert_uint_eq(count("\"service\""), 2);

  /* Its record is used again, by one that is another. */
  struct dusk_thread *third = fixture_attach(heap);
  ck_assert_ptr_eq(third, second);
  ck_assert_uint_eq(count("\"thread 2\""), 1);
  ck_assert_uint_eq(count("\"thread 3\""), 1);
  recording_stop(collector);
  ck_assert(!track_is_on(&first->track) && !track_is_on(&third->track));
  fixture_detach(third);
  third = fixture_attach(heap);
  ck_assert(!track_is_on(&third->track));
  ck_assert_uint_eq(count("\"thread 4\""), 0);
  fixture_detach(third);
  fixture_detach(first);
}
END_TEST

START_TEST(a_trace_goes_on_when_the_recording_stops)
{
  trace_open(heap, "/dev/null");
  struct dusk_thread *thread = fixture_attach(heap);
  const struct ring *ring = thread->track.ring;
  ck_assert_int_eq(recording_start(collector, TRACE_ROOM / 2), 0);
  ck_assert_ptr_eq(thread->track.ring, ring);
  recording_stop(collector);
  ck_assert_ptr_eq(thread->track.ring, ring);
  ck_assert(!track_is_on(&collector->track));
  fixture_detach(thread);
  trace_close(heap);
}
END_TEST

START_TEST(the_heap_is_sampled_while_it_is_recorded)
{
  recording_sample(collector, &collector->track);
  ck_assert_uint_eq(count("\"heap\""), 0);
  ck_assert_int_eq(recording_start(collector, ROOM), 0);
  recording_sample(collector, &collector->track);
  recording_sample(collector, &collector->track); /* too soon, or not */
  ck_assert_uint_ge(count("\"heap\""), 1);
  recording_stop(collector);
  recording_sample(collector, &collector->track);
  ck_assert_uint_eq(recording->sample_due_ns, UINT64_MAX);
}
END_TEST

START_TEST(a_stall_is_seen_once)
{
  recording_note_stall(collector, UINT64_MAX);
  ck_assert(!recording_take_stall(collector));
  recording_watch(collector, 100);
  recording_note_stall(collector, 99);
  ck_assert(!recording_take_stall(collector));
  recording_note_stall(collector, 100);
  ck_assert(recording_take_stall(collector));
  ck_assert(!recording_take_stall(collector));
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("timeline");
  TCase *cases = tcase_create("timeline");
  tcase_add_checked_fixture(cases, set_up, tear_down);
  tcase_add_test(cases, without_a_recording_nothing_is_there);
  tcase_add_test(cases, each_form_has_its_line);
  tcase_add_test(cases, of_two_that_begin_at_once_the_longer_is_outside);
  tcase_add_test(cases, what_is_overwritten_is_counted);
  tcase_add_test(cases, a_file_that_cannot_be_written_is_an_error);
  tcase_add_test(cases, what_comes_before_and_after_is_left_out);
  tcase_add_test(cases, threads_are_recorded_whenever_they_come);
  tcase_add_test(cases, a_trace_goes_on_when_the_recording_stops);
  tcase_add_test(cases, the_heap_is_sampled_while_it_is_recorded);
  tcase_add_test(cases, a_stall_is_seen_once);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
