/* SPDX-License-Identifier: MIT */
/* output.c -- text to a file descriptor, without a lock and without malloc
 *
 * Most of it is numbers, millions of them: so no printf.
 *
 * Tested by tests/unit/output.c. */
#include "inspect/output.h"

#include "os/child.h"
#include "os/file.h"

#include <string.h>

enum { DIGITS_MAX = 20 };

void output_open(struct output *output, int fd)
{
  output->fd = fd;
  output->failed = false;
  output->waits = false;
  output->used = 0;
}

/* Who reads the other end of a pipe may be slow; see child_expect(). */
static void flush(struct output *output)
{
  if (output->waits)
    child_expect(0);
  if (!output->failed)
    output->failed = file_write(output->fd, output->bytes, output->used) != 0;
  output->used = 0;
}

static char *room(struct output *output, size_t bytes)
{
  if (output->used + bytes > OUTPUT_BYTES)
    flush(output);
  return output->bytes + output->used;
}

void output_text(struct output *output, const char *text)
{
  size_t bytes = strlen(text);
  while (bytes > 0) {
    size_t part = bytes < OUTPUT_BYTES ? bytes : OUTPUT_BYTES;
    memcpy(room(output, part), text, part);
    output->used += part;
    text += part;
    bytes -= part;
  }
}

void output_number(struct output *output, uint64_t number)
{
  char digits[DIGITS_MAX];
  unsigned count = 0;
  char *to = room(output, DIGITS_MAX);
  do
    digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  output->used += count;
  while (count)
    *to++ = digits[--count];
}

/* Bytes of the character that begins here; 0: it is not UTF-8.  The string's
 * end is no continuation, so nothing behind it is read. */
static unsigned utf8_bytes(const unsigned char *text)
{
  unsigned bytes = *text < 0x80                    ? 1
                   : *text >= 0xc2 && *text < 0xe0 ? 2
                   : *text >= 0xe0 && *text < 0xf0 ? 3
                   : *text >= 0xf0 && *text < 0xf5 ? 4
                                                   : 0;
  for (unsigned i = 1; i < bytes; i++)
    if ((text[i] & 0xc0) != 0x80)
      return 0;
  if (bytes == 3 && ((text[0] == 0xe0 && text[1] < 0xa0) ||
                     (text[0] == 0xed && text[1] >= 0xa0)))
    return 0; /* longer than need be; half a surrogate */
  if (bytes == 4 && ((text[0] == 0xf0 && text[1] < 0x90) ||
                     (text[0] == 0xf4 && text[1] >= 0x90)))
    return 0;
  return bytes;
}

static void escape(struct output *output, unsigned char byte)
{
  static const char hex[] = "0123456789abcdef";
  char text[] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15], '\0'};
  output_text(output, text);
}

void output_json(struct output *output, const char *text)
{
  const unsigned char *at = (const unsigned char *)text;
  output_text(output, "\"");
  while (*at) {
    char piece[6] = {0};
    unsigned bytes = utf8_bytes(at);
    if (!bytes || *at < 0x20 || *at == '"' || *at == '\\') {
      escape(output, *at++);
      continue;
    }
    memcpy(piece, at, bytes);
    output_text(output, piece);
    at += bytes;
  }
  output_text(output, "\"");
}

bool output_close(struct output *output)
{
  flush(output);
  return !output->failed;
}
