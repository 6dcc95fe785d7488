/* SPDX-License-Identifier: MIT */
/* snapshot.h -- a copy of the process looks at the heap, while the program goes
 * on
 *
 * Who asks waits for the next cycle.  At the end of its marking the driver has
 * the threads note what they hold (noted.h) and makes a child (os/child.h),
 * which walks the heap as it was at that moment; the driver ends its cycle
 * without waiting, and who asked waits for the child. */
#ifndef DUSK_INSPECT_SNAPSHOT_H
#define DUSK_INSPECT_SNAPSHOT_H

#include "inspect/graph.h"
#include "inspect/output.h"

/* A name that takes the dynamic linker to find: the child leaves it to who
 * asked. */
struct later {
  enum { LATER_FRAME, LATER_ROOT, LATER_DATA, LATER_VARIABLE } what;
  uintptr_t address;
};
enum { LATER_MAX = 4096 };

/* The way to an object, for who asked to print. */
enum { WHY_TEXT_BYTES = 8 << 10 };
enum why_found {
  WHY_OUTSIDE, /* no address in the heap */
  WHY_DEAD,
  WHY_STRAY, /* alive, and not reached */
  WHY_REACHED,
};
struct why {
  enum why_found found;
  struct holder holder; /* that the way begins at */
  uintptr_t address;    /* and its word */
  char text[WHY_TEXT_BYTES];
};

/* What the child tells who asked: memory in common. */
struct answer {
  int error;
  uint32_t done; /* the child came to its end; atomic */
  struct why why;
  size_t later_count;
  struct later later[LATER_MAX];
  struct output output; /* first the child's, then the asker's */
};

struct snapshot_request {
  bool why; /* the way to `pointer`; or all objects */
  uintptr_t pointer;
  uint64_t asker; /* number of the thread that asks; 0: it is not attached */
  int fd;
  struct answer *answer;
  int child; /* its number, or a negative errno value; 0: not yet */
  struct snapshot_request *next;
};

/* Any thread but the driver, and not IN_HEAP: asks, and waits for the child.
 * Returns 0, ENOMEM, EAGAIN or EIO. */
WARN_UNUSED int snapshot_ask(struct dusk_heap *heap,
                             struct snapshot_request *request);

/* The driver, between marking and H4: is anybody waiting; makes the
 * children. */
bool snapshot_is_asked(struct dusk_heap *heap);
void snapshot_answer(struct dusk_heap *heap);

#endif
