/* SPDX-License-Identifier: MIT */
/* stats.c -- MemStats: folding all counters
 *
 * Any thread, at any time; stops nobody.  What was freed is read before what
 * was allocated, so that the difference is never below zero; everything that an
 * identity connects is computed from the same reading, so the identities hold
 * however much the program allocates meanwhile.
 *
 * Tested by tests/api/stats.c. */
#include "report/stats.h"

#include "collect/memory.h"
#include "collect/pacing.h"
#include "mutator/cache.h"
#include "os/clock.h"

/* All that was ever allocated: by threads that have left, and by those here. */
static struct tally read_allocated(struct dusk_heap *heap)
{
  struct registry *registry = &heap->collector.registry;
  struct tally sum = {0};
  lock_acquire(&registry->lock);
  tally_fold(&sum, &registry->left);
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    cache_read(t, &sum);
  lock_release(&registry->lock);
  return sum;
}

void stats_read_objects(struct dusk_heap *heap, struct tally *allocated,
                        struct tally *freed)
{
  *freed = (struct tally){0};
  tally_fold(freed, &heap->collector.freed);
  *allocated = read_allocated(heap);
}

static void fill_objects(struct dusk_heap *heap, dusk_memstats *out)
{
  struct tally freed, allocated;
  stats_read_objects(heap, &allocated, &freed);
  out->mallocs = tally_objects(&allocated);
  out->frees = tally_objects(&freed);
  out->heap_objects = out->mallocs - out->frees;
  out->total_alloc = tally_bytes(&allocated);
  out->heap_alloc = out->total_alloc - tally_bytes(&freed);
  out->alloc = out->heap_alloc;
  for (unsigned i = 0; i < DUSK_SIZE_CLASSES; i++)
    out->by_size[i] = (dusk_by_size){
        .size = dusk_class_size(i),
        .mallocs = allocated.objects[i],
        .frees = freed.objects[i],
    };
}

static void fill_memory(struct dusk_heap *heap, dusk_memstats *out)
{
  struct memory memory = memory_read(&heap->collector);
  out->heap_sys = memory.pages.committed;
  out->heap_inuse = memory.pages.in_use;
  out->heap_idle = memory.pages.committed - memory.pages.in_use;
  out->heap_released = memory.pages.released;
  out->mspan_inuse = memory.spans_in_use;
  out->mspan_sys = memory.spans;
  out->mcache_inuse = memory.caches_in_use;
  out->mcache_sys = memory.caches;
  out->buck_hash_sys = memory.profile;
  out->gc_sys = memory.collector;
  out->other_sys = memory.other;
  out->sys = out->heap_sys + out->stack_sys + out->mspan_sys + out->mcache_sys +
             out->buck_hash_sys + out->gc_sys + out->other_sys;
}

static void fill_history(struct dusk_heap *heap, dusk_memstats *out)
{
  struct history *history = &heap->history;
  lock_acquire(&history->lock);
  out->num_gc = history->sums.cycles;
  out->num_forced_gc = history->sums.forced;
  out->pause_total_ns = history->sums.pause_ns;
  out->last_gc = history->sums.last_end;
  out->stack_inuse = history->sums.stack_bytes;
  for (unsigned i = 0; i < HISTORY_CYCLES; i++) {
    out->pause_ns[i] = history->pause_ns[i];
    out->pause_end[i] = history->pause_end[i];
  }
  lock_release(&history->lock);
}

uint64_t stats_gc_cpu(struct dusk_heap *heap)
{
  struct history_sums sums = history_read(&heap->history);
  return sums.assist_ns + sums.worker_ns + sums.other_ns;
}

double stats_cpu_fraction(struct dusk_heap *heap)
{
  const struct collector *collector = &heap->collector;
  uint64_t used = stats_gc_cpu(heap);
  double had =
      (double)(clock_now() - collector->opened_ns) * collector->processors;
  double fraction = had > 0 ? (double)used / had : 0;
  return fraction < 1 ? fraction : 1;
}

void stats_add_cycle(struct dusk_heap *heap, const struct cycle_record *record)
{
  const uint64_t *pause = record->pause_ns;
  history_add(&heap->history,
              &(struct history_entry){
                  .forced = record->forced,
                  .pause_ns = pause[0] > pause[1] ? pause[0] : pause[1],
                  .end = record->wall_end,
                  .assist_ns = record->assist_ns,
                  .worker_ns = record->worker_ns,
                  .idle_ns = record->idle_ns,
                  .other_ns = record->other_ns,
                  .marked = record->marked,
                  .stack_bytes = record->stack_bytes,
              });
}

void stats_read(struct dusk_heap *heap, dusk_memstats *out)
{
  *out = (dusk_memstats){.enable_gc = true};
  fill_objects(heap, out);
  fill_memory(heap, out);
  fill_history(heap, out);
  out->next_gc = pacing_goal(&heap->collector);
  out->gc_cpu_fraction = stats_cpu_fraction(heap);
}
