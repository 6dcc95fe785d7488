/* SPDX-License-Identifier: MIT */
/* watcher.h -- a thread that looks words up while others add them */
#ifndef WORDS_WATCHER_H
#define WORDS_WATCHER_H

#include "concordance.h"

struct watcher {
  struct concordance *book;
  pthread_t id;
  atomic_bool stop;
  uint64_t lookups; /* for who has ended it, and so are these: */
  uint64_t wrong;   /* look-ups that broke a promise of concordance.h */
  int error;        /* why it could not watch, or 0 */
};

/* Starts its thread.  All but `book` is 0.  0 or an errno value. */
int watcher_start(struct watcher *watcher);

/* Asks it to stop, waits for it, returns its error.  The caller is attached. */
int watcher_end(struct watcher *watcher, dusk_thread *thread);

#endif
