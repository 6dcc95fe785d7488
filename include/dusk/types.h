/* SPDX-License-Identifier: MIT */
/* types.h -- handles, kinds, and the marks every public header uses */
#ifndef DUSK_TYPES_H
#define DUSK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DUSK_VERSION_MAJOR 0
#define DUSK_VERSION_MINOR 2
#define DUSK_VERSION_PATCH 0

#define DUSK_API __attribute__((visibility("default")))
#define DUSK_LIKELY(x) __builtin_expect(!!(x), 1)
#define DUSK_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Inlined whatever the optimisation: a stack that a report or a profile shows
 * begins in the program's own function. */
#define DUSK_INLINE static inline __attribute__((always_inline))

#ifdef __cplusplus
extern "C" {
#endif

/* One garbage-collected heap; a process may open several. */
typedef struct dusk_heap dusk_heap;

/* One mutator: a pthread attached to one heap.  Only that pthread may use the
 * handle, except where a function says otherwise. */
typedef struct dusk_thread dusk_thread;

/* What a trace callback reports pointers to. */
typedef struct dusk_tracer dusk_tracer;

/* How the collector reads an object; made by dusk_kind_define(). */
typedef uint32_t dusk_kind;

/* Holds no pointers: never scanned. */
#define DUSK_LEAF ((dusk_kind)0)
/* Every aligned word may be a pointer, to an object's start or inside it. */
#define DUSK_CONSERVATIVE ((dusk_kind)1)

/* How far the heap grows and how early a cycle begins: dusk_tuning(7). */
typedef enum {
  DUSK_POLICY_GO,     /* as Go's collector */
  DUSK_POLICY_DUSK,   /* the same for most programs; for those that allocate
                         very fast, less waiting and more memory */
  DUSK_POLICY_BALANCE /* by the square root of live and allocation rate */
} dusk_policy;

/* A heap has at most this many kinds, the two above included. */
#define DUSK_KINDS_MAX 4096

#ifdef __cplusplus
}
#endif

#endif
