/* SPDX-License-Identifier: MIT */
/* priority.c -- threads that run only where nobody else wants to
 *
 * Linux's SCHED_IDLE: preempted at once by any ordinary thread that wakes, and
 * preferred as a place to wake on.  It needs no privilege, but a thread without
 * privilege cannot leave it.
 *
 * errno is never changed.  Tested by tests/unit/priority.c. */
#include "os/priority.h"

#include "base/steps.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A thread of least weight is due again after its slice, times the ratio of the
 * weights, 1024 to 3, times the ordinary threads that share its processor: 35
 * ms for this slice and one thread, a second for that of an ordinary thread.
 * The least that the system takes.  Linux before 6.12 has one slice for all and
 * ignores it. */
enum { SLICE_NS = 100 * 1000 };

/* The nice value of least weight. */
enum { NICEST = 19 };

/* As the kernel has it; libraries before glibc 2.41 have no name for it, and
 * this one may not meet theirs. */
struct attributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

static bool become_idle(uint64_t slice_ns)
{
  struct attributes attributes = {
      .size = sizeof attributes,
      .policy = SCHED_IDLE,
      .runtime = slice_ns,
  };
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

bool priority_be_idle(void)
{
  if (steps_taken())
    return true;
  int saved = errno;
  bool done = become_idle(SLICE_NS) || become_idle(0) ||
              setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICEST) == 0;
  errno = saved;
  return done;
}
