/* SPDX-License-Identifier: MIT */
/* inspector.h -- a heap in a browser, as it runs
 *
 * A library of its own, libdusk-inspector, on libmicrohttpd; <dusk.h> does not
 * include this.  It serves a page that shows a heap as it works, and what the
 * heap can write of itself: snapshots, profiles, metrics.
 *
 * It can be reached from this machine alone, and answers nobody who came by
 * another name than this machine's; but by each user and program of it.  What
 * it serves names functions and shows no object's bytes. */
#ifndef DUSK_INSPECTOR_H
#define DUSK_INSPECTOR_H

#include "dusk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A server for one heap. */
typedef struct dusk_inspector dusk_inspector;

typedef struct {
  size_t struct_size; /* sizeof(dusk_inspector_options) */
  unsigned port;      /* of 127.0.0.1; 0: one that is free */
  const char *name;   /* over the page; NULL: the program's.  Copied. */
  bool only_looks;    /* true: it starts neither profile nor timeline */
} dusk_inspector_options;

#define DUSK_INSPECTOR_OPTIONS_INIT                                            \
  {                                                                            \
    .struct_size = sizeof(dusk_inspector_options)                              \
  }

/* Starts to serve a heap at http://127.0.0.1:PORT/, on threads of its own: they
 * are not attached, and take no signals.
 *
 * So that there is something to see it samples allocation for the profile, every
 * DUSK_PROFILE_RATE bytes, if nobody does so yet, and records a timeline, 64 KiB
 * a thread; both cost little.  Sampling ends with it, the recording goes on:
 * dusk_timeline_stop() ends it.
 *
 * Any thread.  options may be NULL: DUSK_INSPECTOR_OPTIONS_INIT.  The heap stays
 * open until dusk_inspector_stop() has returned.  The child of a fork does not
 * serve; it may start an inspector of its own.
 *
 * Returns 0 and the server in *inspector; EINVAL (heap or inspector is NULL, an
 * unknown struct_size, a port above 65535), EADDRINUSE (another program, or
 * inspector, has the port: a line on stderr names it), EACCES (the port is not
 * for this user), ENOMEM, EMFILE, or EAGAIN (no thread could be started).  On
 * failure *inspector is not written.  The caller owns it:
 * dusk_inspector_stop(). */
DUSK_API int dusk_inspector_start(dusk_heap *heap,
                                  const dusk_inspector_options *options,
                                  dusk_inspector **inspector);

/* The port that it is reached at.  Any thread; NULL: 0. */
DUSK_API unsigned dusk_inspector_port(const dusk_inspector *inspector);

/* Ends a server: the port is free, and its threads are gone.  Waits for answers
 * that are under way; such a one may wait for the threads of the heap, so one
 * that is attached calls this in a blocking region.
 *
 * Any thread.  NULL is allowed.  In the child of a fork it frees what the child
 * has inherited, and the parent serves on. */
DUSK_API void dusk_inspector_stop(dusk_inspector *inspector);

#ifdef __cplusplus
}
#endif

#endif
