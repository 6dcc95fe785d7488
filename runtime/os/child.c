/* SPDX-License-Identifier: MIT */
/* child.c -- a copy of this process, which looks at memory as it was
 *
 * clone() with no flags is a fork without the C library: handlers would take
 * our own locks, and the program's, whose holders may wait for the thread that
 * forks.  Signal 0 at its end means that no SIGCHLD is sent, and that wait()
 * and waitpid(-1) pass it by; __WALL finds it.
 *
 * ThreadSanitizer has locks of its own, which only its fork() takes.  There the
 * library's is called, handlers and all; ours ask child_begins() and stand
 * aside.
 *
 * Tested by tests/unit/child.c and tests/api/snapshot.c. */
#include "os/child.h"

#include "base/check.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NICER = 5, SIGNALS = 32 };

static _Thread_local bool begins;

static int system_begin(void)
{
  if (THREAD_SANITIZER)
    return fork();
  return (int)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
}

static int system_wait(int child, int *status)
{
  return waitpid(child, status, __WALL);
}

struct child_table child_system = {.begin = system_begin, .wait = system_wait};

int child_begin(void)
{
  int saved = errno;
  begins = true;
  int child = child_system.begin();
  begins = false;
  child = child < 0 ? -errno : child;
  errno = saved;
  return child;
}

bool child_begins(void)
{
  return begins;
}

/* What the system cannot close stays open for as long as the child lives. */
static void close_files(unsigned from, unsigned to)
{
#ifdef SYS_close_range
  if (from <= to)
    syscall(SYS_close_range, from, to, 0);
#else
  (void)from;
  (void)to;
#endif
}

/* A handler would take the child for the program. */
static void default_signals(void)
{
  struct sigaction action = {.sa_handler = SIG_DFL};
  sigset_t own;
  for (int number = 1; number < SIGNALS; number++)
    sigaction(number, &action, NULL);
  sigfillset(&own);
  sigdelset(&own, SIGALRM);
  pthread_sigmask(SIG_SETMASK, &own, NULL);
}

void child_settle(int file)
{
  unsigned kept = file < 0 ? STDERR_FILENO : (unsigned)file;
  unsigned first = kept < STDERR_FILENO ? kept : STDERR_FILENO;
  unsigned second = kept < STDERR_FILENO ? STDERR_FILENO : kept;
  if (first > 0)
    close_files(0, first - 1);
  close_files(first + 1, second - 1);
  close_files(second + 1, UINT_MAX);
  default_signals();
  setpriority(PRIO_PROCESS, 0, NICER);
}

void child_expect(unsigned seconds)
{
  alarm(seconds);
}

_Noreturn void child_end(int status)
{
  WRITE_COVERAGE(); /* of what the copy ran: nobody else does it here */
  _exit(status);
}

bool child_wait(int child)
{
  int saved = errno;
  int status = 0;
  int waited;
  do
    waited = child_system.wait(child, &status);
  while (waited < 0 && errno == EINTR);
  errno = saved;
  return waited == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void *child_share(size_t bytes)
{
  int saved = errno;
  void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  errno = saved;
  return start == MAP_FAILED ? NULL : start;
}

void child_unshare(void *start, size_t bytes)
{
  int saved = errno;
  munmap(start, bytes);
  errno = saved;
}
