/* SPDX-License-Identifier: MIT */
/* caller.h -- may the caller use this handle? */
#ifndef DUSK_API_CALLER_H
#define DUSK_API_CALLER_H

#include "base/compiler.h"

#include "dusk/types.h"

/* The handle is the calling pthread's own.  false: it is not, and a line on
 * stderr, which begins with `call`, says what is wrong. */
bool caller_owns(const dusk_thread *thread, const char *call);

/* And the thread is outside blocking regions. */
bool caller_is_inside(const dusk_thread *thread, const char *call);

#endif
