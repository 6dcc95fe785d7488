/* SPDX-License-Identifier: MIT */
/* crew.c -- the threads of a collector come back in the child of a fork
 *
 * Runs on whoever asks for a cycle: a thread in the heap, or the driver of
 * another heap of the same budget.  Of several at once one starts the threads;
 * the others' cycles are run when the driver is there, and if it does not come,
 * who waits is told by `done`.
 *
 * Tested by tests/api/fork.c and tests/unit/faults.c. */
#include "collect/crew.h"

#include "base/check.h"

bool crew_call(struct collector *collector)
{
  uint32_t crew = CREW_LOST;
  /* Acquires what the last one to try has left. */
  if (!CAS_ACQUIRE(&collector->crew, &crew, CREW_COMING))
    return true;
  int error = collector->start_crew(collector);
  if (error && !collector->lost_is_told)
    complain("the system has no threads for the collector of heap %p in this "
             "child of fork: it is not collected until it has",
             (void *)collector);
  collector->lost_is_told = error != 0;
  /* Pairs with crew_is_there() and the compare-and-swap above. */
  STORE_RELEASE(&collector->crew, error ? CREW_LOST : CREW_PRESENT);
  if (error)
    park_signal(&collector->done);
  return !error;
}
