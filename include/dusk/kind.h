/* SPDX-License-Identifier: MIT */
/* kind.h -- how the collector reads an object
 *
 * A kind costs no header: the collector learns an object's kind from its page.
 * A language runtime defines a kind for each shape that it wants read fast, or
 * a single TRACE kind that looks at its own type tag. */
#ifndef DUSK_KIND_H
#define DUSK_KIND_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  DUSK_SCAN_LEAF,         /* never scanned */
  DUSK_SCAN_CONSERVATIVE, /* every aligned word may be a pointer */
  DUSK_SCAN_LAYOUT,       /* a bitmap names the pointer words */
  DUSK_SCAN_TRACE         /* a callback names them */
} dusk_scan;

typedef struct {
  size_t struct_size; /* sizeof(dusk_kind_spec) */
  const char *name;   /* shown in reports; NULL: none.  Copied. */
  size_t size;        /* object size, bytes; 0: objects of any size */
  dusk_scan scan;
  /* LAYOUT: bit i set: word i of the object is NULL or a pointer to an
   * object's start.  `period` is the number of words that the bitmap covers.
   * For size 0 it repeats to the object's end; for a fixed size, 0 means the
   * whole object, and words beyond the period hold no pointers.  Copied. */
  const uint64_t *pointers;
  size_t period;
  /* TRACE: calls dusk_trace() for each pointer slot of the object.  Runs on
   * collector threads and in assists, while the program runs: it reads, never
   * writes, never allocates, and may see an object that is still all zero, or
   * filled in part.  A slot that holds a pointer is reported as long as it
   * does: to take it out of sight, by a shorter length or another tag, the
   * program first clears it with dusk_store(). */
  void (*trace)(void *object, size_t bytes, dusk_tracer *tracer, void *context);
  void *context; /* passed to trace */
} dusk_kind_spec;

#define DUSK_KIND_INIT                                                         \
  {                                                                            \
    .struct_size = sizeof(dusk_kind_spec)                                      \
  }

/* Defines a kind, for the life of the heap.
 *
 * Any thread, attached or not.  Returns 0 and the kind in *kind; EINVAL (a
 * NULL argument, an unknown struct_size or scan, LAYOUT without a bitmap, with
 * size 0 and no period, with bits beyond the object, or with a size or a bitmap
 * over 1 MiB; TRACE without a callback), ENOSPC (DUSK_KINDS_MAX kinds), ENOMEM.
 * On failure *kind is not written. */
DUSK_API int dusk_kind_define(dusk_heap *heap, const dusk_kind_spec *spec,
                              dusk_kind *kind);

/* Reports one slot of the object being traced.  Inside a trace callback only.
 * The slot holds NULL or a pointer to an object's start. */
DUSK_API void dusk_trace(dusk_tracer *tracer, void *const *slot);

#ifdef __cplusplus
}
#endif

#endif
