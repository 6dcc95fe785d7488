/* SPDX-License-Identifier: MIT */
/* remark.h -- a second marker: slow, simple, alone
 *
 * Walks the heap in a halt from the same roots as the collector, with tables of
 * its own, and remembers for each object the word through which it was found:
 * from any object there is a path back to a root. */
#ifndef DUSK_INSPECT_REMARK_H
#define DUSK_INSPECT_REMARK_H

#include "collect/heap.h"
#include "inspect/thing.h"

enum remark_fault {
  REMARK_MISSED,   /* can be reached, and is not marked */
  REMARK_DANGLING, /* a pointer slot names no object's start */
};

struct finding {
  enum remark_fault fault;
  uintptr_t word; /* what the slot holds */
  uintptr_t slot; /* its address; in the heap, or outside */
};

enum { REMARK_FINDINGS = 3 };

struct remark {
  struct dusk_heap *heap;
  struct arena *arena;
  struct roles roles;
  uint64_t joined_before; /* threads that had attached when the cycle began */
  uintptr_t *parents;     /* one a granule: address of the word; 0: not found */
  uintptr_t *work;        /* objects to read: last in, first out */
  size_t granules;
  size_t count;
  uint64_t reached;  /* objects */
  uint64_t doubtful; /* words that may point behind an object's end */
  bool trusted;      /* the place that is being read: see remark.c */
  unsigned findings; /* kept: the first few */
  struct finding finding[REMARK_FINDINGS];
};

/* false: no memory for its tables. */
WARN_UNUSED bool remark_open(struct remark *remark, struct dusk_heap *heap,
                             uint64_t joined_before);
void remark_close(struct remark *remark);

/* In a halt, between marking and H4. */
void remark_run(struct remark *remark);

/* Lines on stderr: how the object is reached, from the root down. */
void remark_print_path(struct remark *remark, uintptr_t slot);

#endif
