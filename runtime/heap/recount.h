/* SPDX-License-Identifier: MIT */
/* recount.h -- what is allocated, when all threads but one have vanished */
#ifndef DUSK_HEAP_RECOUNT_H
#define DUSK_HEAP_RECOUNT_H

#include "heap/arena.h"

/* What a fork found the cycle at. */
enum unfinished {
  UNFINISHED_NOTHING, /* between two cycles; no mark is set */
  /* Before its census: nothing has been freed, so both bitmaps count, and the
   * cycle has never been. */
  UNFINISHED_MARKING,
  /* In its census: what was marked is what is allocated, some of the rest has
   * been freed already, and the cycle is completed. */
  UNFINISHED_CENSUS,
};

struct recount {
  struct tally objects; /* that there are */
  uint64_t live;        /* bytes */
  uint64_t live_scan;   /* of those, in kinds that are scanned */
};

/* In the child of a fork: decides what is allocated in `epoch`, frees what
 * holds nothing, files what has room, rebuilds the free pages, and clears the
 * marks.  No span is in a cache afterwards. */
struct recount recount_run(struct arena *arena, uint32_t epoch,
                           enum unfinished unfinished);

#endif
