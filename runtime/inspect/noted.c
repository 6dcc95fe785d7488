/* SPDX-License-Identifier: MIT */
/* noted.c -- what each thread holds, as it notes for itself
 *
 * The packets are those of the grey set, which is empty: marking is over.  One
 * thread that finds none says so, and the answer is "no memory"; it does not
 * wait, as at H2, since here nothing is lost.
 *
 * Tested by tests/api/snapshot.c. */
#include "inspect/noted.h"

#include "collect/handshake.h"
#include "os/tools.h"

enum { PAIR = 2, WORD = sizeof(uintptr_t) };

struct note {
  struct dusk_thread *thread;
  struct noted *noted;
  struct packet *packet; /* that is being filled, or NULL */
};

static void hand_over(struct note *note)
{
  if (note->packet)
    grey_push(note->thread->grey, &note->noted->packets, note->packet);
  note->packet = NULL;
}

/* false: there is none. */
static bool begin(struct note *note, enum noted_what what)
{
  hand_over(note);
  note->packet = grey_packet(note->thread->grey);
  if (!note->packet) {
    STORE_RELAXED(&note->noted->is_short, 1);
    return false;
  }
  note->packet->reserved = note->thread->life.number << 1 | what;
  return true;
}

static void put(struct note *note, uintptr_t first, uintptr_t second)
{
  struct packet *packet = note->packet;
  packet->words[packet->count++] = first;
  packet->words[packet->count++] = second;
}

static void put_word(struct note *note, uintptr_t word, uintptr_t address)
{
  const struct arena *arena = note->thread->arena;
  if (word - arena->base >= (size_t)LOAD_ACQUIRE(&arena->end) << PAGE_LOG2)
    return; /* with arena_commit() */
  if (note->packet && note->packet->count + PAIR <= PACKET_WORDS)
    put(note, word, address);
  else if (begin(note, NOTED_WORDS))
    put(note, word, address);
}

READS_AMBIGUOUS_WORDS
static void note_range(struct note *note, uintptr_t from, uintptr_t to)
{
  bool copies = note->thread->arena->copies;
  for (; from < to; from += WORD) {
    uintptr_t word;
    if (copies)
      tool_copy_words(&word, (const uintptr_t *)from, 1);
    else
      word = *(const volatile uintptr_t *)from;
    put_word(note, word, from);
  }
}

/* What stands in frames that AddressSanitizer has put elsewhere: see
 * gather_fake(). */
READS_AMBIGUOUS_WORDS
static void note_fake(struct note *note, void *fake, uintptr_t from,
                      uintptr_t to)
{
  uintptr_t start, end;
  for (; fake && from < to; from += WORD)
    if (tool_fake_frame(fake, *(const volatile uintptr_t *)from, &start, &end))
      note_range(note, start, end);
}

/* Of a thread outside they are known if somebody wanted them when it left. */
static void note_frames(struct note *note)
{
  struct dusk_thread *thread = note->thread;
  struct standing *standing = &thread->standing;
  bool is_outside = thread_state(thread) == THREAD_SERVED;
  unsigned count = is_outside && (thread->registry->framed || thread->framed)
                       ? standing->frame_count
                       : 0;
  if (!is_outside)
    count = standing->frame_count =
        unwind_frames(standing->frames, STANDING_FRAMES);
  if (!begin(note, NOTED_FRAMES))
    return;
  put(note, thread->stack_high, thread->entry_sp);
  for (unsigned i = 0; i < count; i++)
    put(note, standing->frames[i].pc, standing->frames[i].sp);
}

/* The step of a thread, on itself; or of the driver, for one outside. */
static bool serve_note(struct dusk_thread *thread,
                       const struct stack_view *stack)
{
  struct note note = {.thread = thread, .noted = thread->heap->noted};
  uintptr_t words = (uintptr_t)stack->words;
  uintptr_t words_end = words + stack->count * WORD;
  uintptr_t sp = stack->sp & ~(uintptr_t)(WORD - 1);
  note_frames(&note);
  hand_over(&note);
  note_range(&note, words, words_end);
  note_range(&note, sp, thread->stack_high);
  note_fake(&note, stack->fake, words, words_end);
  note_fake(&note, stack->fake, sp, thread->stack_high);
  hand_over(&note);
  return true;
}

void noted_gather(struct dusk_heap *heap, struct noted *noted)
{
  struct registry *registry = &heap->collector.registry;
  struct joining joining = registry->joining;
  joining.halts = false; /* if there was one, it is over */
  *noted = (struct noted){.is_short = 0};
  heap->noted = noted; /* the round publishes it */
  registry_post(registry, serve_note, joining);
  handshake_wait(&heap->collector);
  heap->noted = NULL;
}

void noted_release(struct dusk_heap *heap, struct noted *noted)
{
  struct grey *grey = &heap->collector.grey;
  struct packet *packet;
  while ((packet = grey_pop(grey, &noted->packets)))
    grey_recycle(grey, packet);
}
