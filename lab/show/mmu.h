/* SPDX-License-Identifier: MIT */
/* mmu.h -- minimum mutator utilisation, exactly
 *
 * The utilisation of a window is the share of it in which the program ran and
 * was not delayed; its minimum over all windows of one length says how bad it
 * gets (Cheng & Blelloch 2001).  Of several threads it is the share of the time
 * of all of them.  A window counts if at least one thread was attached from its
 * begin to its end: at the moment when a thread ends, or begins, a window could
 * be all delay.
 *
 * Delay and life are sums over piecewise linear functions of where the window
 * begins, so their quotient has its minimum where the window begins or ends at
 * the edge of a delay or of a life.  Those are the windows looked at: a walk of
 * the edges for each length.  Tested by tests/lab/mmu.c, against all windows.
 */
#ifndef DUSK_LAB_MMU_H
#define DUSK_LAB_MMU_H

#include <stddef.h>
#include <stdint.h>

struct mmu_interval {
  uint64_t start;
  uint64_t end;
};

struct mmu_thread {
  struct mmu_interval life;
  struct mmu_interval *delays; /* may overlap: a moment is lost only once */
  size_t count;
};

struct mmu;

/* Takes what it needs from the threads, and leaves their delays sorted.  NULL:
 * no memory.  The caller owns the result: mmu_destroy(). */
struct mmu *mmu_create(struct mmu_thread *threads, size_t count);
void mmu_destroy(struct mmu *mmu);

/* The least utilisation, 0 to 1, of all windows of this length, at least 1;
 * NAN if no thread lived so long. */
double mmu_least(const struct mmu *mmu, uint64_t window);

#endif
