/* SPDX-License-Identifier: MIT */
/* inspector.c -- what <dusk/inspector.h> declares: start, port, stop
 *
 * libmicrohttpd runs one thread that accepts, and one for each connection: so a
 * snapshot, which may take a second, does not hold up the page.  They are the
 * library's own, and the heap does not know them; all that they call of libdusk
 * is for threads that are not attached.
 *
 * Tested by tests/api/inspector.c, tests/inspector.sh. */
#include "inspector/listener.h"
#include "inspector/serve.h"
#include "inspector/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 32, IDLE_SECONDS = 60, RING_BYTES = 64 * 1024 };

void say(const char *format, ...)
{
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  fprintf(stderr, "dusk: %s\n", line); /* one call: lines stay whole */
}

/* A socket has one inode for all its life: is `fd` that one? */
static bool is_still(int fd, const struct stat *socket)
{
  struct stat now;
  return fstat(fd, &now) == 0 && now.st_ino == socket->st_ino &&
         now.st_dev == socket->st_dev;
}

/* Returns 0 or an errno value; the listener is the daemon's, or closed. */
static int start_threads(struct dusk_inspector *inspector)
{
  struct stat socket;
  if (fstat(inspector->listener, &socket))
    return errno;
  /* A signal is for the program's threads; and a client that goes away is an
   * error of a write, not a SIGPIPE.  Threads begin with their maker's mask. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  inspector->daemon = MHD_start_daemon(
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
          MHD_USE_POLL | MHD_USE_ITC,
      0, NULL, NULL, serve, inspector, MHD_OPTION_LISTEN_SOCKET,
      inspector->listener, MHD_OPTION_CONNECTION_LIMIT,
      (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned)IDLE_SECONDS, MHD_OPTION_END);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (inspector->daemon)
    return 0;
  /* Some versions of it have closed the socket then, others have not. */
  if (is_still(inspector->listener, &socket))
    close(inspector->listener);
  return EAGAIN;
}

static void discard(struct dusk_inspector *inspector)
{
  freelocale(inspector->plain);
  free(inspector);
}

/* NULL: no memory. */
static struct dusk_inspector *make(dusk_heap *heap, const char *name)
{
  struct dusk_inspector *inspector = calloc(1, sizeof *inspector);
  if (!inspector)
    return NULL;
  inspector->heap = heap;
  inspector->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  if (!inspector->plain) {
    free(inspector);
    return NULL;
  }
  snprintf(inspector->name, sizeof inspector->name, "%s",
           name ? name : program_invocation_short_name);
  return inspector;
}

static void explain(int error, unsigned port)
{
  if (error == EADDRINUSE)
    say("dusk_inspector_start: port %u of 127.0.0.1 is in use; end who has it, "
        "or choose another, or 0 for one that is free",
        port);
  else
    say("dusk_inspector_start: port %u of 127.0.0.1: %s", port,
        strerror(error));
}

/* Returns 0 or an errno value, and has said what is wrong. */
static int start(struct dusk_inspector *inspector, unsigned port)
{
  int error = listener_lock();
  if (error)
    return error;
  error = listener_open(inspector, port);
  if (error) {
    explain(error, port);
  } else {
    error = start_threads(inspector);
    if (error)
      say("dusk_inspector_start: the system starts no thread to serve");
    else
      listener_add(inspector);
  }
  listener_unlock();
  return error;
}

/* Without memory for it the page says that there is nothing. */
static void begin_to_watch(struct dusk_inspector *inspector)
{
  if (dusk_set_profile_rate(inspector->heap, -1) == 0)
    inspector->samples =
        dusk_set_profile_rate(inspector->heap, DUSK_PROFILE_RATE) == 0;
  if (dusk_timeline_start(inspector->heap, RING_BYTES))
    say("dusk_inspector_start: there is no memory for a timeline");
}

int dusk_inspector_start(dusk_heap *heap, const dusk_inspector_options *options,
                         dusk_inspector **result)
{
  static const dusk_inspector_options defaults = DUSK_INSPECTOR_OPTIONS_INIT;
  if (!options)
    options = &defaults;
  if (!heap || !result || options->struct_size != sizeof *options ||
      options->port > 65535)
    return EINVAL;
  struct dusk_inspector *inspector = make(heap, options->name);
  if (!inspector)
    return ENOMEM;
  int error = start(inspector, options->port);
  if (error) {
    discard(inspector);
    return error;
  }
  if (!options->only_looks)
    begin_to_watch(inspector);
  *result = inspector;
  return 0;
}

unsigned dusk_inspector_port(const dusk_inspector *inspector)
{
  return inspector ? inspector->port : 0;
}

void dusk_inspector_stop(dusk_inspector *inspector)
{
  if (!inspector)
    return;
  /* In a child the daemon's threads are not there to be ended, and its memory
   * is in the state in which they left it: it stays. */
  if (listener_end(inspector)) {
    MHD_stop_daemon(inspector->daemon);
    if (inspector->samples)
      dusk_set_profile_rate(inspector->heap, 0);
  }
  discard(inspector);
}
