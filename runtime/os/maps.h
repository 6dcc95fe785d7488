/* SPDX-License-Identifier: MIT */
/* maps.h -- what memory this process has, as the system tells (/proc/self)
 *
 * For reports alone: it reads files.  Where there is no /proc there is nothing.
 * errno is never changed. */
#ifndef DUSK_OS_MAPS_H
#define DUSK_OS_MAPS_H

#include "base/compiler.h"

#include <pthread.h>

struct map {
  uintptr_t start;
  uintptr_t end;
  char name[64]; /* of the file, its end; "[heap]", "[stack]"; "": none */
};

/* Visits the private mappings that can be read and written. */
void maps_each(void (*visit)(void *context, const struct map *map),
               void *context);

/* Copies what can be read of [from, from + bytes); returns bytes from the start
 * on.  Memory that somebody unmaps meanwhile does no harm. */
size_t maps_copy(void *to, uintptr_t from, size_t bytes);

/* The first page at or after `at`, before `end`, that has ever been touched;
 * `end`: none.  Reading others would have the system find memory for them. */
uintptr_t maps_touched(uintptr_t at, uintptr_t end);

/* The thread that waits in a system call with its stack pointer in [start,
 * end), and that stack pointer; 0: none, and *sp is left alone.  Those that run
 * are not found. */
int maps_thread(uintptr_t start, uintptr_t end, uintptr_t *sp);

/* The stack of another thread of this process, which has not ended. */
bool maps_stack(pthread_t thread, uintptr_t *low, uintptr_t *high);

/* "name+8 (module)" of a static variable; false: there is none here. */
bool maps_variable(uintptr_t address, char *text, size_t size);

#endif
