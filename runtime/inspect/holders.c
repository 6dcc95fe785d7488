/* SPDX-License-Identifier: MIT */
/* holders.c -- what holds objects from outside the heap, for who reads a copy
 * of it
 *
 * A thread's packets are looked through twice for each thread: first to count
 * the words of each frame, then to put them where the count has made room.
 *
 * Tested by tests/api/snapshot.c. */
#include "inspect/holders.h"

#include "base/bits.h"
#include "inspect/thing.h"
#include "os/self.h"
#include "os/vm.h"

enum { WORD = sizeof(uintptr_t), PAIR = 2 };

/* Where a thread's words are counted: in the registers, in a frame of the
 * program, or nobody knows. */
enum { IN_REGISTERS, IN_FRAMES, PLACES = STANDING_FRAMES + IN_FRAMES + 1 };

struct making {
  struct holders *holders;
  const struct dusk_heap *heap;
  const struct noted *noted;
  uint64_t thread;
  const struct packet *frames; /* of the thread; NULL: none */
  size_t counts[PLACES];       /* words; then where the next one goes */
  size_t held;
};

static void add_segment(uintptr_t start, uintptr_t end, void *context)
{
  struct segments *segments = context;
  if (segments->count < SEGMENTS_MAX)
    segments->at[segments->count++] =
        (struct root){align_up(start, WORD), align_down(end, WORD)};
}

void segments_read(struct segments *segments)
{
  segments->count = 0;
  self_data_segments(add_segment, segments);
}

static void *room(size_t count, size_t bytes)
{
  return vm_map(align_up(count * bytes + 1, vm_page_size()));
}

/* ---- threads ---- */

static size_t place_of(const struct making *making, uintptr_t address)
{
  const struct packet *frames = making->frames;
  size_t place = IN_REGISTERS;
  if (address < frames->words[1] || address >= frames->words[0])
    return place;
  if (frames->count <= PAIR)
    return PLACES - 1;
  for (uint32_t i = PAIR; i < frames->count; i += PAIR)
    if (frames->words[i + 1] <= address)
      place = IN_FRAMES + i / PAIR - 1;
  return place;
}

/* The frame whose place is that. */
static uintptr_t pc_of(const struct making *making, size_t place)
{
  if (place == IN_REGISTERS)
    return PC_REGISTERS;
  if (place == PLACES - 1)
    return PC_UNKNOWN;
  return making->frames->words[(place - IN_FRAMES + 1) * PAIR];
}

typedef void word_visit(struct making *making, size_t place, uintptr_t word,
                        uintptr_t address);

static void each_word(struct making *making, word_visit *visit)
{
  const struct packet *packet = NULL;
  while ((packet = noted_next(making->heap, making->noted, packet)))
    if (noted_thread(packet) == making->thread &&
        noted_what(packet) == NOTED_WORDS)
      for (uint32_t i = 0; i < packet->count; i += PAIR)
        visit(making, place_of(making, packet->words[i + 1]), packet->words[i],
              packet->words[i + 1]);
}

static void count_word(struct making *making, size_t place, uintptr_t word,
                       uintptr_t address)
{
  (void)word;
  (void)address;
  making->counts[place]++;
}

static void put_word(struct making *making, size_t place, uintptr_t word,
                     uintptr_t address)
{
  making->holders->held[making->counts[place]++] =
      (struct held){.address = address, .word = word};
}

static struct holder *add(struct holders *holders, enum holder_kind kind)
{
  struct holder *holder = &holders->table[holders->count++];
  holder->kind = kind;
  holders->of_kind[kind]++;
  return holder;
}

static void add_frames(struct making *making)
{
  struct holders *holders = making->holders;
  struct holder *thread = add(holders, HOLDER_THREAD);
  thread->thread = making->thread;
  thread->first = holders->count;
  for (size_t place = 0; place < PLACES; place++)
    making->counts[place] = 0;
  each_word(making, count_word);
  for (size_t place = 0; place < PLACES; place++) {
    size_t count = making->counts[place];
    making->counts[place] = making->held;
    if (!count)
      continue;
    struct holder *frame = add(holders, HOLDER_FRAME);
    frame->thread = making->thread;
    frame->pc = pc_of(making, place);
    frame->first = making->held;
    frame->count = count;
    making->held += count;
  }
  thread->count = holders->count - thread->first;
  each_word(making, put_word);
}

/* Each thread has left one packet with frames.  In the order of their
 * numbers. */
static void add_threads(struct making *making)
{
  for (uint64_t last = 0;;) {
    const struct packet *packet = NULL;
    making->frames = NULL;
    while ((packet = noted_next(making->heap, making->noted, packet)))
      if (noted_what(packet) == NOTED_FRAMES && noted_thread(packet) > last &&
          (!making->frames ||
           noted_thread(packet) < noted_thread(making->frames)))
        making->frames = packet;
    if (!making->frames)
      return;
    making->thread = last = noted_thread(making->frames);
    add_frames(making);
  }
}

/* ---- memory ---- */

static void add_range(struct holders *holders, enum holder_kind kind,
                      const struct root *range)
{
  struct holder *holder = add(holders, kind);
  holder->start = align_up(range->start, WORD);
  holder->end = align_down(range->end, WORD);
}

static size_t count_packets(const struct making *making, enum noted_what what)
{
  size_t count = 0;
  const struct packet *packet = NULL;
  while ((packet = noted_next(making->heap, making->noted, packet)))
    count += noted_what(packet) == what;
  return count;
}

bool holders_make(struct holders *holders, const struct dusk_heap *heap,
                  const struct noted *noted, const struct segments *segments)
{
  struct making making = {.holders = holders, .heap = heap, .noted = noted};
  const struct rootset *set = &heap->collector.roots;
  size_t threads = count_packets(&making, NOTED_FRAMES);
  size_t words = count_packets(&making, NOTED_WORDS) * (PACKET_WORDS / PAIR);
  *holders = (struct holders){0};
  holders->table = room(threads * (1 + PLACES) + set->count + segments->count,
                        sizeof *holders->table);
  holders->held = room(words, sizeof *holders->held);
  if (!holders->table || !holders->held)
    return false; /* what there is goes with the child */
  add_threads(&making);
  for (size_t i = 0; i < set->count; i++)
    add_range(holders, HOLDER_ROOT, &set->roots[i]);
  for (size_t i = 0; i < segments->count; i++)
    add_range(holders, HOLDER_DATA, &segments->at[i]);
  return true;
}

void holder_words(const struct holders *holders, const struct holder *holder,
                  holder_visit *visit, void *context)
{
  const struct held *held = &holders->held[holder->first];
  if (holder->kind == HOLDER_FRAME)
    for (size_t i = 0; i < holder->count; i++)
      visit(context, held[i].address, held[i].word);
  if (holder->kind == HOLDER_ROOT || holder->kind == HOLDER_DATA)
    for (uintptr_t at = holder->start; at < holder->end; at += WORD)
      visit(context, at, thing_word(at));
}
