/* SPDX-License-Identifier: MIT */
/* block.h -- blocks of memory from the C library, for what is small
 *
 * Never from the collected heap, and never on the path of an allocation there.
 * Every call goes through `block_system`, a table that a test can replace to
 * make the n-th call fail.  errno is never changed. */
#ifndef DUSK_OS_BLOCK_H
#define DUSK_OS_BLOCK_H

#include "base/compiler.h"

struct block_table {
  void *(*make)(size_t alignment, size_t bytes); /* NULL: refused */
  void *(*resize)(void *block, size_t bytes);    /* the same */
  void (*free)(void *block);
};
extern struct block_table block_system;

/* All zero; 0 bytes are a block too.  NULL: refused. */
WARN_UNUSED void *block_make(size_t bytes);

/* The same with whatever was there, and an address that is a multiple of
 * `alignment`, a power of two that divides `bytes`. */
WARN_UNUSED void *block_make_aligned(size_t alignment, size_t bytes);

/* As realloc(): NULL is refused, and the block is as it was. */
WARN_UNUSED void *block_resize(void *block, size_t bytes);

/* A copy of the text.  NULL: refused. */
WARN_UNUSED char *block_copy_text(const char *text);

void block_free(void *block); /* or NULL */

#endif
