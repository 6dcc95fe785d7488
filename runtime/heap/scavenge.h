/* SPDX-License-Identifier: MIT */
/* scavenge.h -- giving the memory of free pages back to the system */
#ifndef DUSK_HEAP_SCAVENGE_H
#define DUSK_HEAP_SCAVENGE_H

#include "heap/arena.h"

enum scavenge_how {
  SCAVENGE_SPARSE, /* leaves chunks alone that are nearly full, or were */
  SCAVENGE_FORCED  /* whatever is free */
};

/* What a thread that has taken fresh pages gives back for them. */
struct scavenge_debt {
  uint64_t bytes; /* 0: nothing */
  enum scavenge_how how;
};

/* Gives back at least `bytes` of free memory, if there is so much, and less
 * than a huge page more.  Returns what it gave back; 0: nothing is left that
 * may be.  Any thread, with no lock of a higher rank than pages; pages.lock is
 * free while the system works. */
uint64_t scavenge(struct arena *arena, uint64_t bytes, enum scavenge_how how,
                  enum scavenge_by by);

/* Gives back all that is free when it is called; bytes. */
uint64_t scavenge_all(struct arena *arena);

/* What was given back so far. */
struct scavenged scavenge_read(struct arena *arena);

/* For pages.c. */

/* `fresh` pages have been taken that held no memory, for `grown` of which the
 * frontier moved up.  With the lock. */
struct scavenge_debt scavenge_debt_locked(const struct pages *pages,
                                          uint32_t fresh, uint32_t grown);
void scavenge_pay(struct arena *arena, struct scavenge_debt debt);

/* Pages below `end`, and their chunks, have to be looked through again.  With
 * the lock. */
static inline void scavenge_raise_locked(struct pages *pages, uint32_t end)
{
  uint32_t top = (end + CHUNK_PAGES - 1) / CHUNK_PAGES * CHUNK_PAGES;
  for (int i = 0; i < SCAVENGE_LEVELS; i++)
    pages->tops[i] = pages->tops[i] > top ? pages->tops[i] : top;
}

#endif
