/* SPDX-License-Identifier: MIT */
/* block.c -- blocks of memory from the C library
 *
 * Any thread, nothing kept.  Tested by tests/unit/faults.c. */
#include "os/block.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void *system_make(size_t alignment, size_t bytes)
{
  return alignment <= _Alignof(max_align_t) ? malloc(bytes)
                                            : aligned_alloc(alignment, bytes);
}

struct block_table block_system = {
    .make = system_make,
    .resize = realloc,
    .free = free,
};

void *block_make(size_t bytes)
{
  bytes = bytes ? bytes : 1;
  void *block = block_make_aligned(_Alignof(max_align_t), bytes);
  return block ? memset(block, 0, bytes) : NULL;
}

void *block_make_aligned(size_t alignment, size_t bytes)
{
  int saved = errno;
  void *block = block_system.make(alignment, bytes);
  errno = saved;
  return block;
}

void *block_resize(void *block, size_t bytes)
{
  int saved = errno;
  void *resized = block_system.resize(block, bytes);
  errno = saved;
  return resized;
}

char *block_copy_text(const char *text)
{
  size_t bytes = strlen(text) + 1;
  char *copy = block_make(bytes);
  return copy ? memcpy(copy, text, bytes) : NULL;
}

void block_free(void *block)
{
  block_system.free(block);
}
