/* SPDX-License-Identifier: MIT */
/* remark.c -- a second marker: slow, simple, alone
 *
 * WHAT MAY BE WHITE.  Marking is over and barriers are on, so nothing that the
 * program can reach is white, and what it allocates is black.  That holds for
 * the values of the program's variables.  The words of a stack, a register, a
 * root and a conservative object are more than that, and some of them may
 * name a white object that nobody can reach:
 *
 *   ours     a free slot that a thread is about to hand out, in a frame of the
 *            library: registers, and words below the program's frames.
 *   old      what an earlier call left where a later one has its frame, and has
 *            not written yet.  Stacks are scrubbed (poll.c), so that only what
 *            was written after H2 is there.
 *   behind   the end of an array, which is the start of its neighbour; the end
 *            of a run that is used up, and where the object would end that the
 *            program's inline code has asked of it (<dusk/alloc.h>).  A word
 *            does not count where a marked slot ends, nor a slot further on.
 *   before   a thread that attached while the cycle ran brings its stack along,
 *            with words from its life before.
 *   mixed    a flag in the low byte of a register that held a pointer: compiled
 *            under ThreadSanitizer, stacks have such words, a pointer with its
 *            low byte 0 or 1, and so often a span's first slot.  There they are
 *            no evidence at all.
 *
 * Such words are followed to what is marked, and are no evidence against the
 * rest.  A slot that a layout or a callback names has no such excuse.
 *
 * Tested by tests/unit/checkmark.c, which takes marks away one by one. */
#include "inspect/remark.h"

#include "base/bits.h"
#include "base/check.h"
#include "inspect/place.h"
#include "os/vm.h"

enum { WORD = sizeof(uintptr_t) };

static size_t table_bytes(size_t granules)
{
  return align_up(granules * WORD + WORD, vm_page_size());
}

bool remark_open(struct remark *remark, struct dusk_heap *heap,
                 uint64_t joined_before)
{
  struct collector *collector = &heap->collector;
  struct arena *arena = &collector->arena;
  size_t granules = (size_t)arena->end * PAGE_GRANULES;
  *remark = (struct remark){
      .heap = heap,
      .arena = arena,
      .roles = arena_roles(arena, collector->epoch),
      .joined_before = joined_before,
      .granules = granules,
      .parents = vm_map(table_bytes(granules)),
      .work = vm_map(table_bytes(granules)),
  };
  if (remark->parents && remark->work)
    return true;
  remark_close(remark);
  return false;
}

void remark_close(struct remark *remark)
{
  if (remark->parents)
    vm_unmap(remark->parents, table_bytes(remark->granules));
  if (remark->work)
    vm_unmap(remark->work, table_bytes(remark->granules));
}

static void find(struct remark *remark, enum remark_fault fault, uintptr_t slot,
                 uintptr_t word)
{
  if (remark->findings < REMARK_FINDINGS)
    remark->finding[remark->findings++] =
        (struct finding){.fault = fault, .slot = slot, .word = word};
}

static void reach(struct remark *remark, const struct thing *thing,
                  uintptr_t slot)
{
  if (remark->parents[thing->granule])
    return;
  remark->parents[thing->granule] = slot;
  remark->work[remark->count++] = thing->start;
  remark->reached++;
  if (!thing_is_marked(thing, remark->roles))
    find(remark, REMARK_MISSED, slot, thing->start);
}

/* A marked slot ends here. */
static bool is_end(const struct remark *remark, uintptr_t at,
                   struct thing *slot)
{
  return thing_ends_at(remark->arena, at, slot) &&
         thing_is_marked(slot, remark->roles);
}

/* A marked slot ends a slot of its own size further in front. */
static bool is_next_end(const struct remark *remark, uintptr_t at, size_t bytes)
{
  struct thing slot;
  return bytes && is_end(remark, at - bytes, &slot) && slot.bytes == bytes;
}

static bool is_behind(const struct remark *remark, uintptr_t word,
                      const struct thing *thing)
{
  struct thing slot;
  return is_end(remark, word, &slot) ||
         is_next_end(remark, word, thing->bytes) ||
         is_next_end(remark, word, thing_size_in_front(remark->arena, thing));
}

/* A word that may be anything. */
static void follow_ambiguous(struct remark *remark, uintptr_t slot)
{
  uintptr_t word = thing_word(slot);
  struct thing thing;
  if (!thing_find(remark->arena, word, &thing) ||
      !thing_is_allocated(&thing, remark->roles))
    return;
  if (!thing_is_marked(&thing, remark->roles) &&
      (!remark->trusted || is_behind(remark, word, &thing))) {
    remark->doubtful++;
    return;
  }
  reach(remark, &thing, slot);
}

static void follow_pointer(struct remark *remark, uintptr_t slot)
{
  uintptr_t word = LOAD_ACQUIRE((uintptr_t *)slot); /* with dusk_store() */
  struct thing thing;
  if (word - remark->arena->base >= remark->arena->bytes)
    return;
  if (!thing_find(remark->arena, word, &thing) || word != thing.start ||
      !thing_is_allocated(&thing, remark->roles))
    find(remark, REMARK_DANGLING, slot, word);
  else
    reach(remark, &thing, slot);
}

static void visit_slot(void *context, const struct thing *holder,
                       uintptr_t slot, bool precise)
{
  (void)holder;
  if (precise)
    follow_pointer(context, slot);
  else
    follow_ambiguous(context, slot);
}

static void drain(struct remark *remark)
{
  struct thing thing;
  remark->trusted = true;
  while (remark->count)
    if (thing_find(remark->arena, remark->work[--remark->count], &thing))
      thing_slots(&thing, visit_slot, remark);
}

/* See above. */
static bool is_trusted(const struct remark *remark, const struct place *place,
                       uintptr_t at)
{
  const struct dusk_thread *thread = place->thread;
  if (!thread)
    return true;
  if (THREAD_SANITIZER)
    return false;
  return place->kind == PLACE_STACK && at >= thread->entry_sp &&
         thread->life.number <= remark->joined_before;
}

static void visit_place(void *context, const struct place *place)
{
  struct remark *remark = context;
  for (uintptr_t at = place->start; at < place->end; at += WORD) {
    remark->trusted = is_trusted(remark, place, at);
    follow_ambiguous(remark, at);
  }
}

void remark_run(struct remark *remark)
{
  place_each(remark->heap, visit_place, remark);
  drain(remark);
}

enum { PATH_MAX_SHOWN = 12 };

void remark_print_path(struct remark *remark, uintptr_t slot)
{
  uintptr_t slots[PATH_MAX_SHOWN];
  unsigned count = 0;
  struct thing thing;
  char text[512];
  for (;;) {
    if (count < PATH_MAX_SHOWN)
      slots[count] = slot;
    count++;
    if (!thing_find(remark->arena, slot, &thing))
      break;
    slot = remark->parents[thing.granule];
  }
  place_print(remark->heap, slot, text, sizeof text);
  complain("  reached from %s", text);
  if (count > PATH_MAX_SHOWN)
    complain("    -> %u objects", count - PATH_MAX_SHOWN);
  for (unsigned i = count < PATH_MAX_SHOWN ? count : PATH_MAX_SHOWN; i-- > 0;) {
    if (!thing_find(remark->arena, slots[i], &thing))
      continue;
    thing_print(&thing, text, sizeof text);
    complain("    -> object %s, slot +%zu", text,
             (size_t)(slots[i] - thing.start));
  }
}
