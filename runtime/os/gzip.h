/* SPDX-License-Identifier: MIT */
/* gzip.h -- packing bytes (zlib) */
#ifndef DUSK_OS_GZIP_H
#define DUSK_OS_GZIP_H

#include "base/compiler.h"

/* The bytes as a gzip file, a block.  NULL: no memory, or built without zlib
 * (--without-zlib), and *length 0 then. */
void *gzip_pack(const void *bytes, size_t count, size_t *length);

/* Was it built with zlib? */
bool gzip_is_there(void);

#endif
