/* SPDX-License-Identifier: MIT */
/* checkmark.h -- DUSK_DEBUG=checkmark=1: has the collector found everything? */
#ifndef DUSK_INSPECT_CHECKMARK_H
#define DUSK_INSPECT_CHECKMARK_H

#include "inspect/remark.h"

/* Says on stderr what was found; false: something was. */
WARN_UNUSED bool checkmark_report(struct remark *remark);

#endif
