/* SPDX-License-Identifier: MIT */
/* why.h -- a way from a root to an object */
#ifndef DUSK_INSPECT_WHY_H
#define DUSK_INSPECT_WHY_H

#include "inspect/snapshot.h"

/* The child: finds it.  Returns 0 or ENOMEM. */
WARN_UNUSED int why_find(const struct dusk_heap *heap,
                         const struct holders *holders,
                         struct snapshot_request *request);

/* Who asked: prints it.  Returns 0 or EIO. */
WARN_UNUSED int why_print(struct snapshot_request *request);

#endif
