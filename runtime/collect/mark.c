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
 * Tested by tests/unit/mark.c and overflow.c, tests/stress/graph.c and, after
 * each marking under DUSK_DEBUG=checkmark=1, by inspect/remark.c. */
#include "collect/mark.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "collect/limiting.h"
#include "collect/scan.h"
#include "os/clock.h"

/* Makes a raw packet one of objects, in place: words that name a white object
 * become that object, now grey, and the others go. */
static void test_words(struct dusk_tracer *tracer, struct packet *packet)
{
  const struct arena *arena = &tracer->collector->arena;
  uint32_t kept = 0;
  uintptr_t start;
  tracer->work += packet->count * sizeof(uintptr_t);
  for (uint32_t i = 0; i < packet->count; i++)
    if (word_is_white(arena, tracer->roles, packet->words[i], &start) &&
        marks_win(tracer->marks, arena_granule(arena, start)))
      packet->words[kept++] = start;
  packet->count = kept;
}

/* A packet of objects from the grey set; NULL: that is empty. */
static struct packet *take_packet(struct dusk_tracer *tracer)
{
  struct grey *grey = &tracer->collector->grey;
  CHAOS("packet-not-taken");
  struct packet *packet = grey_pop(grey, &grey->objects);
  if (!packet && (packet = grey_pop(grey, &grey->raw)))
    test_words(tracer, packet);
  return packet;
}

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
  if (!tracer->packet) /* all are full: then there is one to empty */
    tracer->packet = take_packet(tracer);
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
  if (!next)
    return false;
  grey_hand_over(grey, &grey->objects, tracer->packet);
  tracer->packet = next;
  return true;
}

void mark_push(struct dusk_tracer *tracer, uintptr_t word)
{
  CHAOS("marked-not-grey");
  if (tracer->packet->count < PACKET_WORDS || change_packet(tracer))
    tracer->packet->words[tracer->packet->count++] = word;
  else
    STORE_RELAXED(&tracer->collector->grey.overflowed, 1);
}

void dusk_trace(dusk_tracer *tracer, void *const *slot)
{
  if (UNLIKELY(tracer->note != NULL))
    tracer->note(tracer->note_context, slot);
  else
    mark_word(tracer, (uintptr_t)LOAD_ACQUIRE(slot)); /* with dusk_store() */
}

/* Gets words into the marker's packet; false: the grey set is empty. */
static bool refill(struct dusk_tracer *tracer)
{
  while (!tracer->packet->count) {
    struct packet *packet = take_packet(tracer);
    if (!packet)
      return false;
    if (tracer->spare)
      grey_recycle(&tracer->collector->grey, tracer->spare);
    tracer->spare = tracer->packet;
    tracer->packet = packet;
  }
  return true;
}

static uintptr_t packet_top(const struct packet *packet)
{
  return packet->words[packet->count - 1];
}

static uintptr_t packet_pop(struct packet *packet)
{
  return packet->words[--packet->count];
}

/* Puts the rest of a large object back, and reads its first piece.  Where there
 * is no packet for the rest, it is read at once: late for others, not lost. */
static void scan_piece(struct dusk_tracer *tracer, const struct kind *kind,
                       uintptr_t start, uintptr_t end, size_t piece)
{
  if (end - start > piece &&
      (tracer->packet->count + 2 <= PACKET_WORDS || change_packet(tracer))) {
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
  CHAOS("object-not-read");
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

/* Goes on with the large object whose piece is on top of the packet. */
static void resume_piece(struct dusk_tracer *tracer)
{
  const struct arena *arena = &tracer->collector->arena;
  uintptr_t start = packet_pop(tracer->packet) & ~(uintptr_t)PIECE_TAG;
  uintptr_t end = packet_pop(tracer->packet);
  uint64_t info = LOAD_RELAXED(&arena->info[arena_page_of(arena, start)]);
  const struct kind *kind = kind_of_page(&arena->kinds, pageinfo_kind(info));
  scan_piece(tracer, kind, start, end, scan_piece_bytes(kind));
}

/* The marker's state that the loop keeps in registers: while it is loaded, the
 * tracer's own copy is stale. */
struct hot {
  uintptr_t *top;    /* the packet's next free word */
  uintptr_t *bottom; /* its first */
  uint32_t fifo_first;
  uint32_t fifo_count;
  uint64_t work;
};

static inline struct hot hot_load(const struct dusk_tracer *tracer)
{
  struct packet *packet = tracer->packet;
  return (struct hot){
      .top = packet->words + packet->count,
      .bottom = packet->words,
      .fifo_first = tracer->fifo_first,
      .fifo_count = tracer->fifo_count,
      .work = tracer->work,
  };
}

static inline void hot_store(const struct hot *hot, struct dusk_tracer *tracer)
{
  tracer->packet->count = (uint32_t)(hot->top - hot->bottom);
  tracer->fifo_first = hot->fifo_first;
  tracer->fifo_count = hot->fifo_count;
  tracer->work = hot->work;
}

static inline struct reader reader_at(const struct arena *arena,
                                      uintptr_t start, uint64_t *info)
{
  *info = LOAD_RELAXED(&arena->info[arena_page_of(arena, start)]);
  return arena->kinds.readers[pageinfo_kind(*info)];
}

/* Fills the FIFO from the packet: objects with pointers, prefetched.  A leaf's
 * memory is never touched.  Stops at a piece of a large object. */
static inline void hot_fill(struct hot *hot, struct dusk_tracer *tracer,
                            const struct arena *arena)
{
  while (hot->fifo_count < FIFO_SLOTS && hot->top > hot->bottom) {
    uint64_t info;
    uintptr_t word = *--hot->top;
    if (UNLIKELY(word & PIECE_TAG)) {
      hot->top++;
      return;
    }
    if (reader_at(arena, word, &info).how == READ_NOTHING)
      continue;
    __builtin_prefetch((const void *)word);
    tracer->fifo[(hot->fifo_first + hot->fifo_count++) % FIFO_SLOTS] = word;
  }
}

static inline void hot_push(struct hot *hot, struct dusk_tracer *tracer,
                            uintptr_t word)
{
  CHAOS("marked-not-grey");
  if (UNLIKELY(hot->top == hot->bottom + PACKET_WORDS)) {
    hot_store(hot, tracer);
    mark_push(tracer, word);
    *hot = hot_load(tracer);
  } else {
    *hot->top++ = word;
  }
}

/* Scans an object of few words, which is what most are: mark_word() and
 * scan_range() again, in registers. */
static inline void hot_scan(struct hot *hot, struct dusk_tracer *tracer,
                            uintptr_t base, size_t bytes, uint64_t *marks,
                            const uintptr_t *words, uint64_t bits)
{
  for (; bits; bits &= bits - 1) {
    uintptr_t word = LOAD_ACQUIRE(&words[bit_lowest(bits)]); /* dusk_store */
    CHAOS("slot-read");
    uintptr_t offset = word - base;
    if (offset < bytes && marks_win(marks, offset >> GRANULE_LOG2))
      hot_push(hot, tracer, word);
  }
}

/* Marks while the packet and FIFO hold whole objects, up to `limit` work. */
static void drain_hot(struct dusk_tracer *tracer, uint64_t limit)
{
  const struct arena *arena = &tracer->collector->arena;
  struct hot hot = hot_load(tracer);
  uintptr_t base = tracer->base;
  size_t bytes = tracer->bytes;
  uint64_t *marks = tracer->marks;
  for (hot_fill(&hot, tracer, arena); hot.fifo_count;
       hot_fill(&hot, tracer, arena)) {
    uint64_t info;
    uintptr_t start = tracer->fifo[hot.fifo_first++ % FIFO_SLOTS];
    struct reader reader = reader_at(arena, start, &info);
    hot.fifo_count--;
    CHAOS("object-not-read");
    if (LIKELY(reader.how == READ_BITS &&
               pageinfo_class(info) != CLASS_LARGE)) {
      hot.work += dusk_class_size(pageinfo_class(info));
      hot_scan(&hot, tracer, base, bytes, marks, (const uintptr_t *)start,
               reader.bits);
    } else {
      hot_store(&hot, tracer);
      scan_object(tracer, start);
      hot = hot_load(tracer);
    }
    if (hot.work >= limit)
      break;
  }
  hot_store(&hot, tracer);
}

bool mark_drain(struct dusk_tracer *tracer, uint64_t budget)
{
  bool more = true;
  uint64_t limit = tracer->work + budget;
  limit = limit < budget ? UINT64_MAX : limit;
  while (more && tracer->work < limit) {
    drain_hot(tracer, limit);
    if (tracer->fifo_count)
      continue;
    if (!tracer->packet->count)
      more = refill(tracer);
    else if (packet_top(tracer->packet) & PIECE_TAG)
      resume_piece(tracer);
  }
  count_work(tracer);
  return more;
}

uint64_t mark_some(struct collector *collector, uint64_t work)
{
  struct dusk_tracer tracer;
  if (grey_is_empty(&collector->grey)) {
    STORE_RELAXED(&collector->grey.hungry, 1);
    return 0;
  }
  if (!mark_enter(&tracer, collector))
    return 0;
  mark_drain(&tracer, work);
  mark_leave(&tracer);
  return tracer.work;
}

uint64_t mark_assist(struct collector *collector, uint64_t work, uint64_t *ns)
{
  uint64_t start = clock_now();
  uint64_t done = mark_some(collector, work);
  if (!done)
    return 0;
  uint64_t now = clock_now();
  *ns += now - start;
  ADD_RELAXED(&collector->pacing.assist_ns, now - start);
  limiter_add_gc(&collector->limiting.limiter, now - start);
  limiting_update(collector, now);
  return done;
}

static void rescan_span(struct dusk_tracer *tracer, const struct span *span)
{
  const struct arena *arena = &tracer->collector->arena;
  size_t first = span_first_granule(arena, span);
  size_t end = first + (size_t)span->pages * PAGE_GRANULES;
  size_t granule = first;
  if (!kind_is_scanned(&arena->kinds, span->kind))
    return;
  for (; (granule = bits_find(tracer->marks, granule, end)) < end; granule++) {
    /* Acquire: who is born black is zeroed before it is marked. */
    if (bit_test_acquire(tracer->marks, granule))
      scan_object(tracer, arena->base + (granule << GRANULE_LOG2));
    mark_drain(tracer, UINT64_MAX);
  }
}

void mark_rescan(struct dusk_tracer *tracer)
{
  const struct arena *arena = &tracer->collector->arena;
  STORE_RELAXED(&tracer->collector->grey.overflowed, 0);
  for (uint32_t page = 0; (page = arena_next_head(arena, page + 1));)
    rescan_span(tracer, &arena->spans[page]);
}
