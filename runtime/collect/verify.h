/* SPDX-License-Identifier: MIT */
/* verify.h -- DUSK_DEBUG=checkmark=1: is what a marked object names marked? */
#ifndef DUSK_COLLECT_VERIFY_H
#define DUSK_COLLECT_VERIFY_H

#include "collect/collector.h"

/* Reads every pointer that a layout or a trace callback names, of every marked
 * object.  On one that is not marked, or names no allocated object, it says
 * which and aborts.  The driver, after marking and before H4. */
void verify_marks(struct collector *collector, uint32_t epoch);

#endif
