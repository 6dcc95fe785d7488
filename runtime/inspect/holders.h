/* SPDX-License-Identifier: MIT */
/* holders.h -- what holds objects from outside the heap, for who reads a copy
 * of it
 *
 *   thread --> its frames --> words that the thread noted (noted.h)
 *   root, data segment ------> words as they stand
 *
 * In a child of os/child.h. */
#ifndef DUSK_INSPECT_HOLDERS_H
#define DUSK_INSPECT_HOLDERS_H

#include "inspect/noted.h"

enum holder_kind { HOLDER_THREAD, HOLDER_FRAME, HOLDER_ROOT, HOLDER_DATA };

/* Program counters of frames that are none. */
enum { PC_REGISTERS, PC_UNKNOWN };

/* A word that could name an object. */
struct held {
  uintptr_t address;
  uintptr_t word;
};

struct holder {
  enum holder_kind kind;
  uint64_t thread; /* number: of a thread, and of its frames */
  uintptr_t pc;    /* frame */
  uintptr_t start; /* root, data segment */
  uintptr_t end;
  size_t first; /* thread: the first of its frames; frame: of its words */
  size_t count;
};

struct holders {
  struct holder *table; /* threads, each before its frames; roots; data */
  size_t count;
  size_t of_kind[HOLDER_DATA + 1];
  struct held *held;
};

/* What the driver sees before the child begins: to ask the dynamic linker takes
 * a lock. */
enum { SEGMENTS_MAX = 4096 };
struct segments {
  size_t count; /* more than fit are left out */
  struct root at[SEGMENTS_MAX];
};
void segments_read(struct segments *segments);

/* false: no memory. */
WARN_UNUSED bool holders_make(struct holders *holders,
                              const struct dusk_heap *heap,
                              const struct noted *noted,
                              const struct segments *segments);

/* The words of a frame, a root or a data segment; of a thread there are none of
 * its own. */
typedef void holder_visit(void *context, uintptr_t address, uintptr_t word);
void holder_words(const struct holders *holders, const struct holder *holder,
                  holder_visit *visit, void *context);

#endif
