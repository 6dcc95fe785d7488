/* SPDX-License-Identifier: MIT */
/* recording.c -- a heap's timeline: who records, since when
 *
 * Starting and stopping hold the registry's lock, as attaching does: so a
 * thread that comes has its ring, or is given one here.  A thread that is in
 * the middle of an event when the recording stops puts it into its ring all the
 * same; that is why no ring is freed before the heap is closed.
 *
 * DUSK_TRACE has rings too: those stay on.
 *
 * Tested by tests/unit/recording.c and tests/api/timeline.c. */
#include "collect/recording.h"

#include "os/clock.h"

#include <errno.h>

/* How often the heap's size is noted. */
#define SAMPLE_NS (UINT64_C(5) * 1000 * 1000)

#define NEVER UINT64_MAX

void recording_init(struct collector *collector)
{
  collector->recording = (struct recording){
      .since_ns = NEVER, .until_ns = NEVER, .sample_due_ns = NEVER};
  collector->track.owner = OWNER_DRIVER;
  collector->scavenging.track.owner = OWNER_SCAVENGER;
}

void recording_clear(struct collector *collector)
{
  track_clear(&collector->track);
  track_clear(&collector->scavenging.track);
  for (unsigned i = 0; i < collector->helper_tracks; i++)
    track_clear(&collector->helper_track[i]);
}

/* With the lock. */
static bool start_track(struct collector *collector, struct track *track)
{
  uint64_t room = collector->registry.ring_room;
  registry_start_track(&collector->registry, track);
  return track_is_on(track) && track->rings->room >= room;
}

/* With the lock. */
static bool turn_on(struct collector *collector)
{
  bool all = start_track(collector, &collector->track) &&
             start_track(collector, &collector->scavenging.track);
  for (unsigned i = 0; all && i < collector->helper_tracks; i++)
    all = start_track(collector, &collector->helper_track[i]);
  struct dusk_thread *t = collector->registry.first;
  for (; all && t; t = t->next)
    all = start_track(collector, &t->track);
  return all;
}

/* With the lock. */
static void turn_off(struct collector *collector)
{
  struct registry *registry = &collector->registry;
  STORE_RELAXED(&collector->recording.sample_due_ns, NEVER);
  registry->ring_room = registry->traced_room;
  track_stop(&collector->track);
  track_stop(&collector->scavenging.track);
  for (unsigned i = 0; i < collector->helper_tracks; i++)
    track_stop(&collector->helper_track[i]);
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    if (!registry->traced_room)
      track_stop(&t->track);
  if (collector->recording.until_ns == NEVER)
    collector->recording.until_ns = clock_now();
}

static bool is_on(const struct recording *recording)
{
  return recording->since_ns != NEVER && recording->until_ns == NEVER;
}

int recording_start(struct collector *collector, uint64_t room)
{
  struct registry *registry = &collector->registry;
  struct recording *recording = &collector->recording;
  lock_acquire(&registry->lock);
  if (!is_on(recording)) {
    recording->since_ns = clock_now();
    recording->until_ns = NEVER;
  }
  if (registry->ring_room < room)
    registry->ring_room = room;
  bool started = turn_on(collector);
  if (started)
    STORE_RELAXED(&recording->sample_due_ns, 0);
  else
    turn_off(collector);
  lock_release(&registry->lock);
  return started ? 0 : ENOMEM;
}

void recording_stop(struct collector *collector)
{
  lock_acquire(&collector->registry.lock);
  if (is_on(&collector->recording))
    turn_off(collector);
  lock_release(&collector->registry.lock);
}

struct recording_times recording_times(struct collector *collector)
{
  lock_acquire(&collector->registry.lock);
  struct recording_times times = {.since_ns = collector->recording.since_ns,
                                  .until_ns = collector->recording.until_ns};
  lock_release(&collector->registry.lock);
  return times;
}

void recording_tracks(struct collector *collector,
                      void (*act)(void *context, const struct track *track),
                      void *context)
{
  lock_acquire(&collector->registry.lock);
  const struct dusk_thread *t = collector->registry.records;
  lock_release(&collector->registry.lock);
  act(context, &collector->track);
  act(context, &collector->scavenging.track);
  for (unsigned i = 0; i < collector->helper_tracks; i++)
    act(context, &collector->helper_track[i]);
  /* Records are put before the first, and stay until the heap closes. */
  for (; t; t = t->next_record)
    act(context, &t->track);
}

void recording_note_heap(struct collector *collector, struct track *track)
{
  const struct pacing *pacing = &collector->pacing;
  if (LOAD_RELAXED(&collector->recording.sample_due_ns) == NEVER)
    return;
  track_mark(track, EVENT_heap, flow_live(&collector->arena.flow));
  track_mark(track, EVENT_goal, LOAD_RELAXED(&pacing->goal));
  track_mark(track, EVENT_trigger, LOAD_RELAXED(&pacing->trigger));
}

void recording_sample(struct collector *collector, struct track *track)
{
  uint64_t *due_ns = &collector->recording.sample_due_ns;
  uint64_t now = clock_now();
  uint64_t due = LOAD_RELAXED(due_ns);
  if (now >= due && CAS_ACQUIRE(due_ns, &due, now + SAMPLE_NS)) /* for itself */
    recording_note_heap(collector, track);
}

void recording_watch(struct collector *collector, uint64_t ns)
{
  STORE_RELAXED(&collector->recording.watch_ns, ns);
}

bool recording_take_stall(struct collector *collector)
{
  uint64_t *stalled = &collector->recording.stalled;
  bool was = LOAD_RELAXED(stalled);
  if (was)
    STORE_RELAXED(stalled, 0);
  return was;
}

void recording_revive(struct collector *collector)
{
  recording_clear(collector);
  recording_init(collector);
}
