/* SPDX-License-Identifier: MIT */
/* world.pml -- what there is: objects, a root, two threads, and their colours
 *
 * Part of cycle.pml.  An object has a number, 1 to OBJECTS, and one pointer.
 * Number 0 is two things: as a value it is NULL, as an address the root slot.
 * A set of objects or of threads is a mask.
 *
 * Colour, as in Dusk, is where an object is: white if it is not in `marked`,
 * grey if it is and `grey` holds it, black otherwise.  Words in `raw` and in a
 * log are promises: not yet tested, not yet marked.  */

#define BIT(x) (1 << (x))
#define ALL_OBJECTS ((1 << (OBJECTS + 1)) - 2)
#define BOTH 3

/* ---- what the program sees ---- */

byte slot[OBJECTS + 1]; /* slot[0]: the root; slot[x]: the pointer in x */
byte stack[4];          /* thread t has stack[2t] and, if it is deep, [2t+1] */
#define TOP(t)    stack[2 * (t)]
#define SECOND(t) stack[2 * (t) + 1]
#define IS_DEEP(t) ((t) == 0 -> DEEP0 : DEEP1)

/* A store that has begun: where, what, and what was there. */
byte at[2], new[2], old[2];

/* ---- what the collector sees ---- */

byte allocated;    /* objects; the others are free */
byte marked;       /* set by the marker, or at birth of a black object */
byte logs[2];      /* raw words in a thread's log */
byte raw;          /* raw words handed over */
byte grey;         /* marked objects handed over */
byte child;        /* what the marker has read and not yet marked */
byte young;        /* allocated in the epoch that the census counts for */
byte unseen;       /* what the census has still to count */
bool tested;       /* registry.all_scanned: words may be tested */
bool dirty;        /* something was handed over since the round began */
bool rooted = true;  /* the root is in the root set */
bool logging;      /* the root set logs what changes */

/* ---- a thread's phase: masks of threads ---- */

byte barrier;      /* thread->abi.barrier */
byte black;        /* thread->black */
byte scanned;      /* thread->scanned */
byte attached = BOTH;
byte step;         /* the handshake posted last */
byte owing;        /* who has not served it */
#define IDLE 0
#define H1  1
#define H1B 2
#define H2  3
#define H3  4
#define H4  5

#define IN_HEAP 0
#define OUTSIDE 1
#define SERVED  2
byte state[2];     /* thread->state */

bool over;         /* the collector has finished; nothing more is looked at */

#ifdef BUDGET      /* the heap operations that the program has left */
byte spent;
#define MAY_ACT (spent < BUDGET)
#define SPEND spent++
#else
#define MAY_ACT true
#define SPEND skip
#endif

#ifdef COMPLETE
byte doomed;       /* garbage when the cycle began */
#endif

/* ---- what can be living ---- */

/* No part of the state: computed and used within one step. */
hidden byte living, n_, k_;

inline reach() {
  d_step {
    living = BIT(slot[0]) | BIT(stack[0]) | BIT(stack[1]) | BIT(stack[2]) |
              BIT(stack[3]);
    n_ = 0;
    do
    :: n_ < OBJECTS ->
       k_ = 1;
       do
       :: k_ <= OBJECTS ->
          if
          :: (living & BIT(k_)) -> living = living | BIT(slot[k_])
          :: else
          fi;
          k_++
       :: else -> break
       od;
       n_++
    :: else -> break
    od;
    living = living & ~1; n_ = 0; k_ = 0
  }
}

/* Any object of a set. */
#if OBJECTS == 2
#define CHOOSE(set, x) \
  if :: ((set) & 2) -> x = 1 :: ((set) & 4) -> x = 2 fi
#else
#define CHOOSE(set, x) \
  if :: ((set) & 2) -> x = 1 :: ((set) & 4) -> x = 2 \
     :: ((set) & 8) -> x = 3 fi
#endif

/* ---- symmetry ---- */

/* Objects have numbers, but nothing depends on which: of all states that differ
 * in the numbering alone one is kept, the least.  SETTLE ends each step that
 * may have touched an object. */
c_decl {
  \#include <string.h>
  typedef unsigned char renaming[4];
  static const renaming renamings[6] = {{0, 1, 2, 3}, {0, 2, 1, 3},
    {0, 1, 3, 2}, {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}};
}
c_code {
  static unsigned char rename_set(const unsigned char *to, unsigned char set)
  {
    unsigned char renamed = set & 1;
    int i;
    for (i = 1; i <= OBJECTS; i++)
      if (set & 1 << i)
        renamed |= 1 << to[i];
    return renamed;
  }
  /* Everything that names an object, in one row: what is added above must be
   * added here, and in restore(). */
  static int write_row(const unsigned char *to, unsigned char *row)
  {
    int i, n = OBJECTS + 1;
    for (i = 0; i <= OBJECTS; i++)
      row[to[i]] = to[now.slot[i]];
    for (i = 0; i < 4; i++)
      row[n++] = to[now.stack[i]];
    for (i = 0; i < 2; i++) {
      row[n++] = to[now.at[i]];
      row[n++] = to[now.new[i]];
      row[n++] = to[now.old[i]];
      row[n++] = rename_set(to, now.logs[i]);
    }
    row[n++] = rename_set(to, now.allocated);
    row[n++] = rename_set(to, now.marked);
    row[n++] = rename_set(to, now.raw);
    row[n++] = rename_set(to, now.grey);
    row[n++] = rename_set(to, now.young);
    row[n++] = rename_set(to, now.unseen);
    row[n++] = to[now.child];
#ifdef COMPLETE
    row[n++] = rename_set(to, now.doomed);
#endif
    return n;
  }
  static void restore(const unsigned char *row)
  {
    int i, n = 0;
    for (i = 0; i <= OBJECTS; i++)
      now.slot[i] = row[n++];
    for (i = 0; i < 4; i++)
      now.stack[i] = row[n++];
    for (i = 0; i < 2; i++) {
      now.at[i] = row[n++];
      now.new[i] = row[n++];
      now.old[i] = row[n++];
      now.logs[i] = row[n++];
    }
    now.allocated = row[n++];
    now.marked = row[n++];
    now.raw = row[n++];
    now.grey = row[n++];
    now.young = row[n++];
    now.unseen = row[n++];
    now.child = row[n++];
#ifdef COMPLETE
    now.doomed = row[n++];
#endif
  }
  static void settle(void)
  {
    unsigned char least[40], row[40];
    int i, n, changed = 0;
    n = write_row(renamings[0], least);
    for (i = 1; i < (OBJECTS == 3 ? 6 : 2); i++) {
      write_row(renamings[i], row);
      if (memcmp(row, least, n) < 0) {
        memcpy(least, row, n);
        changed = 1;
      }
    }
    if (changed)
      restore(least);
  }
}
#define SETTLE c_code { settle(); }
