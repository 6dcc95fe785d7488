/* SPDX-License-Identifier: MIT */
/* clock.h -- nanoseconds */
#ifndef DUSK_OS_CLOCK_H
#define DUSK_OS_CLOCK_H

#include "base/compiler.h"

uint64_t clock_now(void);        /* monotonic, from an arbitrary start */
uint64_t clock_wall(void);       /* since 1970 */
uint64_t clock_thread_cpu(void); /* processor time of the calling thread */
uint64_t clock_process_cpu(void);
void clock_sleep(uint64_t ns);

#endif
