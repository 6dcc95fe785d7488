/* SPDX-License-Identifier: MIT */
/* gzip.c -- packing bytes
 *
 * Tested by tests/api/profile.c. */
#include "os/gzip.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#if HAVE_ZLIB

#include "os/block.h"

#include <limits.h>
#include <zlib.h>

/* 15 bits of window, and 16 for gzip's header instead of zlib's. */
enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8 };

bool gzip_is_there(void)
{
  return true;
}

static voidpf make(voidpf context, uInt items, uInt bytes)
{
  (void)context;
  return block_make((size_t)items * bytes);
}

static void drop(voidpf context, voidpf block)
{
  (void)context;
  block_free(block);
}

void *gzip_pack(const void *bytes, size_t count, size_t *length)
{
  z_stream stream = {.zalloc = make, .zfree = drop};
  *length = 0;
  if (count > UINT_MAX / 2 ||
      deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return NULL;
  size_t room = deflateBound(&stream, count);
  void *packed = block_make(room);
  stream.next_in = (Bytef *)bytes;
  stream.avail_in = (uInt)count;
  stream.next_out = packed;
  stream.avail_out = (uInt)room;
  bool done = packed && deflate(&stream, Z_FINISH) == Z_STREAM_END;
  if (done)
    *length = stream.total_out;
  deflateEnd(&stream);
  if (done)
    return packed;
  block_free(packed);
  return NULL;
}

#else

bool gzip_is_there(void)
{
  return false;
}

void *gzip_pack(const void *bytes, size_t count, size_t *length)
{
  (void)bytes;
  (void)count;
  *length = 0;
  return NULL;
}

#endif
