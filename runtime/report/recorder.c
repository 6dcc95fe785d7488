/* SPDX-License-Identifier: MIT */
/* recorder.c -- DUSK_DEBUG=timeline=FILE and recorder=FILE
 *
 * The flight recorder is the driver's: it looks after each cycle, once those
 * who waited for it have gone on, and while it writes the next cycle waits.  So
 * its rings are smaller than those of a timeline that is written once.
 *
 * Two heaps of a process must not write to one file: from the second on, a
 * heap's number is added to the name of its timeline; what the recorder writes
 * is numbered through.
 *
 * Tested by tests/api/recorder.c. */
#include "report/recorder.h"

#include "base/check.h"
#include "collect/recording.h"
#include "os/block.h"
#include "os/clock.h"
#include "os/file.h"
#include "report/filename.h"
#include "report/timeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
  TIMELINE_BYTES = 1024 * 1024, /* of each thread's ring */
  RECORDER_BYTES = 256 * 1024,
};

/* The least between two files: what happens all the time is in the first. */
#define REST_NS (UINT64_C(5) * 1000 * 1000 * 1000)

struct recorder {
  unsigned heap;     /* its number, among those with a timeline */
  uint64_t wrote_ns; /* the recorder, last; 0: never */
  bool has_failed;   /* which has been said */
};

/* FILE, or FILE.NUMBER; false: it is too long. */
static bool make_name(char *name, const char *given, unsigned number)
{
  char with_number[DEBUG_TEXT_BYTES + 16];
  snprintf(with_number, sizeof with_number, number ? "%s.%u" : "%s", given,
           number);
  return filename_expand(name, FILENAME_BYTES, with_number);
}

/* Returns 0 or an error number. */
static int write_file(struct dusk_heap *heap, const char *given,
                      unsigned number)
{
  char name[FILENAME_BYTES];
  if (!make_name(name, given, number))
    return ENAMETOOLONG;
  int file = file_open(name, O_WRONLY | O_CREAT | O_TRUNC);
  if (file < 0)
    return -file;
  int error = timeline_write(heap, file);
  file_close(file);
  return error;
}

static void complain_of(const char *given, int error)
{
  complain("the timeline %s is not written: %s", given, strerror(error));
}

void recorder_open(struct dusk_heap *heap)
{
  static unsigned heaps; /* of this process so far; atomic */
  const struct debug_options *debug = &heap->debug;
  if (!*debug->timeline && !*debug->recorder)
    return;
  size_t bytes = *debug->timeline ? TIMELINE_BYTES : RECORDER_BYTES;
  struct recorder *recorder = block_make(sizeof *recorder);
  if (!recorder || recording_start(&heap->collector, ring_room(bytes)) != 0) {
    complain("DUSK_DEBUG: nothing is recorded: no memory");
    block_free(recorder);
    return;
  }
  recorder->heap = ADD_RELAXED(&heaps, 1) + 1;
  heap->recorder = recorder;
  if (*debug->recorder && debug->assistus)
    recording_watch(&heap->collector, debug->assistus * 1000);
}

static bool took_too_long(struct dusk_heap *heap,
                          const struct cycle_record *record)
{
  const uint64_t *pause = record->pause_ns;
  uint64_t longest = pause[0] > pause[1] ? pause[0] : pause[1];
  uint64_t limit = heap->debug.pauseus * 1000;
  bool stalled = recording_take_stall(&heap->collector);
  return stalled || (limit && longest >= limit);
}

void recorder_look(struct dusk_heap *heap, const struct cycle_record *record)
{
  static unsigned files; /* of this process so far; atomic */
  struct recorder *recorder = heap->recorder;
  const char *name = heap->debug.recorder;
  if (!recorder || !*name || !took_too_long(heap, record))
    return;
  uint64_t now = clock_now();
  if (recorder->wrote_ns && now - recorder->wrote_ns < REST_NS)
    return;
  int error = write_file(heap, name, ADD_RELAXED(&files, 1) + 1);
  recorder->wrote_ns = clock_now();
  if (error && !recorder->has_failed)
    complain_of(name, error);
  recorder->has_failed = error != 0;
}

void recorder_write(struct dusk_heap *heap)
{
  const struct recorder *recorder = heap->recorder;
  const char *name = heap->debug.timeline;
  if (!recorder || !*name)
    return;
  int error = write_file(heap, name, recorder->heap > 1 ? recorder->heap : 0);
  if (error)
    complain_of(name, error);
}

void recorder_close(struct dusk_heap *heap, bool was_open)
{
  if (was_open)
    recorder_write(heap);
  recorder_drop(heap);
}

void recorder_drop(struct dusk_heap *heap)
{
  block_free(heap->recorder);
  heap->recorder = NULL;
}
