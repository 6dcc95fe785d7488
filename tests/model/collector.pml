/* SPDX-License-Identifier: MIT */
/* collector.pml -- the driver, which is the only marker here
 *
 * Part of cycle.pml.  Several markers, and the door between them and the end of
 * marking, are in terminate.pml. */

/* ---- handshakes ---- */

/* [registry_post] runtime/mutator/registry.c */
inline post(which) { step = which; owing = attached }

/* [poll_serve_outside] runtime/mutator/poll.c
 * The stack is read word by word, while the thread may want to come back. */
inline serve_outside(t) {
  if
  :: step == H2 -> gather_word(t, TOP(t))
  :: else
  fi;
  SETTLE
}
inline serve_outside_rest(t) {
  if
  :: step == H2 -> gather_word(t, SECOND(t))
  :: else
  fi;
  finish_service(t);
  state[t] = OUTSIDE;
  SETTLE
}

/* [handshake_wait] runtime/collect/handshake.c */
inline await() {
#ifdef OUTSIDE_REGIONS
  do
  :: atomic { owing == 0 -> break }
  :: atomic { (owing & BIT(0)) && state[0] == OUTSIDE -> state[0] = SERVED };
     atomic { serve_outside(0) };
     atomic { serve_outside_rest(0) }
  :: atomic { (owing & BIT(1)) && state[1] == OUTSIDE -> state[1] = SERVED };
     atomic { serve_outside(1) };
     atomic { serve_outside_rest(1) }
  od
#else
  owing == 0
#endif
}

/* ---- marking ---- */

/* [test_words] runtime/collect/mark.c
 * One word.  Here each names an object; words.pml has those that do not. */
inline test_word() {
  CHOOSE(raw, x);
  raw = raw & ~BIT(x);
#ifdef BARRIER_MARKS
  marked = marked | BIT(x); grey = grey | BIT(x); /* perhaps once too often */
#else
  if
  :: !(marked & BIT(x)) -> marked = marked | BIT(x); grey = grey | BIT(x)
  :: else
  fi;
#endif
  x = 0
}

/* [mark_word] runtime/collect/mark.h */
inline mark_child() {
  if
  :: child != 0 && !(marked & BIT(child)) ->
     marked = marked | BIT(child); grey = grey | BIT(child)
  :: else
  fi;
  child = 0
}

#ifdef BUG_ENDS_WITH_RAW_WORDS
#define IS_DRAINED (grey == 0)
#else
#define IS_DRAINED (grey == 0 && raw == 0)
#endif

/* [drain] runtime/collect/terminate.c */
inline drain() {
  do
  :: atomic { raw != 0 -> test_word(); SETTLE }
  :: atomic { grey != 0 -> /* [hot_scan] runtime/collect/mark.c */
       CHOOSE(grey, x); grey = grey & ~BIT(x); child = slot[x]; x = 0; SETTLE };
     atomic { mark_child(); SETTLE }
  :: atomic { IS_DRAINED -> break }
  od
}

/* ---- a cycle ---- */

/* [start] runtime/collect/cycle.c */
inline start_cycle() {
  atomic {
#ifdef COMPLETE
    reach(); doomed = allocated & ~living;
#endif
    logging = true;
#ifndef BUG_H1_WITH_H2
    post(H1);
#endif
    SETTLE
  };
#ifndef BUG_H1_WITH_H2
#ifndef BUG_NO_H1_WAIT
  await();
#endif
#ifndef BUG_NO_H1B
  post(H1B);
  await();
#endif
#endif
  atomic { post(H2) };
  atomic { /* [rootset_gather] runtime/mutator/rootset.c */
    if
    :: rooted && slot[0] != 0 -> raw = raw | BIT(slot[0])
    :: else
    fi
  };
  await();
  tested = true
}

/* [terminate_marking] runtime/collect/terminate.c */
inline mark() {
#ifdef BUG_LOOKS_AT_LOGS
  do
  :: drain();
     if
     :: atomic { (logs[0] & ~marked) == 0 };
        if
        :: atomic { (logs[1] & ~marked) == 0 -> break }
        :: else
        fi
     :: else
     fi;
  od
#else
  do
  :: drain();
     atomic { dirty = false; post(H3) };
     await();
     if
     :: atomic { !dirty && IS_DRAINED -> break }
     :: else
     fi
  od
#endif
}

/* Marking is over: nothing white can be living, now or until H4 is served. */
inline check_marks() {
#ifndef ONLY_AT_THE_END
  reach(); assert((living & ~marked) == 0);
#else
  skip
#endif
}

/* [visit] runtime/collect/census.c
 * A slot of `unseen`.  A young one was allocated white after its thread's H4,
 * from a span that the census has counted or that was free. */
inline count_object() {
  CHOOSE(unseen, x);
  unseen = unseen & ~BIT(x);
  if
#ifdef BUG_CENSUS_COUNTS_YOUNG
  :: (allocated & BIT(x)) && !(marked & BIT(x)) ->
#else
  :: (allocated & ~young & BIT(x)) && !(marked & BIT(x)) ->
#endif
     reach(); assert(!(living & BIT(x))); /* what is freed is garbage */
     allocated = allocated & ~BIT(x); slot[x] = 0
#ifdef COMPLETE
     ; doomed = doomed & ~BIT(x)
#endif
  :: else
  fi;
  marked = marked & ~BIT(x);
  x = 0
}

proctype Collector() {
  byte x, cycles;
  do
  :: cycles < CYCLES ->
     start_cycle();
     mark();
     atomic { check_marks() };
#ifdef ONE_HALF
     break;
#endif
     /* [end] runtime/collect/cycle.c */
     atomic { logging = false; dirty = false; post(H4) };
     await();
     atomic { tested = false; raw = 0; grey = 0; unseen = ALL_OBJECTS; SETTLE };
     do
     :: atomic { unseen != 0 -> count_object(); SETTLE }
     :: atomic { unseen == 0 -> break }
     od;
     atomic {
#ifdef COMPLETE
       assert(doomed == 0); /* what was garbage when it began has gone */
#endif
       young = 0; step = IDLE; cycles++; SETTLE
     }
  :: else -> break
  od;
  over = true
}
