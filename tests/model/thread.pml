/* SPDX-License-Identifier: MIT */
/* thread.pml -- a thread of the program: all that it may do, in any order
 *
 * Part of cycle.pml.  It holds one or two words, loads, stores, allocates,
 * lets go, serves handshakes, and with the options
 *
 *   OUTSIDE_REGIONS  enters and leaves blocking regions
 *   COMING           exits, and attaches again, with a word of the other's
 *   ROOTS            removes the root and adds it
 *   EXCHANGE         stores by exchange
 *   FINE             takes the barrier apart to the single word
 */

/* ---- serving ---- */

/* [serve_h2] runtime/collect/handshake.c, but for the stack's words */
inline turn_black(t) { black = black | BIT(t); scanned = scanned | BIT(t) }

inline finish_service(t) {
  if
  :: step == H1 -> /* [serve_h1] runtime/collect/handshake.c */
     barrier = barrier | BIT(t)
#ifdef BUG_BLACK_FROM_H1
     ; black = black | BIT(t)
#endif
  :: step == H1B -> skip /* [serve_h1b] runtime/collect/handshake.c */
  :: step == H2 ->
     barrier = barrier | BIT(t); /* on already, but for BUG_H1_WITH_H2 */
     turn_black(t)
  :: step == H3 -> /* [serve_h3] runtime/collect/handshake.c */
#ifndef BUG_H3_KEEPS_LOG
     hand_over(t)
#else
     skip
#endif
#ifdef BUG_BARRIER_OFF_AT_H3
     ; barrier = barrier & ~BIT(t)
#endif
  :: step == H4 -> /* [serve_h4] runtime/collect/handshake.c */
     barrier = barrier & ~BIT(t); logs[t] = 0;
     black = black & ~BIT(t); scanned = scanned & ~BIT(t)
  fi;
  /* [registry_acknowledge] runtime/mutator/registry.c */
  owing = owing & ~BIT(t)
}

/* [gather] runtime/heap/gather.c: words go into the log as they are */
inline gather_word(t, x) { logs[t] = (logs[t] | BIT(x)) & ~1 }

/* [poll_serve] runtime/mutator/poll.c */
inline serve(t) {
  if
  :: step == H2 -> gather_word(t, TOP(t)); gather_word(t, SECOND(t))
  :: else
  fi;
  finish_service(t)
}

/* ---- coming and going ---- */

/* [registry_join] runtime/mutator/registry.c
 * It joins as if it had served all that was posted, but for an H2 that somebody
 * still owes: that one it owes too. */
inline join(t) {
  attached = attached | BIT(t);
  if
  :: step == H2 && owing != 0 ->
     barrier = barrier | BIT(t);
#ifdef BUG_ATTACH_SCANNED
     turn_black(t)
#else
     owing = owing | BIT(t)
#endif
  :: (step == H2 && owing == 0) || step == H3 ->
     barrier = barrier | BIT(t);
#ifdef BUG_ATTACH_WHITE
     scanned = scanned | BIT(t)
#else
     turn_black(t)
#endif
  :: step == H1 || step == H1B ->
     barrier = barrier | BIT(t)
  :: step == IDLE || step == H4
  fi
#ifdef BUG_ATTACH_BARRIER_OFF
  ; barrier = barrier & ~BIT(t)
#endif
}

/* [thread_leave] runtime/mutator/thread.c */
inline leave(t) {
  TOP(t) = 0; SECOND(t) = 0;
  if
#ifdef BUG_EXIT_DROPS_LOG
  :: true
#else
  :: logs[t] != 0 -> dirty = true; raw = raw | logs[t]
  :: else
#endif
  fi;
  logs[t] = 0;
  barrier = barrier & ~BIT(t); black = black & ~BIT(t);
  scanned = scanned & ~BIT(t); attached = attached & ~BIT(t)
}

/* ---- what a thread may do ---- */

#define IS_ATTACHED(t) (!over && (attached & BIT(t)))
#define RUNS(t) (IS_ATTACHED(t) && state[t] == IN_HEAP)
#define ACTS(t) (RUNS(t) && MAY_ACT)
#define ONE_OF_ITS_WORDS(v) \
  if :: v = TOP(t) :: IS_DEEP(t) -> v = SECOND(t) fi
#define NULL_OR_ONE_OF_ITS_WORDS(v) \
  if :: v = 0 :: v = TOP(t) :: IS_DEEP(t) -> v = SECOND(t) fi
/* An address: the root, or an object that it holds. */
#define SOME_ADDRESS(a) \
  if :: rooted -> a = 0 :: TOP(t) != 0 -> a = TOP(t) \
     :: IS_DEEP(t) && SECOND(t) != 0 -> a = SECOND(t) fi
#define HAS_ADDRESS(t) (rooted || TOP(t) != 0 || SECOND(t) != 0)
#define KEEP(v) if :: TOP(t) = v :: IS_DEEP(t) -> SECOND(t) = v fi

#define FREE (ALL_OBJECTS & ~allocated)

proctype Thread(byte t) {
  byte a, v;
  do
  :: atomic { over -> break }

  /* [dusk_load] include/dusk/store.h */
  :: atomic { ACTS(t) && HAS_ADDRESS(t) ->
       SPEND; SOME_ADDRESS(a); v = slot[a]; KEEP(v); a = 0; v = 0; SETTLE }
  :: atomic { RUNS(t) && TOP(t) != 0 -> TOP(t) = 0; SETTLE }
  :: atomic { RUNS(t) && SECOND(t) != 0 -> SECOND(t) = 0; SETTLE }

  :: atomic { ACTS(t) && !(barrier & BIT(t)) && HAS_ADDRESS(t) ->
       SPEND; SOME_ADDRESS(a); NULL_OR_ONE_OF_ITS_WORDS(v); slot[a] = v;
       a = 0; v = 0; SETTLE }
  :: atomic { ACTS(t) && (barrier & BIT(t)) && HAS_ADDRESS(t) ->
       SPEND; SOME_ADDRESS(at[t]); NULL_OR_ONE_OF_ITS_WORDS(new[t]);
#if defined(EXCHANGE) && defined(BUG_EXCHANGE_LOGS_AFTER)
       log_new(t); SETTLE };
     atomic { old[t] = slot[at[t]]; write(t); SETTLE };
     atomic { v = old[t]; log_old(t); KEEP(v); v = 0; SETTLE }
#elif defined(EXCHANGE) /* [dusk_exchange_slow] runtime/mutator/barrier.c */
       SETTLE };
     do
     :: atomic {
          old[t] = slot[at[t]]; log_word(t, old[t]); log_new(t); SETTLE };
        if
        :: atomic { slot[at[t]] == old[t] ->
             v = old[t]; old[t] = 0; write(t); KEEP(v); v = 0; SETTLE; break }
        :: atomic { slot[at[t]] != old[t] -> old[t] = 0; SETTLE }
        fi
     od
#elif defined(BUG_LOG_AFTER_STORE)
       old[t] = slot[at[t]]; SETTLE };
     atomic { slot[at[t]] = new[t]; at[t] = 0; SETTLE };
     atomic { log_old(t); log_new(t); new[t] = 0; SETTLE }
#elif defined(FINE) /* [dusk_barrier_slow] runtime/mutator/barrier.c */
       old[t] = slot[at[t]]; SETTLE };
     atomic { log_old(t); SETTLE };
     atomic { log_new(t); SETTLE };
     atomic { write(t); SETTLE }
#else
       old[t] = slot[at[t]]; log_old(t); log_new(t); SETTLE };
     atomic { write(t); SETTLE }
#endif

#ifndef NO_ALLOCATION
  :: atomic { ACTS(t) && FREE != 0 -> /* [dusk_alloc] include/dusk/alloc.h */
       SPEND; CHOOSE(FREE, a); allocated = allocated | BIT(a);
       if
       :: black & BIT(t) -> marked = marked | BIT(a)
       :: else
       fi;
       if /* its span was taken after its H4: the census is not to count it */
       :: step == H4 && !(owing & BIT(t)) -> young = young | BIT(a)
       :: else
       fi;
       /* [dusk_init] include/dusk/store.h */
       NULL_OR_ONE_OF_ITS_WORDS(v); slot[a] = v;
       KEEP(a); a = 0; v = 0; SETTLE }
#endif

  :: atomic { RUNS(t) && (owing & BIT(t)) -> serve(t); SETTLE }
#ifndef LOGS_NEVER_FULL
  :: atomic { RUNS(t) && logs[t] != 0 -> hand_over(t); SETTLE }
#endif

#ifdef OUTSIDE_REGIONS
  /* [poll_go_outside] runtime/mutator/poll.c
   * [poll_come_back] runtime/mutator/poll.c */
  :: atomic { RUNS(t) -> state[t] = OUTSIDE };
#ifdef BUG_BACK_WITHOUT_CAS
     state[t] = IN_HEAP
#else
     atomic { state[t] == OUTSIDE || over -> state[t] = IN_HEAP }
#endif
#endif

#ifdef COMING
  :: atomic { RUNS(t) && !(owing & BIT(t)) -> leave(t); SETTLE }
  :: atomic { !over && !(attached & BIT(t)) && (attached & BIT(1 - t)) ->
       TOP(t) = TOP(1 - t); /* handed over outside the heap: the giver has it */
       join(t); SETTLE }
#endif

#ifdef ROOTS
  /* [rootset_remove] runtime/mutator/rootset.c */
  :: atomic { RUNS(t) && rooted ->
#ifndef BUG_REMOVE_UNLOGGED
       log_root();
#endif
       slot[0] = 0; rooted = false; SETTLE }
  /* [rootset_add] runtime/mutator/rootset.c */
  :: atomic { RUNS(t) && !rooted && TOP(t) != 0 ->
       slot[0] = TOP(t); rooted = true;
#ifndef BUG_ADD_UNLOGGED
       log_root();
#endif
       SETTLE }
#endif
  od
}
