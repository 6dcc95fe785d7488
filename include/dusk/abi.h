/* SPDX-License-Identifier: MIT */
/* abi.h -- size classes, and the part of a thread that inlined code touches
 *
 * A thread begins with struct dusk_thread_abi.  Its rows are indexed by kind,
 * a row's runs by size class.  A run is a stretch of neighbouring free slots:
 * an allocation is `cursor += size` while that stays within `limit`.
 *
 * Rows never touched are zero pages: the cursor and limit of an unknown kind
 * are 0, which sends every allocation to the slow path. */
#ifndef DUSK_ABI_H
#define DUSK_ABI_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Objects up to here are cut from runs; larger ones are page runs. */
#define DUSK_SMALL_MAX 32768

/* Sixteen classes of 16-byte steps, then eight to each doubling. */
#define DUSK_SIZE_CLASSES 72

/* The size class of an object of `bytes`, 0 to DUSK_SMALL_MAX.  Folds to a
 * constant for a constant.  A logarithm with three bits of mantissa, so that
 * at most an eighth of the next smaller class's size is lost. */
static inline unsigned dusk_size_class(size_t bytes)
{
  size_t last = bytes - (bytes != 0);
  unsigned shift = 60u - (unsigned)__builtin_clzll(last | 128);
  return ((shift - 4) << 3) + (unsigned)(last >> shift);
}

/* The size of the objects of a class, bytes: its inverse. */
static inline size_t dusk_class_size(unsigned size_class)
{
  return size_class < 16
             ? ((size_t)size_class + 1) << 4
             : ((size_t)(size_class & 7) + 9) << ((size_class >> 3) + 3);
}

/* `bytes`, 0 to DUSK_SMALL_MAX, rounded up to the size of its class. */
static inline size_t dusk_round_size(size_t bytes)
{
  size_t last = bytes - (bytes != 0);
  unsigned shift = 60u - (unsigned)__builtin_clzll(last | 128);
  return ((last >> shift) + 1) << shift;
}

struct dusk_run {
  uintptr_t cursor; /* next free byte; written by the owner alone */
  uintptr_t limit;  /* no object ends beyond it; cursor == limit: no run */
};

struct dusk_row {
  uintptr_t step;       /* fixed-size kinds: size of the class, else 0 */
  uintptr_t size_class; /* fixed-size kinds: the class, else 0 */
  struct dusk_run runs[DUSK_SIZE_CLASSES];
};

struct dusk_thread_abi {
#define DUSK_ABI_FIELD(type, name, offset, meaning) type name;
#include "dusk/abi.def"
#undef DUSK_ABI_FIELD
  uint32_t reserved[14];
  struct dusk_row rows[DUSK_KINDS_MAX];
};

#ifdef __cplusplus
#define DUSK_ABI_PIN static_assert
#else
#define DUSK_ABI_PIN _Static_assert
#endif
#define DUSK_ABI_FIELD(type, name, offset, meaning)                            \
  DUSK_ABI_PIN(offsetof(struct dusk_thread_abi, name) == (offset),             \
               "ABI: " #name " moved");
#include "dusk/abi.def"
#undef DUSK_ABI_FIELD
DUSK_ABI_PIN(offsetof(struct dusk_thread_abi, rows) == 64, "ABI: rows moved");
DUSK_ABI_PIN(sizeof(struct dusk_row) == 1168, "ABI: a row's size changed");
#undef DUSK_ABI_PIN

static inline struct dusk_thread_abi *dusk_abi(dusk_thread *thread)
{
  return (struct dusk_thread_abi *)(void *)thread;
}

#ifdef __cplusplus
}
#endif

#endif
