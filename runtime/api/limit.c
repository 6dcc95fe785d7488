/* SPDX-License-Identifier: MIT */
/* limit.c -- what counts against the memory limit, and what happens at its end
 *
 * Tested by tests/api/pressure.c. */
#include "api/limit.h"

#include "alloc/assist.h"
#include "api/caller.h"
#include "base/check.h"
#include "collect/cycle.h"
#include "collect/pacing.h"

#include "dusk/limit.h"

#include <errno.h>

_Static_assert((int)DUSK_PRESSURE_CRITICAL == (int)PRESSURE_CRITICAL &&
                   (int)DUSK_PRESSURE_HIGH == (int)PRESSURE_HIGH &&
                   (int)DUSK_PRESSURE_MODERATE == (int)PRESSURE_MODERATE,
               "the public levels are the pacer's");

void dusk_external_adjust(dusk_thread *thread, int64_t delta)
{
  if (!caller_is_inside(thread, "dusk_external_adjust") || delta == 0)
    return;
  struct collector *collector = thread_collector(thread);
  if (!flow_declare(&collector->arena.flow, delta))
    complain("dusk_external_adjust: %lld bytes are taken back, and fewer were "
             "declared; none are left",
             (long long)delta);
  pacing_external_changed(collector);
  if (delta < 0)
    return;
  assist_charge(thread, (uint64_t)delta);
  cycle_ask_if_due(collector);
}

uint64_t dusk_external_bytes(const dusk_heap *heap)
{
  return heap ? flow_external(&heap->collector.arena.flow) : 0;
}

dusk_pressure dusk_pressure_now(const dusk_heap *heap)
{
  return heap ? (dusk_pressure)LOAD_RELAXED(&heap->collector.pacing.pressure)
              : DUSK_PRESSURE_NONE;
}

int dusk_on_pressure(dusk_heap *heap,
                     void (*call)(dusk_heap *heap, dusk_pressure level,
                                  void *context),
                     void *context)
{
  if (!heap)
    return EINVAL;
  lock_acquire(&heap->calls_lock);
  heap->calls.pressure = call;
  heap->calls.pressure_context = context;
  lock_release(&heap->calls_lock);
  return 0;
}

int dusk_on_exhausted(dusk_heap *heap,
                      bool (*call)(dusk_thread *thread, size_t bytes,
                                   void *context),
                      void *context)
{
  if (!heap)
    return EINVAL;
  lock_acquire(&heap->calls_lock);
  heap->calls.exhausted = call;
  heap->calls.exhausted_context = context;
  lock_release(&heap->calls_lock);
  return 0;
}

int dusk_set_limit_action(dusk_heap *heap, dusk_limit_action action)
{
  if (!heap || (unsigned)action > DUSK_LIMIT_FAIL)
    return -1;
  return (int)pacing_set_limit_action(&heap->collector, action);
}

void limit_tell(struct dusk_heap *heap)
{
  unsigned level = LOAD_RELAXED(&heap->collector.pacing.pressure);
  bool tell = level != heap->told_pressure || level == PRESSURE_CRITICAL;
  heap->told_pressure = level;
  if (!tell)
    return;
  lock_acquire(&heap->calls_lock);
  struct calls calls = heap->calls;
  lock_release(&heap->calls_lock);
  if (calls.pressure)
    calls.pressure(heap, (dusk_pressure)level, calls.pressure_context);
}
