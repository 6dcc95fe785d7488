/* SPDX-License-Identifier: MIT */
/* cache.c -- a thread's runs, and the spans that they are cut from
 *
 * READING WITHOUT STOPPING.  `taken` and the runs change together; readers on
 * other threads take both between two equal, even values of `version` (a
 * sequence lock).  The writer's stores inside are releases and the reader's
 * loads acquires, which is what orders them against `version`.
 *
 * SAMPLES.  Where a sample falls into a run, the run is cut: to who allocates
 * inline it ends before the slot that contains the sample point, so that this
 * object is handed out by the slow path (cache_take_sampled).  The limit of a
 * cut run lies one byte behind that slot's start: that is too little for an
 * object, it is no multiple of 16, which tells a cut from an end, and it leaves
 * no doubt which span it is in.  The true end of a run, cut or not, is its
 * span's next_slot; what lies behind the cut is not counted as taken yet. */
#include "mutator/cache.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "base/steps.h"
#include "heap/central.h"
#include "heap/run.h"

struct span *cache_span(struct dusk_thread *thread, const struct dusk_run *run)
{
  if (!run->limit)
    return NULL;
  uint64_t info = LOAD_RELAXED(
      &thread->arena->info[arena_page_of(thread->arena, run->limit - 1)]);
  return &thread->arena->spans[pageinfo_head(info)];
}

/* Replaces a run, and counts `objects` more as taken. */
static void set_run(struct dusk_thread *thread, const struct span *span,
                    uintptr_t cursor, uintptr_t limit, int64_t objects)
{
  struct dusk_run *run = cache_run(thread, span->kind, span->size_class);
  uint64_t *taken = &thread->taken.objects[span->size_class];
  STORE_RELAXED(&thread->version, thread->version + 1);
  STORE_RELEASE(taken, *taken + (uint64_t)objects); /* with cache_read() */
  CHAOS("run-half-set");
  STORE_RELEASE(&run->cursor, cursor);
  STORE_RELEASE(&run->limit, limit);
  STORE_RELEASE(&thread->version, thread->version + 1);
}

static uint32_t slot_at(struct dusk_thread *thread, const struct span *span,
                        uintptr_t address)
{
  return span_slot(span, address - span_slot_address(thread->arena, span, 0));
}

static bool is_cut(const struct dusk_run *run)
{
  return run->limit & 1;
}

/* Makes [slot, next_slot) the run, up to a sample; `objects` before it were
 * handed out meanwhile. */
static void open_run(struct dusk_thread *thread, const struct span *span,
                     uint32_t slot, int64_t objects)
{
  uintptr_t start = span_slot_address(thread->arena, span, slot);
  uintptr_t limit = span_slot_address(thread->arena, span, span->next_slot);
  uint32_t end = span->next_slot;
  uint64_t at;
  if (UNLIKELY(sampling_falls(&thread->sampling,
                              profile_rate(&thread->arena->profile),
                              limit - start, &at))) {
    end = slot_at(thread, span, start + at);
    limit = span_slot_address(thread->arena, span, end) + 1;
  }
  set_run(thread, span, start, limit, (int64_t)(end - slot) + objects);
}

/* Publishes [run_slot, slot) as allocated. */
static void publish(struct dusk_thread *thread, struct span *span,
                    uint32_t slot)
{
  size_t stride = span_stride(span);
  size_t first = span_first_granule(thread->arena, span);
  allocated_set(thread->roles.allocated, first + span->run_slot * stride,
                stride, slot - span->run_slot);
  span->run_slot = slot;
}

/* Gives up what is left of the span's run; afterwards next_slot is at
 * or before the first slot that nobody was given. */
static void abandon_run(struct dusk_thread *thread, struct span *span)
{
  struct dusk_run *run = cache_run(thread, span->kind, span->size_class);
  uint32_t slot = slot_at(thread, span, run->cursor);
  uint32_t counted = slot_at(thread, span, run->limit);
  uint32_t end = span->next_slot;
  size_t stride = span_stride(span);
  size_t first = span_first_granule(thread->arena, span);
  if (!thread->black)
    publish(thread, span, slot);
  else
    marks_drop(thread->roles.marks, first + slot * stride, stride, end - slot);
  span->allocated -= end - slot;
  if (slot < end)
    span->next_slot = slot;
  set_run(thread, span, 0, 0, -(int64_t)(counted - slot));
}

static void unlink_held(struct dusk_thread *thread, struct span *span)
{
  struct span *spans = thread->arena->spans;
  if (span->prev)
    spans[span->prev].next = span->next;
  else
    thread->held = span->next;
  if (span->next)
    spans[span->next].prev = span->prev;
  span->next = span->prev = PAGE_NONE;
}

/* Makes the span's next run the thread's; false: it has none and has left. */
static bool enter_run(struct dusk_thread *thread, struct span *span)
{
  struct arena *arena = thread->arena;
  struct run run = run_next(arena, thread->roles.allocated, span);
  CHAOS("run-not-entered");
  if (!run.slots) {
    set_run(thread, span, 0, 0, 0);
    unlink_held(thread, span);
    span_set_state(span, SPAN_FULL);
    return false;
  }
  if (thread->black)
    marks_set(thread->roles.marks,
              span_first_granule(arena, span) + run.slot * span_stride(span),
              span_stride(span), run.slots);
  span->run_slot = run.slot;
  span->allocated += run.slots;
  open_run(thread, span, run.slot, 0);
  return true;
}

bool cache_next_run(struct dusk_thread *thread, dusk_kind kind,
                    unsigned size_class)
{
  struct dusk_run *run = cache_run(thread, kind, size_class);
  struct span *span = cache_span(thread, run);
  if (!span)
    return false;
  CHECK(run->cursor == run->limit);
  if (!thread->black)
    publish(thread, span, slot_at(thread, span, run->limit));
  return enter_run(thread, span);
}

void *cache_take_sampled(struct dusk_thread *thread, dusk_kind kind,
                         unsigned size_class)
{
  struct dusk_run *run = cache_run(thread, kind, size_class);
  if (LIKELY(!is_cut(run)))
    return NULL;
  const struct span *span = cache_span(thread, run);
  uintptr_t start = run->cursor;
  CHECK(start + 1 == run->limit);
  open_run(thread, span, slot_at(thread, span, start) + 1, 1);
  return (void *)start;
}

bool cache_adopt(struct dusk_thread *thread, struct span *span)
{
  struct span *spans = thread->arena->spans;
  uint32_t page = arena_span_page(thread->arena, span);
  CHECK(span_state(span) == SPAN_CACHED && span->epoch == thread->epoch);
  span->prev = PAGE_NONE;
  span->next = thread->held;
  if (thread->held)
    spans[thread->held].prev = page;
  thread->held = page;
  CHAOS("span-held");
  return enter_run(thread, span);
}

void cache_blacken(struct dusk_thread *thread)
{
  struct arena *arena = thread->arena;
  struct span *span;
  for (uint32_t page = thread->held; page; page = span->next) {
    span = &arena->spans[page];
    struct dusk_run *run = cache_run(thread, span->kind, span->size_class);
    uint32_t slot = slot_at(thread, span, run->cursor);
    size_t stride = span_stride(span);
    publish(thread, span, slot);
    marks_set(thread->roles.marks,
              span_first_granule(arena, span) + slot * stride, stride,
              span->next_slot - slot);
  }
}

/* Takes the first held span out of the cache. */
static struct span *let_go(struct dusk_thread *thread)
{
  struct span *span = &thread->arena->spans[thread->held];
  abandon_run(thread, span);
  unlink_held(thread, span);
  return span;
}

void cache_drop(struct dusk_thread *thread)
{
  while (thread->held)
    span_set_state(let_go(thread), SPAN_FULL);
}

void cache_leave(struct dusk_thread *thread)
{
  struct arena *arena = thread->arena;
  while (thread->held) {
    struct span *span = let_go(thread);
    /* Behind next_slot there may be nothing but objects of before. */
    if (span->allocated == span->slots) {
      span_set_state(span, SPAN_FULL);
      continue;
    }
    flow_untake(&arena->flow, thread->epoch,
                (uint64_t)(span->slots - span->allocated) * span->size,
                kind_is_scanned(&arena->kinds, span->kind));
    central_give(arena, span, thread->epoch);
  }
}

void cache_count_large(struct dusk_thread *thread, uint64_t bytes)
{
  struct tally *taken = &thread->taken;
  STORE_RELAXED(&thread->version, thread->version + 1);
  STORE_RELEASE(&taken->objects[COUNTER_LARGE],
                taken->objects[COUNTER_LARGE] + 1); /* with cache_read() */
  STORE_RELEASE(&taken->large_bytes, taken->large_bytes + bytes);
  STORE_RELEASE(&thread->version, thread->version + 1);
}

static void read_once(const struct dusk_thread *thread, struct tally *sum)
{
  const struct kinds *kinds = &thread->arena->kinds;
  for (unsigned i = 0; i < COUNTER_ROWS; i++)
    sum->objects[i] = LOAD_ACQUIRE(&thread->taken.objects[i]);
  sum->large_bytes = LOAD_ACQUIRE(&thread->taken.large_bytes);
  for (uint32_t k = kinds_count(kinds); k-- > 0;) {
    const struct kind *kind = kind_find(kinds, k);
    for (unsigned w = 0; w < KIND_CLASS_WORDS; w++) {
      uint64_t classes = LOAD_RELAXED(&kind->classes[w]);
      for (; classes; classes &= classes - 1) {
        unsigned c = w * 64 + bit_lowest(classes);
        const struct dusk_run *run = &thread->abi.rows[k].runs[c];
        uintptr_t cursor = LOAD_ACQUIRE(&run->cursor);
        sum->objects[c] -=
            (LOAD_ACQUIRE(&run->limit) - cursor) / dusk_class_size(c);
      }
    }
  }
}

void cache_read(const struct dusk_thread *thread, struct tally *sum)
{
  struct tally mine;
  for (;;) {
    uint32_t version = LOAD_ACQUIRE(&thread->version); /* with set_run() */
    read_once(thread, &mine);
    if (!(version & 1) && LOAD_RELAXED(&thread->version) == version)
      break;
    steps_yield(); /* the owner may have lost its processor inside */
  }
  tally_fold(sum, &mine);
}
