/* SPDX-License-Identifier: MIT */
/* scrub.h -- clearing the part of a stack that is free */
#ifndef DUSK_OS_SCRUB_H
#define DUSK_OS_SCRUB_H

#include "base/compiler.h"

#include <stdint.h>

/* As far as it has been used lately; not below `low`, the stack's end.  The
 * last part may be left out where less than 64 KiB remain. */
void scrub_far(uintptr_t low);

/* What scrub_far() has had its own frames in: the 2 KiB below the caller's
 * frame, to the last word. */
NOINLINE void scrub_near(void);

/* Clears the calling thread's stack below the caller's frame.  Inline: a frame
 * of its own would have gaps that nobody clears. */
static inline void scrub_stack(uintptr_t low)
{
  scrub_far(low);
  scrub_near();
}

#endif
