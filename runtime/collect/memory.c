/* SPDX-License-Identifier: MIT */
/* memory.c -- all that a heap has from the system, in one reading
 *
 * Tested by tests/api/stats.c, by its identities, and tests/api/pressure.c. */
#include "collect/memory.h"

#include "collect/heap.h"
#include "heap/central.h"

/* A thread's record is address space, but for the rows of kinds that exist. */
static uint64_t cache_bytes(const struct collector *collector)
{
  uint64_t unused = DUSK_KINDS_MAX - kinds_count(&collector->arena.kinds);
  return sizeof(struct dusk_thread) - unused * sizeof(struct dusk_row);
}

struct memory memory_read(struct collector *collector)
{
  struct arena *arena = &collector->arena;
  const struct registry *registry = &collector->registry;
  uint64_t cache = cache_bytes(collector);
  struct memory memory = {.pages = pages_read(arena)};
  const struct pages_figures *pages = &memory.pages;
  memory.spans = (pages->committed >> PAGE_LOG2) * sizeof(struct span);
  memory.spans_in_use = (pages->in_use >> PAGE_LOG2) * sizeof(struct span);
  memory.caches = LOAD_RELAXED(&registry->caches) * cache;
  memory.caches_in_use = LOAD_RELAXED(&registry->attached) * cache;
  memory.collector =
      pages->tables - memory.spans + grey_bytes(&collector->grey);
  memory.profile = profile_bytes(&arena->profile);
  memory.other =
      sizeof(struct dusk_heap) + LOAD_RELAXED(&registry->ring_bytes) +
      kinds_count(&arena->kinds) * DUSK_SIZE_CLASSES * sizeof(struct central);
  return memory;
}

uint64_t memory_beside_pages(const struct collector *collector,
                             const struct memory *memory)
{
  return memory->spans + memory->caches + memory->collector + memory->profile +
         memory->other + flow_external(&collector->arena.flow);
}

struct pacer_memory memory_limited(struct collector *collector)
{
  struct memory memory = memory_read(collector);
  const struct pages_figures *pages = &memory.pages;
  uint64_t ready = pages->committed - pages->released;
  return (struct pacer_memory){
      .mapped_ready = ready + memory_beside_pages(collector, &memory),
      .heap_free = ready - pages->in_use,
      .heap_alloc = flow_live(&collector->arena.flow),
  };
}
