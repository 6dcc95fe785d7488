/* SPDX-License-Identifier: MIT */
/* server.h -- what the files of this folder know of a server */
#ifndef DUSK_INSPECTOR_SERVER_H
#define DUSK_INSPECTOR_SERVER_H

#include "dusk.h"
#include "dusk/inspector.h"

#include <locale.h>

/* Set before it serves, and then only read; but for `next` and `listener`,
 * which belong to listener.c. */
struct dusk_inspector {
  dusk_heap *heap;
  struct MHD_Daemon *daemon;
  locale_t plain; /* numbers in JSON have a point, whatever the program wants */
  unsigned port;
  bool samples; /* it has turned the profile on */
  int listener;                /* a socket that listens */
  struct dusk_inspector *next; /* of those that listen */
  bool is_inherited;           /* by the child of a fork: nobody serves it */
  char name[64];
};

/* One line on stderr, "dusk: " first. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
