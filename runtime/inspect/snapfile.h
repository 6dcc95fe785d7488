/* SPDX-License-Identifier: MIT */
/* snapfile.h -- a heap as a .heapsnapshot, which Chrome's developer tools open
 */
#ifndef DUSK_INSPECT_SNAPFILE_H
#define DUSK_INSPECT_SNAPFILE_H

#include "inspect/snapshot.h"

/* The child: all but the last strings.  Returns 0, ENOMEM or EIO. */
WARN_UNUSED int snapfile_write(const struct dusk_heap *heap,
                               const struct holders *holders,
                               struct snapshot_request *request);

/* Who asked: the rest.  Returns 0 or EIO. */
WARN_UNUSED int snapfile_end(struct snapshot_request *request);

#endif
