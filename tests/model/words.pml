/* SPDX-License-Identifier: MIT */
/* words.pml -- words that may be anything: when one may be tested
 *
 * As cycle.pml, but a thread's stack holds beside its pointer a number that
 * looks like any slot, free or not; and what the collector takes for allocated
 * lags behind what is.  It begins when both have served H1b, with any heap and
 * stale words in the free slots.
 *
 * What is checked: the census frees nothing that can be reached, and the marker
 * follows no pointer into a free slot. */

#ifndef OBJECTS
#define OBJECTS 2
#endif
#define BIT(x) (1 << (x))
#define ALL_OBJECTS ((1 << (OBJECTS + 1)) - 2)
#define BOTH 3
#define H2 2
#define H3 3
#define H4 4

byte slot[OBJECTS + 1]; /* slot[0]: the root */
byte stack[2];
byte at[2], new[2];     /* a store that has begun */
byte fresh[2];          /* allocated, not yet initialized */
byte logs[2];           /* raw words */
byte pending[2];        /* handed out, not yet published */

byte used;              /* handed out, in truth */
byte allocated;         /* as far as anybody but the owner can tell */
byte marked, raw, grey, child, young, unseen;
byte black, step, owing;
bool barrier_off[2];
bool tested, dirty, over;
hidden byte living, n_, k_;

#ifdef BUDGET
byte spent;
#define ACTS (!over && spent < BUDGET)
#define SPEND spent++
#else
#define ACTS (!over)
#define SPEND skip
#endif

inline reach() {
  d_step {
    living = BIT(slot[0]) | BIT(stack[0]) | BIT(stack[1]) | BIT(fresh[0]) |
             BIT(fresh[1]);
    n_ = 0;
    do
    :: n_ < OBJECTS ->
       k_ = 1;
       do
       :: k_ <= OBJECTS ->
          if
          :: (living & used & BIT(k_)) -> living = living | BIT(slot[k_])
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

#if OBJECTS == 2
#define CHOOSE(set, x) \
  if :: ((set) & 2) -> x = 1 :: ((set) & 4) -> x = 2 fi
#define ANY_NUMBER(x) if :: x = 0 :: x = 1 :: x = 2 fi
#else
#define CHOOSE(set, x) \
  if :: ((set) & 2) -> x = 1 :: ((set) & 4) -> x = 2 \
     :: ((set) & 8) -> x = 3 fi
#define ANY_NUMBER(x) if :: x = 0 :: x = 1 :: x = 2 :: x = 3 fi
#endif

/* [word_is_white] runtime/heap/shade.h */
#ifdef BUG_UNTESTED
#define IS_WHITE(x) (!(marked & BIT(x)))
#else
#define IS_WHITE(x) ((allocated & BIT(x)) && !(marked & BIT(x)))
#endif

/* [log_word] runtime/mutator/barrier.c */
#ifdef BUG_TESTED_BEFORE_H2
#define MAY_TEST true
#else
#define MAY_TEST tested
#endif
inline log_word(t, x) {
  if
  :: (x) != 0 && (!MAY_TEST || IS_WHITE(x)) -> logs[t] = logs[t] | BIT(x)
  :: else
  fi
}

/* [publish] runtime/mutator/cache.c: in its own time, and at H2 */
inline publish(t) { allocated = allocated | pending[t]; pending[t] = 0 }

/* [barrier_flush] runtime/mutator/barrier.c */
inline hand_over(t) {
  if
  :: logs[t] != 0 -> dirty = true; raw = raw | logs[t]; logs[t] = 0
  :: else
  fi
}

inline serve(t) {
  if
  :: step == H2 -> /* [serve_h2] runtime/collect/handshake.c */
     ANY_NUMBER(k_);
     log_word(t, stack[t]);
     log_word(t, k_);
     k_ = 0;
#ifndef BUG_H2_PUBLISHES_NOTHING
     publish(t); /* [cache_blacken] runtime/mutator/cache.c */
#endif
     black = black | BIT(t)
  :: step == H3 -> hand_over(t)
  :: step == H4 -> barrier_off[t] = true; black = black & ~BIT(t); logs[t] = 0
  fi;
  owing = owing & ~BIT(t)
}

#define FREE (ALL_OBJECTS & ~used)
#define ROOT_OR_HELD(a) if :: a = 0 :: a = stack[t] fi

proctype Thread(byte t) {
  byte a, v;
  do
  :: atomic { over -> break }
  :: atomic { ACTS -> SPEND; ROOT_OR_HELD(a); stack[t] = slot[a]; a = 0 }
  :: atomic { !over && stack[t] != 0 -> stack[t] = 0 }
  :: atomic { ACTS && barrier_off[t] ->
       SPEND; ROOT_OR_HELD(a); ROOT_OR_HELD(v); slot[a] = v; a = 0; v = 0 }
  :: atomic { ACTS && !barrier_off[t] ->
       SPEND; ROOT_OR_HELD(at[t]); ROOT_OR_HELD(new[t]);
       log_word(t, slot[at[t]]);
       if
       :: !(black & BIT(t)) -> log_word(t, new[t])
       :: else
       fi };
     atomic { slot[at[t]] = new[t]; at[t] = 0; new[t] = 0 }
  :: atomic { ACTS && FREE != 0 -> /* [dusk_alloc] include/dusk/alloc.h */
       SPEND; CHOOSE(FREE, a); used = used | BIT(a);
       if
       :: black & BIT(t) -> marked = marked | BIT(a)
       :: !(black & BIT(t)) && step == H4 -> young = young | BIT(a)
       :: else
       fi;
       if
       :: !(black & BIT(t)) -> pending[t] = pending[t] | BIT(a)
       :: else
       fi;
#ifndef BUG_NOT_ZEROED
       slot[a] = 0; /* [run_next] runtime/heap/run.c */
#endif
       fresh[t] = a; a = 0 };
     atomic { /* no safepoint in between, nothing published; perhaps no store */
       if
       :: slot[fresh[t]] = stack[t]
       :: true
       fi;
       stack[t] = fresh[t]; fresh[t] = 0 }
  /* [cache_next_run] runtime/mutator/cache.c */
  :: atomic { !over && pending[t] != 0 -> publish(t) }
  :: atomic { !over && (owing & BIT(t)) -> serve(t) }
#ifndef LOGS_NEVER_FULL
  :: atomic { !over && logs[t] != 0 -> hand_over(t) }
#endif
  od
}

/* [test_words] runtime/collect/mark.c */
inline test_word() {
  CHOOSE(raw, x);
  raw = raw & ~BIT(x);
  if
  :: IS_WHITE(x) ->
     assert(used & BIT(x));
     marked = marked | BIT(x); grey = grey | BIT(x)
  :: else
  fi;
  x = 0
}

inline mark_child() {
  if
  :: child != 0 ->
     assert(used & BIT(child)); /* a pointer, and no stale word */
     if
     :: !(marked & BIT(child)) ->
        marked = marked | BIT(child); grey = grey | BIT(child)
     :: else
     fi
  :: else
  fi;
  child = 0
}

#define DRAIN \
  :: atomic { raw != 0 -> test_word() } \
  :: atomic { grey != 0 -> \
       CHOOSE(grey, x); grey = grey & ~BIT(x); child = slot[x]; x = 0 }; \
     atomic { mark_child() }

proctype Collector() {
  byte x;
  atomic { step = H2; owing = BOTH };
  /* [rootset_gather] runtime/mutator/rootset.c */
  atomic { raw = raw | (BIT(slot[0]) & ~1) };
  do
#ifdef BUG_DRAINED_BEFORE_H2
  DRAIN
#endif
  /* [start] runtime/collect/cycle.c */
  :: atomic { owing == 0 -> tested = true; break }
  od;
  do
  :: do
     DRAIN
     :: atomic { raw == 0 && grey == 0 -> break }
     od;
     atomic { dirty = false; step = H3; owing = BOTH };
     owing == 0;
     if
     :: atomic { !dirty && raw == 0 && grey == 0 -> break }
     :: else
     fi
  od;
  atomic { step = H4; owing = BOTH };
  atomic { owing == 0 -> raw = 0; grey = 0; unseen = ALL_OBJECTS };
  do
  :: atomic { unseen != 0 -> /* [visit] runtime/collect/census.c */
       CHOOSE(unseen, x); unseen = unseen & ~BIT(x);
       if
       :: (used & BIT(x)) && !((marked | young) & BIT(x)) ->
          reach(); assert(!(living & BIT(x)));
          used = used & ~BIT(x)
       :: else
       fi;
       x = 0 }
  :: atomic { unseen == 0 -> break }
  od;
  over = true
}

inline anything(v) {
  if
  :: v = 0
  :: used & 2 -> v = 1
  :: used & 4 -> v = 2
#if OBJECTS > 2
  :: used & 8 -> v = 3
#endif
  fi
}

init {
  byte x;
  atomic {
    if
    :: used = 0 :: used = 2 :: used = 6
#if OBJECTS > 2
    :: used = 14
#endif
    fi;
    allocated = used;
    do
    :: x <= OBJECTS ->
       if
       :: x == 0 || (used & BIT(x)) -> anything(slot[x])
       :: else -> ANY_NUMBER(slot[x]) /* of who was there before */
       fi;
       x++
    :: else -> break
    od;
    x = 0;
    anything(stack[0]); anything(stack[1]);
    run Collector(); run Thread(0); run Thread(1)
  }
}
