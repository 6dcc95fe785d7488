/* SPDX-License-Identifier: MIT */
/* module.h -- the code of this process: its files, and functions in them
 *
 * For profiles: it reads files.  errno is never changed. */
#ifndef DUSK_OS_MODULE_H
#define DUSK_OS_MODULE_H

#include "base/compiler.h"

#include <limits.h>

/* A stretch of code that a file was mapped to. */
struct module {
  uintptr_t start;
  uintptr_t end;
  uint64_t offset;   /* of `start`, in the file */
  uintptr_t bias;    /* an address less this is the file's own */
  char build_id[64]; /* in hex; "": it has none */
  char path[PATH_MAX];
};

/* All of them, a block, the program's first.  NULL: no memory. */
WARN_UNUSED struct module *modules_read(size_t *count);

/* Names the functions of `addresses`, which are in order: calls
 * named(context, i, name) for those of the module whose function its file
 * knows, once each. */
void module_functions(const struct module *module, const uintptr_t *addresses,
                      size_t count,
                      void (*named)(void *context, size_t i, const char *name),
                      void *context);

#endif
