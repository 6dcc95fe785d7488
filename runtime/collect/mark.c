/* SPDX-License-Identifier: MIT */
/* mark.c -- turning grey objects black until there are none left
 *
 *   stacks, roots, barrier logs --> raw packets --+
 *                                                 +--> [mark.c] --> mark bits
 *   scan.c ------------------> object packets ----+
 *
 * Runs on the driver, on helpers and on mutators that pay for an allocation,
 * many at a time, while the program runs.
 *
 * COLOUR is not a field.  It is where an object is:
 *
 *   white   its mark bit is clear
 *   grey    its mark bit is set, and one packet or FIFO holds it
 *   black   its mark bit is set, and nothing holds it
 *
 * ALWAYS TRUE while the phase is PHASE_MARK:
 *
 *   .once     An object turns grey at most once a cycle: marks_win() has one
 *             winner, and the winner alone buffers it.
 *   .newborn  An object allocated now is black already.
 *   .places   Grey objects and raw words are in the two lists, in a marker's
 *             packet and FIFO, or in a thread's log.  terminate.c looks in
 *             exactly these places.
 *   .prompt   mark_drain() looks up after its budget; one step is at most one
 *             piece of an object (scan_piece_bytes).
 *
 * PREFETCHING.  An object taken from a packet is prefetched and waits in a FIFO
 * while FIFO_SLOTS others are read (Cher, Hosking, Vitek: Software prefetching
 * for mark-sweep garbage collection, 2004).  Marking when found, not when
 * taken, means each object is buffered once and the bitmaps, which stay in
 * cache, take the random accesses.
 *
 * ORDERING
 *   mark bits       relaxed: the bit publishes nothing, the packet does
 *   packets         release and acquire, in grey.c
 *   slot loads      acquire, in scan.c
 *
 * MEMORY  Packets alone.  When there are none the object stays marked and
 * `overflowed` is set: mark_rescan() finds it again.  Slower, never wrong.
 *
 * Tested by tests/unit/mark.c, tests/stress/graph.c and, after each cycle under
 * DUSK_DEBUG=checkmark=1, by verify.c. */
#include "collect/mark.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "collect/scan.h"
#include "os/clock.h"

bool mark_enter(struct dusk_tracer *tracer, struct collector *collector)
{
  struct grey *grey = &collector->grey;
  if (!grey_enter(grey))
    return false;
  struct arena *arena = &collector->arena;
  uint32_t epoch = LOAD_RELAXED(&collector->epoch); /* entering ordered it */
  *tracer = (struct dusk_tracer){
      .base = arena->base,
      .bytes = (size_t)LOAD_ACQUIRE(&arena->end) << PAGE_LOG2,
      .roles = arena_roles(arena, epoch),
      .collector = collector,
  };
  tracer->marks = tracer->roles.marks;
  tracer->packet = grey_packet(grey);
  if (tracer->packet)
    return true;
  grey_leave(grey);
  return false;
}

/* Scan work is credited to the cycle, for the pacer. */
static void count_work(struct dusk_tracer *tracer)
{
  ADD_RELAXED(&tracer->collector->pacing.heap_work,
              tracer->work - tracer->counted);
  tracer->counted = tracer->work;
}

static void empty_fifo(struct dusk_tracer *tracer)
{
  for (; tracer->fifo_count; tracer->fifo_count--)
    mark_push(tracer, tracer->fifo[tracer->fifo_first++ % FIFO_SLOTS]);
}

void mark_share(struct dusk_tracer *tracer)
{
  struct grey *grey = &tracer->collector->grey;
  empty_fifo(tracer);
  struct packet *next = tracer->packet->count ? grey_packet(grey) : NULL;
  if (next) {
    grey_hand_over(grey, &grey->objects, tracer->packet);
    tracer->packet = next;
  }
  STORE_RELAXED(&grey->hungry, 0);
}

void mark_leave(struct dusk_tracer *tracer)
{
  struct grey *grey = &tracer->collector->grey;
  count_work(tracer);
  empty_fifo(tracer);
  if (tracer->packet->count)
    grey_hand_over(grey, &grey->objects, tracer->packet);
  else
    grey_recycle(grey, tracer->packet);
  if (tracer->spare)
    grey_recycle(grey, tracer->spare);
  grey_leave(grey);
}

/* The packet is full: it goes to the list, for others.  false: there is no
 * other to go on with. */
static COLD bool change_packet(struct dusk_tracer *tracer)
{
  struct grey *grey = &tracer->collector->grey;
  struct packet *next = tracer->spare ? tracer->spare : grey_packet(grey);
  tracer->spare = NULL;
  if (!next) {
    STORE_RELAXED(&grey->overflowed, 1);
    return false;
  }
  grey_hand_over(grey, &grey->objects, tracer->packet);
  tracer->packet = next;
  return true;
}

void mark_push(struct dusk_tracer *tracer, uintptr_t word)
{
  CHAOS("marked-not-grey");
  if (tracer->packet->count == PACKET_WORDS && !change_packet(tracer))
    return;
  tracer->packet->words[tracer->packet->count++] = word;
}

void dusk_trace(dusk_tracer *tracer, void *const *slot)
{
  mark_word(tracer, (uintptr_t)LOAD_ACQUIRE(slot)); /* with dusk_store() */
}

/* Tests the words of a raw packet. */
static void mark_raw(struct dusk_tracer *tracer, struct packet *raw)
{
  const struct arena *arena = &tracer->collector->arena;
  uintptr_t start;
  for (uint32_t i = 0; i < raw->count; i++)
    if (word_is_white(arena, tracer->roles, raw->words[i], &start))
      mark_word(tracer, start);
  tracer->work += raw->count * sizeof(uintptr_t);
}

/* Gets words into the marker's packet; false: the grey set is empty. */
static bool refill(struct dusk_tracer *tracer)
{
  struct grey *grey = &tracer->collector->grey;
  while (!tracer->packet->count) {
    struct packet *packet = grey_pop(grey, &grey->objects);
    if (packet) {
      if (tracer->spare)
        grey_recycle(grey, tracer->spare);
      tracer->spare = tracer->packet;
      tracer->packet = packet;
      return true;
    }
    packet = grey_pop(grey, &grey->raw);
    if (!packet)
      return false;
    mark_raw(tracer, packet);
    grey_recycle(grey, packet);
  }
  return true;
}

static uintptr_t packet_pop(struct packet *packet)
{
  return packet->words[--packet->count];
}

/* Puts the rest of a large object back, and reads its first piece. */
static void scan_piece(struct dusk_tracer *tracer, const struct kind *kind,
                       uintptr_t start, uintptr_t end, size_t piece)
{
  if (end - start > piece) {
    if (tracer->packet->count + 2 > PACKET_WORDS && !change_packet(tracer)) {
      scan_range(tracer, kind, start, end);
      tracer->work += end - start;
      return;
    }
    tracer->packet->words[tracer->packet->count++] = end;
    tracer->packet->words[tracer->packet->count++] =
        (start + piece) | PIECE_TAG;
    end = start + piece;
  }
  scan_range(tracer, kind, start, end);
  tracer->work += end - start;
}

static void scan_object(struct dusk_tracer *tracer, uintptr_t start)
{
  const struct arena *arena = &tracer->collector->arena;
  uint32_t page = arena_page_of(arena, start);
  uint64_t info = LOAD_RELAXED(&arena->info[page]);
  const struct kind *kind = kind_of_page(&arena->kinds, pageinfo_kind(info));
  if (LIKELY(pageinfo_class(info) != CLASS_LARGE)) {
    size_t bytes = dusk_class_size(pageinfo_class(info));
    scan_range(tracer, kind, start, start + bytes);
    tracer->work += bytes;
    return;
  }
  uintptr_t end = start + span_bytes(&arena->spans[pageinfo_head(info)]);
  size_t piece = scan_piece_bytes(kind);
  scan_piece(tracer, kind, start, end, piece ? piece : end - start);
}

/* Goes on with a large object: the tagged word was just taken. */
static void resume_piece(struct dusk_tracer *tracer, uintptr_t tagged)
{
  const struct arena *arena = &tracer->collector->arena;
  uintptr_t start = tagged & ~(uintptr_t)PIECE_TAG;
  uintptr_t end = packet_pop(tracer->packet);
  uint64_t info = LOAD_RELAXED(&arena->info[arena_page_of(arena, start)]);
  const struct kind *kind = kind_of_page(&arena->kinds, pageinfo_kind(info));
  scan_piece(tracer, kind, start, end, scan_piece_bytes(kind));
}

/* Does the object hold pointers?  Asked before it is prefetched: a leaf's
 * memory is never touched. */
static bool needs_scan(const struct arena *arena, uintptr_t start)
{
  uint64_t info = LOAD_RELAXED(&arena->info[arena_page_of(arena, start)]);
  return kind_is_scanned(&arena->kinds, pageinfo_kind(info));
}

/* Fills the FIFO from the packet. */
static void fill_fifo(struct dusk_tracer *tracer)
{
  const struct arena *arena = &tracer->collector->arena;
  while (tracer->fifo_count < FIFO_SLOTS) {
    if (UNLIKELY(!tracer->packet->count) &&
        (tracer->fifo_count || !refill(tracer)))
      return;
    uintptr_t word = packet_pop(tracer->packet);
    if (UNLIKELY(word & PIECE_TAG)) {
      resume_piece(tracer, word);
      return;
    }
    if (!needs_scan(arena, word))
      continue;
    __builtin_prefetch((const void *)word);
    tracer->fifo[(tracer->fifo_first + tracer->fifo_count++) % FIFO_SLOTS] =
        word;
  }
}

bool mark_drain(struct dusk_tracer *tracer, uint64_t budget)
{
  bool more = true;
  uint64_t start = tracer->work;
  while (tracer->work - start < budget) {
    fill_fifo(tracer);
    if (tracer->fifo_count) {
      uintptr_t word = tracer->fifo[tracer->fifo_first % FIFO_SLOTS];
      tracer->fifo_first++;
      tracer->fifo_count--;
      scan_object(tracer, word);
    } else if (!tracer->packet->count && !refill(tracer)) {
      more = false;
      break;
    }
  }
  count_work(tracer);
  return more;
}

uint64_t mark_assist(struct collector *collector, uint64_t work)
{
  struct dusk_tracer tracer;
  struct pacing *pacing = &collector->pacing;
  if (grey_is_empty(&collector->grey)) {
    STORE_RELAXED(&collector->grey.hungry, 1);
    return 0;
  }
  if (!mark_enter(&tracer, collector))
    return 0;
  uint64_t start = clock_now();
  mark_drain(&tracer, work);
  mark_leave(&tracer);
  ADD_RELAXED(&pacing->assist_ns, clock_now() - start);
  return tracer.work;
}

static void rescan_span(struct dusk_tracer *tracer, const struct span *span)
{
  const struct arena *arena = &tracer->collector->arena;
  size_t first = span_first_granule(arena, span);
  size_t end = first + (size_t)span->pages * PAGE_GRANULES;
  size_t granule = first;
  if (!kind_is_scanned(&arena->kinds, span->kind))
    return;
  while ((granule = bits_find(tracer->marks, granule, end)) < end) {
    scan_object(tracer, arena->base + (granule << GRANULE_LOG2));
    mark_drain(tracer, UINT64_MAX);
    granule++;
  }
}

void mark_rescan(struct dusk_tracer *tracer)
{
  const struct arena *arena = &tracer->collector->arena;
  STORE_RELAXED(&tracer->collector->grey.overflowed, 0);
  for (uint32_t page = 0; (page = arena_next_head(arena, page + 1));)
    rescan_span(tracer, &arena->spans[page]);
}
