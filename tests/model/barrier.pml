/* SPDX-License-Identifier: MIT */
/* barrier.pml -- a store taken apart, and the log that it writes
 *
 * Part of cycle.pml.  Between the read of the old value and the store there is
 * no safepoint, but everybody else goes on.  The log is the thread's own, so
 * what happens to it between two accesses to shared memory is one step. */

/* [log_word] runtime/mutator/barrier.c
 * Before the last H2 a word is logged as it is; after it, only if white.
 * BARRIER_MARKS: not Dusk's, but what a barrier that sets mark bits itself
 * would be.  Its log is grey, and others find the object marked. */
inline log_word(t, x) {
  if
#ifdef BARRIER_MARKS
  :: (x) != 0 && !(marked & BIT(x)) ->
     marked = marked | BIT(x); logs[t] = logs[t] | BIT(x)
#else
  :: (x) != 0 && !(tested && (marked & BIT(x))) -> logs[t] = logs[t] | BIT(x)
#endif
  :: else
  fi
}

/* [log_store] runtime/mutator/barrier.c */
#if defined(BUG_NO_DELETION)
#define OWES_OLD(t) false
#elif defined(BUG_DELETION_AFTER_ALL_SCANNED)
#define OWES_OLD(t) tested
#else
#define OWES_OLD(t) true
#endif
#if defined(BUG_NO_INSERTION)
#define OWES_NEW(t) false
#else
#define OWES_NEW(t) (!(scanned & BIT(t)))
#endif

inline log_old(t) {
  if
  :: OWES_OLD(t) -> log_word(t, old[t])
  :: else
  fi;
  old[t] = 0
}

inline log_new(t) {
  if
  :: OWES_NEW(t) -> log_word(t, new[t])
  :: else
  fi
}

inline write(t) { slot[at[t]] = new[t]; at[t] = 0; new[t] = 0 }

/* [barrier_flush] runtime/mutator/barrier.c
 * [grey_hand_over] runtime/heap/grey.c */
inline hand_over(t) {
#ifndef BARRIER_MARKS
  if
  :: tested -> logs[t] = logs[t] & ~marked /* keep_white() */
  :: else
  fi;
#endif
  if
  :: logs[t] != 0 ->
#ifndef BUG_HAND_OVER_NOT_DIRTY
     dirty = true;
#endif
     raw = raw | logs[t];
     logs[t] = 0
  :: else
  fi
}

/* [log_root] runtime/mutator/rootset.c */
inline log_root() {
  if
  :: logging && slot[0] != 0 -> dirty = true; raw = raw | BIT(slot[0])
  :: else
  fi
}
