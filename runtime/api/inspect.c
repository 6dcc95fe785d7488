/* SPDX-License-Identifier: MIT */
/* inspect.c -- what a heap holds, and why
 *
 * Tested by tests/api/retention.c and tests/api/snapshot.c. */
#include "api/caller.h"
#include "base/check.h"
#include "inspect/retention.h"
#include "inspect/snapshot.h"
#include "os/self.h"

#include "dusk/inspect.h"

#include <errno.h>

NOINLINE int dusk_retention_report(dusk_thread *thread, int fd)
{
  if (!caller_is_inside(thread, "dusk_retention_report"))
    return EINVAL;
  thread->entry_sp = CALLER_SP();
  return retention_ask(thread, fd);
}

/* The driver cannot wait for itself: a function that it calls may not ask. */
static bool may_ask(const dusk_heap *heap, const char *call)
{
  if (!heap)
    return false;
  if (!heap->has_driver || !pthread_equal(heap->driver, self_thread()))
    return true;
  complain("%s: a function that the collector calls may not wait for it", call);
  return false;
}

NOINLINE int dusk_write_snapshot(dusk_heap *heap, int fd)
{
  struct snapshot_request request = {.fd = fd};
  if (!may_ask(heap, "dusk_write_snapshot"))
    return EINVAL;
  request.asker = caller_wait_begin(heap, CALLER_SP());
  int error = snapshot_ask(heap, &request);
  caller_wait_end();
  return error;
}

NOINLINE int dusk_why_alive(dusk_heap *heap, const void *pointer, int fd)
{
  struct snapshot_request request = {
      .why = true, .pointer = (uintptr_t)pointer, .fd = fd};
  if (!may_ask(heap, "dusk_why_alive"))
    return EINVAL;
  request.asker = caller_wait_begin(heap, CALLER_SP());
  int error = snapshot_ask(heap, &request);
  caller_wait_end();
  return error;
}
