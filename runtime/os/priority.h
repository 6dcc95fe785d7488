/* SPDX-License-Identifier: MIT */
/* priority.h -- threads that run only where nobody else wants to */
#ifndef DUSK_OS_PRIORITY_H
#define DUSK_OS_PRIORITY_H

#include "base/compiler.h"

/* From now on the calling thread runs only on a processor that no ordinary
 * thread wants; where the system refuses, it is the least of the ordinary ones.
 * There is no way back.  false: the system refused both. */
bool priority_be_idle(void);

#endif
