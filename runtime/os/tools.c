/* SPDX-License-Identifier: MIT */
/* tools.c -- what a memory checker must be told
 *
 * AddressSanitizer's functions are found by weak references, which stay NULL in
 * a program without it.  Valgrind's requests are a few instructions that do
 * nothing elsewhere; they need its header when the library is built
 * (--without-valgrind leaves them out).
 *
 * Any thread, no lock, nothing kept.  Tested by tests/tools.sh, which builds
 * and runs a program under each. */
#include "os/tools.h"

#include "base/bits.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <string.h>

#ifndef HAVE_VALGRIND
#define HAVE_VALGRIND 0
#endif

#if HAVE_VALGRIND
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) ((void)(pool))
#define VALGRIND_DESTROY_MEMPOOL(pool) ((void)(pool))
#define VALGRIND_MEMPOOL_ALLOC(pool, start, bytes) ((void)(pool))
#define VALGRIND_MEMPOOL_FREE(pool, start) ((void)(pool))
#define VALGRIND_MAKE_MEM_NOACCESS(start, bytes) ((void)(start))
#define VALGRIND_MAKE_MEM_DEFINED(start, bytes) ((void)(start))
#endif

#define WEAK __attribute__((weak))

WEAK void __asan_poison_memory_region(void const volatile *start, size_t bytes);
WEAK void __asan_unpoison_memory_region(void const volatile *start,
                                        size_t bytes);
WEAK void *__asan_get_current_fake_stack(void);
WEAK void *__asan_addr_is_in_fake_stack(void *fake_stack, void *address,
                                        void **start, void **end);

static bool has_asan(void)
{
  return __asan_poison_memory_region && __asan_unpoison_memory_region;
}

static void poison(uintptr_t start, size_t bytes)
{
  if (has_asan())
    __asan_poison_memory_region((void *)start, bytes);
}

static void unpoison(uintptr_t start, size_t bytes)
{
  if (has_asan())
    __asan_unpoison_memory_region((void *)start, bytes);
}

bool tool_is_valgrind(void)
{
  return RUNNING_ON_VALGRIND != 0;
}

bool tool_is_there(void)
{
  return has_asan() || tool_is_valgrind();
}

void tool_open(const void *pool)
{
  VALGRIND_CREATE_MEMPOOL(pool, 0, 1);
}

/* Valgrind forgets what it knew of memory when that is unmapped, but not the
 * objects of a pool; AddressSanitizer's shadow stays as it is. */
void tool_close(const void *pool, uintptr_t start, size_t bytes)
{
  VALGRIND_DESTROY_MEMPOOL(pool);
  unpoison(start, bytes);
}

void tool_empty(uintptr_t start, size_t bytes)
{
  VALGRIND_MAKE_MEM_NOACCESS(start, bytes);
  poison(start, bytes);
}

void tool_handed_out(const void *pool, uintptr_t start, size_t bytes)
{
  VALGRIND_MEMPOOL_ALLOC(pool, start, bytes);
  unpoison(start, bytes);
}

void tool_freed(const void *pool, uintptr_t start, size_t bytes)
{
  (void)bytes;
  VALGRIND_MEMPOOL_FREE(pool, start);
  poison(start, bytes);
}

READS_AMBIGUOUS_WORDS
void tool_copy_words(uintptr_t *to, const uintptr_t *from, size_t count)
{
  for (size_t i = 0; i < count; i++)
    to[i] = ((const volatile uintptr_t *)from)[i];
  VALGRIND_MAKE_MEM_DEFINED(to, count * sizeof *to);
}

void *tool_fake_stack(void)
{
  return __asan_get_current_fake_stack ? __asan_get_current_fake_stack() : NULL;
}

bool tool_fake_frame(void *fake_stack, uintptr_t word, uintptr_t *start,
                     uintptr_t *end)
{
  void *first, *last;
  if (!fake_stack || !__asan_addr_is_in_fake_stack ||
      !__asan_addr_is_in_fake_stack(fake_stack, (void *)word, &first, &last))
    return false;
  *start = align_up((uintptr_t)first, sizeof(uintptr_t));
  *end = align_down((uintptr_t)last, sizeof(uintptr_t));
  return true;
}
