/* SPDX-License-Identifier: MIT */
/* arena.c -- reserving, growing and looking up
 *
 * Opening and closing run on one thread; growth under pages.lock; look-ups on
 * any thread, with no lock: they read the page map, whose words are published
 * with release once a span's descriptor is complete.
 *
 * Tested by tests/unit/arena.c. */
#include "heap/arena.h"

#include "base/bits.h"
#include "base/chaos.h"
#include "heap/central.h"
#include "heap/origin.h"
#include "heap/shadow.h"
#include "os/fence.h"
#include "os/machine.h"
#include "os/tools.h"
#include "os/vm.h"

#include <errno.h>

/* What an arena reserves when nobody says otherwise, and the least. */
#define RESERVE_DEFAULT ((size_t)1 << 40)
#define RESERVE_MIN (2 * CHUNK_BYTES)

/* Pages below here stay small pages: a small heap must not begin with huge
 * ones.  Beyond it the heap is big enough for 2 MiB not to matter. */
enum { HUGE_FROM_PAGES = 16 * CHUNK_PAGES };

/* The tables, each a multiple of the system's page. */
struct plan {
  size_t marks, info, spans, bits, chunks, centrals;
};

static struct plan plan_for(size_t bytes)
{
  size_t pages = bytes >> PAGE_LOG2;
  size_t unit = vm_page_size();
  return (struct plan){
      .marks = align_up(pages * PAGE_MARK_WORDS * sizeof(uint64_t), unit),
      .info = align_up(pages * sizeof(uint64_t), unit),
      .spans = align_up(pages * sizeof(struct span), unit),
      .bits = align_up(divide_up(pages, 64) * sizeof(uint64_t), unit),
      .chunks =
          align_up(divide_up(pages, CHUNK_PAGES) * sizeof(struct chunk), unit),
      .centrals = align_up(
          sizeof(struct central) * DUSK_KINDS_MAX * DUSK_SIZE_CLASSES, unit),
  };
}

static size_t plan_total(const struct plan *plan)
{
  return 2 * plan->marks + plan->info + plan->spans + 2 * plan->bits +
         plan->chunks + plan->centrals;
}

static void place_tables(struct arena *arena, const struct plan *plan)
{
  char *at = arena->tables;
  arena->marks[0] = (uint64_t *)(void *)at;
  at += plan->marks;
  arena->marks[1] = (uint64_t *)(void *)at;
  at += plan->marks;
  arena->info = (uint64_t *)(void *)at;
  at += plan->info;
  arena->spans = (struct span *)(void *)at;
  at += plan->spans;
  arena->heads = (uint64_t *)(void *)at;
  at += plan->bits;
  arena->dirty = (uint64_t *)(void *)at;
  at += plan->bits;
  arena->chunks = (struct chunk *)(void *)at;
  at += plan->chunks;
  arena->centrals = (struct central *)(void *)at;
}

static bool reserve(struct arena *arena, size_t bytes)
{
  struct plan plan = plan_for(bytes);
  void *base = vm_reserve(bytes, CHUNK_BYTES);
  if (!base)
    return false;
  arena->tables_bytes = plan_total(&plan);
  arena->tables = vm_reserve(arena->tables_bytes, CHUNK_BYTES);
  if (!arena->tables) {
    vm_unmap(base, bytes);
    return false;
  }
  arena->base = (uintptr_t)base;
  arena->bytes = bytes;
  place_tables(arena, &plan);
  return true;
}

/* Half of the address space that is left is for the heap: the other half is
 * the program's, and the tables'. */
static size_t default_reserve(void)
{
  uint64_t space = machine_address_space();
  if (space == UINT64_MAX || space / 2 > RESERVE_DEFAULT)
    return RESERVE_DEFAULT;
  size_t bytes = align_down((size_t)(space / 2), CHUNK_BYTES);
  return bytes < RESERVE_MIN ? RESERVE_MIN : bytes;
}

/* A huge page that is larger than a chunk is never free as a whole: then the
 * chunk is what is kept together. */
static uint32_t huge_page_pages(void)
{
  size_t bytes = machine_huge_page();
  bytes = bytes < CHUNK_BYTES ? bytes : CHUNK_BYTES;
  return bytes > PAGE_BYTES ? (uint32_t)(bytes / PAGE_BYTES) : 1;
}

int arena_open(struct arena *arena, size_t bytes)
{
  *arena = (struct arena){0};
  size_t wanted = bytes ? align_up(bytes, CHUNK_BYTES) : default_reserve();
  size_t got = wanted;
  while (!reserve(arena, got)) {
    if (got <= RESERVE_MIN)
      return ENOMEM;
    got = align_down(got / 2, CHUNK_BYTES);
    got = got < RESERVE_MIN ? RESERVE_MIN : got;
  }
  if (got < machine_memory_bytes() && (!bytes || got < wanted))
    complain("the heap is limited to %zu MiB of address space: %s", got >> 20,
             machine_address_space() == UINT64_MAX
                 ? "the system refused to reserve more"
                 : "RLIMIT_AS (ulimit -v) leaves no more");
  sizeclass_fill(arena->classes);
  arena->huge_pages = huge_page_pages();
  pages_init(&arena->pages, (uint32_t)(got >> PAGE_LOG2));
  profile_init(&arena->profile);
  if (!kinds_init(&arena->kinds))
    goto fail;
  for (uint32_t kind = 0; kind < kinds_count(&arena->kinds); kind++)
    if (!centrals_commit(arena, kind))
      goto fail_kinds;
  return 0;
fail_kinds:
  kinds_destroy(&arena->kinds);
fail:
  lock_destroy(&arena->pages.lock);
  vm_unmap(arena->tables, arena->tables_bytes);
  vm_unmap((void *)arena->base, arena->bytes);
  return ENOMEM;
}

void arena_close(struct arena *arena)
{
  if (arena->watched)
    tool_close(arena, arena->base, (size_t)arena->end << PAGE_LOG2);
  if (arena->fenced)
    fence_close(arena->base);
  shadow_close(arena);
  origin_close(arena);
  profile_destroy(&arena->profile);
  kinds_destroy(&arena->kinds);
  lock_destroy(&arena->pages.lock);
  vm_unmap(arena->tables, arena->tables_bytes);
  vm_unmap((void *)arena->base, arena->bytes);
}

/* Makes the part of a table usable that describes some pages (or chunks):
 * `bits_each` bits each, rounded outwards to whole system pages.  Committing a
 * page twice changes nothing in it. */
static bool commit_table(struct arena *arena, void *table, size_t bits_each,
                         uint32_t from, uint32_t to)
{
  size_t unit = vm_page_size();
  size_t start = align_down((size_t)from * bits_each / 8, unit);
  size_t end = align_up(divide_up((size_t)to * bits_each, 8), unit);
  arena->tables_usable += divide_up((size_t)(to - from) * bits_each, 8);
  return vm_commit((char *)table + start, end - start);
}

/* The bitmaps of a heap that is no longer small are made usable 256 MiB of heap
 * at a time, which is one huge page of each: marking hits them at random. */
static bool commit_marks(struct arena *arena, uint64_t *marks, uint32_t from,
                         uint32_t to)
{
  enum { HUGE_MARKS_PAGES = (2 << 20) / (PAGE_MARK_WORDS * 8) };
  size_t each = PAGE_MARK_WORDS * sizeof(uint64_t);
  if (from < HUGE_FROM_PAGES)
    return commit_table(arena, marks, each * 8, from, to);
  size_t start = align_down(from, HUGE_MARKS_PAGES) * each;
  size_t end = align_up(to, HUGE_MARKS_PAGES) * each;
  size_t limit = align_up(arena->pages.limit * each, vm_page_size());
  end = end < limit ? end : limit;
  arena->tables_usable += (to - from) * each;
  if (!vm_commit((char *)marks + start, end - start))
    return false;
  vm_advise_huge((char *)marks + start, end - start);
  return true;
}

bool arena_commit(struct arena *arena, uint32_t page)
{
  CHECK(lock_rank_is_held(RANK_pages));
  struct pages *pages = &arena->pages;
  uint32_t from = pages->committed;
  size_t wanted = align_up(page, CHUNK_PAGES);
  uint32_t to = wanted < pages->limit ? (uint32_t)wanted : pages->limit;
  uint64_t usable = arena->tables_usable;
  if (!commit_marks(arena, arena->marks[0], from, to) ||
      !commit_marks(arena, arena->marks[1], from, to) ||
      !commit_table(arena, arena->info, 64, from, to) ||
      !commit_table(arena, arena->spans, sizeof(struct span) * 8, from, to) ||
      !commit_table(arena, arena->heads, 1, from, to) ||
      !commit_table(arena, arena->dirty, 1, from, to) ||
      !commit_table(arena, arena->chunks, sizeof(struct chunk) * 8,
                    from / CHUNK_PAGES, (uint32_t)divide_up(to, CHUNK_PAGES)) ||
      !vm_commit(arena_page(arena, from), (size_t)(to - from) << PAGE_LOG2)) {
    arena->tables_usable = usable;
    return false;
  }
  /* Behind the fence an object touches little of its pages, and never again. */
  if (from >= HUGE_FROM_PAGES && !arena->efence)
    vm_advise_huge(arena_page(arena, from), (size_t)(to - from) << PAGE_LOG2);
  if (arena->origins)
    origin_commit(arena, to);
  if (arena->shadow)
    shadow_commit(arena, to);
  pages->committed = to;
  STORE_RELEASE(&arena->end, to); /* pairs with object_find() and the census */
  return true;
}

static bool ready_centrals(void *arena, dusk_kind number)
{
  return centrals_commit(arena, number);
}

int arena_define_kind(struct arena *arena, const dusk_kind_spec *spec,
                      dusk_kind *kind)
{
  return kind_define(&arena->kinds, spec, ready_centrals, arena, kind);
}

static struct span *make(struct arena *arena, uint32_t pages, uint16_t kind,
                         uint8_t size_class, uint32_t epoch)
{
  bool needs_zero;
  uint32_t page = pages_take(arena, pages, &needs_zero);
  if (page == PAGE_NONE)
    return NULL;
  struct span *span = &arena->spans[page];
  *span = (struct span){
      .pages = pages,
      .kind = kind,
      .size_class = size_class,
      .slots = 1,
      .epoch = epoch,
      .needs_zero = needs_zero,
  };
  return span;
}

struct span *span_make(struct arena *arena, uint16_t kind, uint8_t size_class,
                       uint32_t epoch)
{
  const struct sizeclass *c = &arena->classes[size_class];
  struct span *span = make(arena, c->pages, kind, size_class, epoch);
  if (span) {
    span->slots = c->slots;
    span->size = c->size;
    span->reciprocal = c->reciprocal;
    kind_note_class(arena->kinds.table[kind], size_class);
    if (arena->watched)
      tool_empty((uintptr_t)arena_page(arena, arena_span_page(arena, span)),
                 span_bytes(span));
    span_set_state(span, SPAN_CACHED);
    CHAOS("not-published");
    span_publish(arena, span);
  }
  return span;
}

struct span *span_make_large(struct arena *arena, uint16_t kind, size_t bytes,
                             uint32_t epoch)
{
  size_t pages = divide_up(bytes, PAGE_BYTES);
  if (bytes > arena->bytes || pages >= arena->pages.limit)
    return NULL;
  struct span *span = make(arena, (uint32_t)pages, kind, CLASS_LARGE, epoch);
  if (span)
    span_set_state(span, SPAN_LARGE);
  return span;
}

void span_publish(struct arena *arena, struct span *span)
{
  uint32_t head = arena_span_page(arena, span);
  uint64_t info = pageinfo_make(head, span->kind, span->size_class);
  for (uint32_t i = 0; i < span->pages; i++)
    STORE_RELEASE(&arena->info[head + i], info); /* pairs with object_find() */
  CHAOS("half-published");
  /* Pairs with arena_next_head(). */
  OR_RELEASE(&arena->heads[head >> 6], UINT64_C(1) << (head & 63));
}

void span_unpublish(struct arena *arena, struct span *span)
{
  uint32_t head = arena_span_page(arena, span);
  AND_RELAXED(&arena->heads[head >> 6], ~(UINT64_C(1) << (head & 63)));
  for (uint32_t i = 0; i < span->pages; i++)
    STORE_RELAXED(&arena->info[head + i], 0);
  span_set_state(span, SPAN_FREE);
}

uint32_t arena_next_head(const struct arena *arena, uint32_t page)
{
  uint32_t end = LOAD_ACQUIRE(&arena->end); /* with arena_commit() */
  if (page >= end)
    return PAGE_NONE;
  uint32_t word = page >> 6;
  /* Pairs with span_publish(): who sees the bit sees the descriptor. */
  uint64_t found = LOAD_ACQUIRE(&arena->heads[word]) & ~bit_range(0, page & 63);
  while (!found) {
    if (++word << 6 >= end)
      return PAGE_NONE;
    found = LOAD_ACQUIRE(&arena->heads[word]);
  }
  return (word << 6) + bit_lowest(found);
}

bool object_find(const struct arena *arena, uintptr_t word,
                 struct object *object)
{
  uint32_t page = arena_page_of(arena, word);
  /* Pairs with arena_commit(): the tables are usable below `end`. */
  if (!arena_holds(arena, word) || page >= LOAD_ACQUIRE(&arena->end))
    return false;
  uint64_t info = LOAD_ACQUIRE(&arena->info[page]); /* with span_publish() */
  if (!info)
    return false;
  struct span *span = &arena->spans[pageinfo_head(info)];
  uintptr_t start = (uintptr_t)arena_page(arena, pageinfo_head(info));
  object->span = span;
  if (pageinfo_class(info) == CLASS_LARGE) {
    object->start = start;
    object->bytes = span_bytes(span);
    return true;
  }
  uint32_t slot = span_slot(span, word - start);
  object->start = start + (uintptr_t)slot * span->size;
  object->bytes = span->size;
  return slot < span->slots;
}
