/* SPDX-License-Identifier: MIT */
/* timeline.c -- what a recording holds, for a trace viewer
 *
 *   each track's rings --copied--> events, sorted by start --> JSON --> fd
 *
 * Chrome's Trace Event Format: spans are complete events (X), which a viewer
 * nests by their times; counters (C), instants (i); the name of each thread as
 * it comes up (M); and for each service an arrow (s, f) from the handshake that
 * it answers.  Times are microseconds since the heap was opened, with all their
 * nanoseconds.
 *
 * A ring is copied while its thread writes on (event/ring.h): what it overtakes
 * is left out and counted.  The text ends as JSON whatever was lost, unless the
 * file takes no more.
 *
 * Tested by tests/unit/timeline.c and tests/timeline.sh. */
#include "report/timeline.h"

#include "collect/recording.h"
#include "os/block.h"
#include "os/clock.h"
#include "os/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
  TEXT_BYTES = 64 * 1024,
  PIECE_BYTES = 512, /* longer than anything that is put at once */
  PROCESS_BYTES = 24,
};

/* A handshake, to which services belong. */
struct posting {
  uint64_t round;
  uint64_t start_ns;
};

struct timeline {
  struct dusk_heap *heap;
  int fd;
  int error;
  struct recording_times times;
  char process[PROCESS_BYTES]; /* its number */
  bool has_event;              /* one has been put */
  uint64_t lost;

  /* The ring that is written now, and the driver's handshakes so far. */
  struct event *events;
  size_t count, room;
  struct posting *postings; /* in the order of their rounds */
  size_t posting_count, posting_room;

  size_t length;
  char text[TEXT_BYTES];
};

/* ---- text ---- */

/* The only place that writes. */
static void flush(struct timeline *timeline)
{
  if (!timeline->error && timeline->length &&
      file_write(timeline->fd, timeline->text, timeline->length) != 0)
    timeline->error = EIO;
  timeline->length = 0;
}

static PRINTF_LIKE(2, 3) void put(struct timeline *timeline, const char *format,
                                  ...)
{
  va_list arguments;
  if (TEXT_BYTES - timeline->length < PIECE_BYTES)
    flush(timeline);
  va_start(arguments, format);
  timeline->length += (size_t)vsnprintf(timeline->text + timeline->length,
                                        PIECE_BYTES, format, arguments);
  va_end(arguments);
}

/* Begins an object of the list, with what all have. */
static void begin(struct timeline *timeline, const char *form, uint32_t owner)
{
  put(timeline, "%s{\"ph\":\"%s\",\"pid\":%s,\"tid\":%" PRIu32,
      timeline->has_event ? ",\n" : "", form, timeline->process, owner);
  timeline->has_event = true;
}

static void put_time(struct timeline *timeline, const char *key, uint64_t ns)
{
  put(timeline, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000,
      (unsigned)(ns % 1000));
}

static void put_start(struct timeline *timeline, uint64_t start_ns)
{
  put_time(timeline, "ts", start_ns - timeline->heap->collector.opened_ns);
}

/* ---- who ---- */

static void put_name(struct timeline *timeline, uint32_t owner)
{
  const struct collector *collector = &timeline->heap->collector;
  char name[48];
  if (owner == OWNER_DRIVER)
    snprintf(name, sizeof name, "driver");
  else if (owner == OWNER_SCAVENGER)
    snprintf(name, sizeof name, "scavenger");
  else if (owner >= OWNER_THREADS)
    snprintf(name, sizeof name, "thread %" PRIu32, owner - OWNER_THREADS);
  else
    snprintf(name, sizeof name, "%sworker %" PRIu32,
             owner - OWNER_WORKERS < collector->workers ? "" : "idle ",
             owner - OWNER_WORKERS);
  begin(timeline, "M", owner);
  put(timeline, ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}", name);
  begin(timeline, "M", owner);
  put(timeline,
      ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%" PRIu32 "}}",
      owner);
}

static void put_process(struct timeline *timeline)
{
  begin(timeline, "M", OWNER_DRIVER);
  put(timeline,
      ",\"name\":\"process_name\",\"args\":{\"name\":\"dusk heap\"}}");
}

/* ---- what ---- */

enum form { SPAN, INSTANT, COUNTER };

static const struct {
  enum form form;
  const char *shown, *a, *b;
} kinds[EVENT_COUNT] = {
#define EVENT(name, form, shown, a, b) [EVENT_##name] = {form, shown, a, b},
#include "event/events.def"
#undef EVENT
};

static void put_numbers(struct timeline *timeline, const struct event *event)
{
  const char *a = kinds[event->id].a;
  const char *b = kinds[event->id].b;
  put(timeline, ",\"args\":{");
  if (a)
    put(timeline, "\"%s\":%" PRIu64, a, event->a);
  if (b)
    put(timeline, ",\"%s\":%" PRIu64, b, event->b);
  put(timeline, "}}");
}

static void put_event(struct timeline *timeline, const struct event *event)
{
  static const char *const forms[] = {"X", "i", "C"};
  enum form form = kinds[event->id].form;
  if (form == COUNTER && event->a > INT64_MAX) /* no goal, or no trigger */
    return;
  begin(timeline, forms[form], event->owner);
  put(timeline, ",\"name\":\"%s\",\"cat\":\"dusk\"", kinds[event->id].shown);
  put_start(timeline, event->start_ns);
  if (form == SPAN)
    put_time(timeline, "dur", event->duration_ns);
  if (form == INSTANT)
    put(timeline, ",\"s\":\"t\"");
  put_numbers(timeline, event);
}

static void put_arrow_end(struct timeline *timeline, const char *form,
                          uint32_t owner, uint64_t ns,
                          const struct event *service)
{
  begin(timeline, form, owner);
  put(timeline,
      ",\"name\":\"handshake\",\"cat\":\"dusk\",\"id\":\"%" PRIu64 ".%" PRIu32
      "\",\"bp\":\"e\"",
      service->a, service->owner);
  put_start(timeline, ns);
  put(timeline, "}");
}

/* From the handshake to the service, if the handshake is there. */
static void put_arrow(struct timeline *timeline, const struct event *service)
{
  size_t low = 0, high = timeline->posting_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (timeline->postings[middle].round < service->a)
      low = middle + 1;
    else
      high = middle;
  }
  const struct posting *posting = &timeline->postings[low];
  if (low == timeline->posting_count || posting->round != service->a ||
      posting->start_ns > service->start_ns)
    return;
  put_arrow_end(timeline, "s", OWNER_DRIVER, posting->start_ns, service);
  put_arrow_end(timeline, "f", service->owner, service->start_ns, service);
}

/* ---- rings ---- */

static bool is_posting(const struct event *event)
{
  return event->id >= EVENT_h1 && event->id <= EVENT_h4;
}

/* Room for one more; false: no memory. */
static bool make_room(struct timeline *timeline, void **list, size_t *room,
                      size_t count, size_t bytes)
{
  if (count < *room)
    return true;
  size_t more = *room ? 2 * *room : 1024;
  void *resized = block_resize(*list, more * bytes);
  if (!resized) {
    timeline->error = ENOMEM;
    return false;
  }
  *list = resized;
  *room = more;
  return true;
}

static void keep(struct timeline *timeline, const struct event *event)
{
  if (event->start_ns < timeline->times.since_ns ||
      event->start_ns > timeline->times.until_ns ||
      !make_room(timeline, (void **)&timeline->events, &timeline->room,
                 timeline->count, sizeof *event))
    return;
  timeline->events[timeline->count++] = *event;
}

/* Copies what the ring holds of the recording.  What was lost before that does
 * not count. */
static void copy(struct timeline *timeline, const struct ring *ring)
{
  struct ring_reader reader = {0};
  struct event event;
  bool is_first = true;
  uint64_t end = LOAD_ACQUIRE(&ring->written); /* with ring_add() */
  timeline->count = 0;
  while (!timeline->error && reader.next < end &&
         ring_next(ring, &reader, &event)) {
    if (is_first && event.start_ns < timeline->times.since_ns)
      reader.lost = 0;
    is_first = false;
    keep(timeline, &event);
  }
  timeline->lost += reader.lost;
}

/* Of two that begin at once the longer one is outside. */
static bool comes_before(const struct event *one, const struct event *other)
{
  return one->start_ns < other->start_ns ||
         (one->start_ns == other->start_ns &&
          one->duration_ns > other->duration_ns);
}

/* They stand in the order of their ends, and nest only a few deep: each is but
 * a little out of place. */
static void sort(struct event *events, size_t count)
{
  for (size_t i = 1; i < count; i++) {
    struct event event = events[i];
    size_t at = i;
    for (; at && comes_before(&event, &events[at - 1]); at--)
      events[at] = events[at - 1];
    events[at] = event;
  }
}

static void note_posting(struct timeline *timeline, const struct event *event)
{
  if (make_room(timeline, (void **)&timeline->postings, &timeline->posting_room,
                timeline->posting_count, sizeof *timeline->postings))
    timeline->postings[timeline->posting_count++] =
        (struct posting){.round = event->a, .start_ns = event->start_ns};
}

static void put_ring(struct timeline *timeline, const struct ring *ring)
{
  uint32_t owner = 0;
  copy(timeline, ring);
  sort(timeline->events, timeline->count);
  for (size_t i = 0; i < timeline->count && !timeline->error; i++) {
    const struct event *event = &timeline->events[i];
    if (event->owner != owner)
      put_name(timeline, event->owner);
    owner = event->owner;
    put_event(timeline, event);
    if (is_posting(event))
      note_posting(timeline, event);
    else if (event->id == EVENT_service)
      put_arrow(timeline, event);
  }
}

/* The oldest ring first. */
static void put_track(void *context, const struct track *track)
{
  struct timeline *timeline = context;
  const struct ring *done = NULL;
  while (!timeline->error) {
    const struct ring *ring = track_newest(track);
    while (ring && ring != done && ring->older != done)
      ring = ring->older;
    if (!ring || ring == done)
      return;
    put_ring(timeline, ring);
    done = ring;
  }
}

int timeline_write(struct dusk_heap *heap, int fd)
{
  struct timeline *timeline = block_make(sizeof *timeline);
  if (!timeline)
    return ENOMEM;
  timeline->heap = heap;
  timeline->fd = fd;
  timeline->times = recording_times(&heap->collector);
  snprintf(timeline->process, sizeof timeline->process, "%ld", (long)getpid());
  put(timeline, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
  put_process(timeline);
  recording_tracks(&heap->collector, put_track, timeline);
  put(timeline,
      "\n],\"otherData\":{\"opened_ns\":%" PRIu64 ",\"overwritten\":%" PRIu64
      "}}\n",
      heap->collector.opened_ns, timeline->lost);
  flush(timeline);
  int error = timeline->error;
  block_free(timeline->postings);
  block_free(timeline->events);
  block_free(timeline);
  return error;
}
