/* SPDX-License-Identifier: MIT */
/* inspect.c -- what the driver looks at between marking and the end of a cycle,
 * and after it
 *
 * Runs on the driver.  Nothing here is on the path of a program that runs
 * without debug options.
 *
 * Reports are written while the threads stand: what they tell of is still
 * there.  They name functions, which may ask the dynamic linker; a program that
 * comes to a safepoint inside a library's constructor, with the linker's lock,
 * would wait for a report that waits for it. */
#include "inspect/inspect.h"

#include "base/check.h"
#include "heap/heapcheck.h"
#include "heap/shadow.h"
#include "inspect/barriercheck.h"
#include "inspect/checkmark.h"
#include "inspect/halt.h"
#include "inspect/retention.h"
#include "inspect/rootcheck.h"
#include "inspect/snapshot.h"

#include <errno.h>
#include <unistd.h>

void inspect_imply(struct debug_options *debug)
{
  if (debug->barriercheck || debug->rootcheck || debug->retention)
    debug->origins = 1;
}

static void open_barriercheck(struct dusk_heap *heap)
{
  struct arena *arena = &heap->collector.arena;
  shadow_open(arena);
  if (!arena->shadow) {
    complain("barriercheck: no memory for it: stores are not checked");
    return;
  }
  heap->collector.registry.barrier = BARRIER_CHECK;
  if (heap->debug.barriercheck >= 2 && !barriercheck_fence(arena))
    complain("barriercheck=2 cannot be had here: it is 1");
}

void inspect_open(struct dusk_heap *heap)
{
  struct registry *registry = &heap->collector.registry;
  registry->scrubs = heap->debug.checkmark;
  registry->framed = heap->debug.checkmark || heap->debug.retention;
  if (heap->debug.barriercheck) {
    open_barriercheck(heap);
  }
}

void inspect_close(struct dusk_heap *heap)
{
  rootcheck_close(heap);
}

/* Whoever halted the threads has vanished, or asked for a report. */
void inspect_revive(struct dusk_heap *heap)
{
  heap->halt = NULL;
  heap->noted = NULL;
  heap->reports = NULL;
  heap->snapshots = NULL;
  if (heap->debug.rootcheck)
    rootcheck_revive(heap);
  if (heap->collector.arena.shadow)
    barriercheck_revive(heap);
}

void inspect_begin(struct dusk_heap *heap)
{
  STORE_RELAXED(&heap->joined_before,
                LOAD_RELAXED(&heap->collector.registry.joined));
}

/* false: a mistake was found, and said. */
static bool check_marks(struct dusk_heap *heap)
{
  struct remark remark;
  if (!remark_open(&remark, heap, heap->joined_before)) {
    complain("checkmark: no memory for it: this cycle is not checked");
    return true;
  }
  remark_run(&remark);
  bool good = checkmark_report(&remark);
  remark_close(&remark);
  return good;
}

/* What this cycle is looked at for. */
struct wishes {
  bool barriers;
  bool marks;
  bool roots;
  bool retention;
  bool answer; /* a report that the program waits for */
};

static struct wishes wishes(struct dusk_heap *heap, bool forced)
{
  return (struct wishes){
      .barriers = heap->collector.arena.shadow != NULL,
      .marks = heap->debug.checkmark,
      .roots = heap->debug.rootcheck,
      .retention = heap->debug.retention && forced,
      .answer = retention_is_asked(heap),
  };
}

static void look(struct dusk_heap *heap, const struct wishes *wishes)
{
  bool good = true;
  if (wishes->barriers)
    good = barriercheck_run(heap);
  if (wishes->marks)
    good = check_marks(heap) && good;
  if (!good)
    give_up();
  if (wishes->roots)
    rootcheck_run(heap);
  if (wishes->answer)
    retention_answer(heap);
  else if (wishes->retention && retention_write(heap, STDERR_FILENO) == ENOMEM)
    complain("retention: no memory for it: this cycle is not reported");
}

static bool wants_halt(const struct wishes *wishes)
{
  return wishes->barriers || wishes->marks || wishes->roots ||
         wishes->retention || wishes->answer;
}

void inspect_cycle(struct dusk_heap *heap, bool forced)
{
  struct halt halt;
  struct wishes wanted = wishes(heap, forced);
  if (wants_halt(&wanted)) {
    halt_begin(heap, &halt);
    look(heap, &wanted);
    halt_end(heap, &halt);
  }
  if (snapshot_is_asked(heap))
    snapshot_answer(heap);
}

/* Pages that threads which stand have taken, and are clearing. */
static uint64_t unpublished(const struct registry *registry)
{
  uint64_t pages = 0;
  for (const struct dusk_thread *t = registry->first; t; t = t->next)
    pages += t->unpublished;
  return pages;
}

/* DUSK_DEBUG=verify alone halts nobody.  With a mode that does, more can be
 * said. */
void inspect_census(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  struct wishes others = wishes(heap, true);
  struct halt halt;
  if (!heap->debug.verify)
    return;
  if (!others.barriers && !others.marks && !others.roots && !others.retention) {
    heapcheck_walk(&collector->arena, collector->epoch + 1, HEAPCHECK_RUNNING);
    return;
  }
  halt_begin(heap, &halt);
  heapcheck_walk(&collector->arena, collector->epoch + 1,
                 unpublished(&collector->registry));
  halt_end(heap, &halt);
}
