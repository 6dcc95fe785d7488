/* SPDX-License-Identifier: MIT */
/* terminate.pml -- the end of marking: two markers, two threads, and the door
 *
 * Packets, not words: a packet is worth one object, and an object names the
 * next one, so that emptying a packet may fill another.  CHAIN objects hang in
 * a chain; the first is in the thread's log or in a list when it begins.
 *
 *   driver   drains with the others, then holds rounds of H3 until one is clean
 *   helper   a worker or an assist: enters the door, takes a packet, leaves
 *   threads  serve the rounds, and hand their logs over whenever they are full
 *
 * A root that is removed by a thread that is not attached hands words over too,
 * and no round waits for it.  It may be late: once the roots are gathered, what
 * one holds is logged already, or known to somebody else (cycle.pml, ROOTS).
 *
 * What is checked: when the driver says that marking is over, no packet is
 * anywhere.  Each access to `is_open`, `busy`, `dirty` and the list is a step
 * of its own (in Dusk all but the list are sequentially consistent). */

#ifndef CHAIN
#define CHAIN 2
#endif

byte list;         /* packets in the two lists */
byte log[2];       /* the threads' logs: packets that they will hand over */
byte held;         /* packets that markers have taken */
byte left = CHAIN; /* objects that are still white: a packet may yield one */
byte busy;         /* who is inside the door */
bool is_open = true;
bool dirty;
bool owes[2];      /* the threads, this round */
bool marking_is_over;

/* [grey_hand_over] runtime/heap/grey.c */
inline hand_over(from) {
#ifndef BUG_HAND_OVER_OUTSIDE_DOOR
  busy++;
#endif
#ifdef BUG_DIRTY_AFTER_PUSH
  atomic { from--; list++ };
  dirty = true;
#else
#ifndef BUG_HAND_OVER_NOT_DIRTY
  dirty = true;
#endif
  atomic { from--; list++ };
#endif
#ifndef BUG_HAND_OVER_OUTSIDE_DOOR
  busy--
#else
  skip
#endif
}

/* [mark_enter] runtime/collect/mark.c [mark_leave] runtime/collect/mark.c
 * A packet is emptied, and what it named is marked: perhaps a packet more. */
inline mark_packet() {
  if
  :: atomic { list > 0 -> list--; held++ };
     if
     :: atomic { left > 0 -> left-- };
        hand_over(held)      /* [change_packet] runtime/collect/mark.c */
     :: atomic { held-- }
     fi
  :: atomic { list == 0 }
  fi
}

/* [grey_enter] runtime/heap/grey.c [grey_leave] runtime/heap/grey.c */
proctype Helper() {
  do
  :: atomic { marking_is_over -> break }
  :: busy++;
#ifdef BUG_DOOR_NOT_LOOKED_AT
     mark_packet();
#else
     if
     :: is_open -> mark_packet()
     :: !is_open
     fi;
#endif
     busy--
  od
}

/* Something white can be reached, and so be logged, only while something is
 * grey or the first of a log. */
#define MAY_FIND_WHITE \
  (left > 0 && list + held + log[0] + log[1] > 0)

proctype Thread(byte t) {
  do
  :: atomic { marking_is_over -> break }
  :: atomic { MAY_FIND_WHITE -> left--; log[t]++ }
  :: atomic { log[t] > 0 }; hand_over(log[t]) /* it is full */
  :: atomic { owes[t] }; /* [serve_h3] runtime/collect/handshake.c */
     do
     :: atomic { log[t] > 0 }; hand_over(log[t])
     :: atomic { log[t] == 0 -> break }
     od;
     owes[t] = false
  od
}

/* [grey_shut] runtime/heap/grey.c */
inline shut(answer) {
  is_open = false;
  if
  :: busy == 0 ->
     if
     :: list == 0 -> answer = true
     :: list != 0 -> answer = false; is_open = true
     fi
  :: busy != 0 -> answer = false; is_open = true
  fi
}

/* [terminate_marking] runtime/collect/terminate.c */
proctype Driver() {
  bool shut_now;
  do
  :: /* [drain] runtime/collect/terminate.c */
     do
     :: atomic { list > 0 }; busy++; mark_packet(); busy--
     :: atomic { list == 0 -> break }
     od;
#ifdef BUG_DIRTY_CLEARED_LATE
     shut(shut_now);
     if :: shut_now -> skip :: else -> goto again fi;
     dirty = false;
     is_open = true;
#else
     dirty = false; /* [grey_begin_round] runtime/heap/grey.c */
     shut(shut_now);
     if :: shut_now -> skip :: else -> goto again fi;
     is_open = true;
#endif
#ifndef BUG_NO_HANDSHAKE
     atomic { owes[0] = true; owes[1] = true };
     !owes[0] && !owes[1];
#endif
#ifdef BUG_DOOR_NOT_ASKED_LAST
     if :: list == 0 -> skip :: else -> goto again fi;
#else
     shut(shut_now);
     if :: shut_now -> skip :: else -> goto again fi;
#endif
     if
     :: !dirty -> break
     :: dirty -> is_open = true
     fi;
again: skip
  od;
  atomic {
    assert(list == 0 && held == 0 && log[0] == 0 && log[1] == 0);
    marking_is_over = true
  }
}

init {
  atomic {
    if :: list = 1 :: log[0] = 1 fi;
    left--;
    run Driver(); run Helper(); run Thread(0); run Thread(1);
  }
}
