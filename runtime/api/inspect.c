/* SPDX-License-Identifier: MIT */
/* inspect.c -- what a heap holds, and why
 *
 * Tested by tests/api/retention.c. */
#include "api/caller.h"
#include "inspect/retention.h"

#include "dusk/inspect.h"

#include <errno.h>

NOINLINE int dusk_retention_report(dusk_thread *thread, int fd)
{
  if (!caller_is_inside(thread, "dusk_retention_report"))
    return EINVAL;
  thread->entry_sp = CALLER_SP();
  return retention_ask(thread, fd);
}
