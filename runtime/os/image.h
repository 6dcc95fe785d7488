/* SPDX-License-Identifier: MIT */
/* image.h -- a file of code, looked at in memory; and its symbols
 *
 * For reports alone.  What such a file says of itself is not believed: each
 * part is asked for by its place and length.  errno is never changed. */
#ifndef DUSK_OS_IMAGE_H
#define DUSK_OS_IMAGE_H

#include "base/compiler.h"

#include <link.h>

struct image {
  const char *bytes;
  size_t size;
};

/* false: it cannot be read, and there is nothing to close. */
WARN_UNUSED bool image_open(struct image *image, const char *path);
void image_close(const struct image *image);

/* Visits the symbols, static ones first, until a visit says true; then so does
 * this. */
bool image_symbols(const struct image *image,
                   bool (*visit)(void *context, const ElfW(Sym) * symbol,
                                 const char *name),
                   void *context);

#endif
