/* SPDX-License-Identifier: MIT */
/* handshake.h -- the five steps that every thread takes in a cycle
 *
 *   H1   the barrier goes on
 *   H1b  nothing: whoever has passed it has finished every barriered store that
 *        it began while another thread's barrier was off
 *   H2   the stack's words are gathered; allocation turns black
 *   H3   the barrier's log is handed over (any number of rounds)
 *   H4   the barrier goes off; runs are dropped; allocation turns white */
#ifndef DUSK_COLLECT_HANDSHAKE_H
#define DUSK_COLLECT_HANDSHAKE_H

#include "collect/collector.h"

enum handshake {
  HANDSHAKE_1,
  HANDSHAKE_1B,
  HANDSHAKE_2,
  HANDSHAKE_3,
  HANDSHAKE_4
};

/* Posts the step to every thread.  `epoch` is that of the cycle. */
void handshake_post(struct collector *collector, enum handshake which,
                    uint32_t epoch);

/* Returns when every thread has served it.  A thread that is late delays this
 * call, and nobody else; after collector->slow_ms it is named on stderr. */
void handshake_wait(struct collector *collector);

/* Names a thread that has not reached a safepoint for so long, on stderr, with
 * its stack.  With the registry's lock: the thread cannot leave. */
void handshake_report_late(const struct dusk_thread *thread,
                           uint64_t waited_ns);

static inline void handshake_run(struct collector *collector,
                                 enum handshake which, uint32_t epoch)
{
  handshake_post(collector, which, epoch);
  handshake_wait(collector);
}

#endif
