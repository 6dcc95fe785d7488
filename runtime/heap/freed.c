/* SPDX-License-Identifier: MIT */
/* freed.c -- what becomes of the memory of dead objects in a careful heap
 *
 *   poison    filled with a word that is no pointer and no likely number
 *   watched   a memory checker is told that nobody may touch it
 *   efence    its pages are closed, for good
 *
 * Runs on the driver, as part of the census: no thread can take a slot of the
 * span before the census has filed it, and none but a mistaken program reads
 * the memory.
 *
 * Tested by tests/unit/freed.c and tests/api/careful.c. */
#include "heap/freed.h"

#include "base/check.h"
#include "os/tools.h"
#include "os/vm.h"

static void fill(uintptr_t start, size_t bytes)
{
  for (uintptr_t at = start; at < start + bytes; at += sizeof(uint64_t))
    STORE_RELAXED((uint64_t *)at, FREED_WORD);
}

static void free_slot(const struct arena *arena, uintptr_t start, size_t bytes)
{
  /* Pages that will be closed need no filling. */
  if (arena->poison && !arena->efence)
    fill(start, bytes);
  if (arena->watched)
    tool_freed(arena, start, bytes);
}

void freed_slots(struct arena *arena, const struct span *span,
                 struct roles roles)
{
  size_t granule = span_first_granule(arena, span);
  size_t bytes = span->size ? span->size : span_bytes(span);
  /* Of a large object only the first page has a bit. */
  size_t pages = span->size ? span->pages : 1;
  size_t end = granule + pages * PAGE_GRANULES;
  if (!arena->poison && !arena->watched)
    return;
  for (; (granule = bits_find(roles.marks, granule, end)) < end; granule++)
    if (!bit_test(roles.allocated, granule))
      free_slot(arena, arena->base + (granule << GRANULE_LOG2), bytes);
}

/* Each stretch of closed pages between open ones is a mapping of its own on
 * systems that cannot do better, and a process may have some 65,000. */
static COLD void say_open(struct arena *arena)
{
  if (!arena->fence_is_open)
    complain("efence: the system refuses to close more pages "
             "(vm.max_map_count?); the rest is filled with 0x%llx",
             (unsigned long long)FREED_WORD);
  arena->fence_is_open = true;
}

void freed_pages(struct arena *arena, uint32_t page, uint32_t count)
{
  void *start = arena_page(arena, page);
  size_t bytes = (size_t)count << PAGE_LOG2;
  if (!vm_close(start, bytes)) {
    say_open(arena);
    if (!arena->watched) /* then it is closed in another way */
      fill((uintptr_t)start, bytes);
  }
  pages_retire(arena, page, count);
}
