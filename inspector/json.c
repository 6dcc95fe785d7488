/* SPDX-License-Identifier: MIT */
/* json.c -- JSON to a stream, one member after the other
 *
 * Tested by tests/api/inspector.c, tests/inspector.sh. */
#include "inspector/json.h"

#include <inttypes.h>
#include <math.h>

/* Bytes of the UTF-8 sequence that begins here; 0: none does.  Names come from a
 * program, which may have any bytes in them, and JSON may not.  A string ends
 * with a 0, which continues no sequence. */
static unsigned sequence_length(const unsigned char *at)
{
  unsigned more = *at < 0x80                    ? 0
                  : *at >= 0xc2 && *at <= 0xdf ? 1
                  : *at >= 0xe0 && *at <= 0xef ? 2
                  : *at >= 0xf0 && *at <= 0xf4 ? 3
                                               : 4;
  if (more == 4)
    return 0;
  for (unsigned i = 1; i <= more; i++) {
    if ((at[i] & 0xc0) != 0x80)
      return 0;
  }
  return more + 1;
}

static void write_string(FILE *to, const char *text)
{
  const unsigned char *at = (const unsigned char *)text;
  fputc('"', to);
  while (*at) {
    unsigned length = sequence_length(at);
    if (*at < 0x20 || *at == '"' || *at == '\\')
      fprintf(to, "\\u%04x", *at);
    else if (length)
      fwrite(at, 1, length, to);
    else
      fputs("\\ufffd", to);
    at += length ? length : 1;
  }
  fputc('"', to);
}

static void begin(struct json *json, const char *name)
{
  if (!json->is_first)
    fputc(',', json->to);
  json->is_first = false;
  if (name) {
    write_string(json->to, name);
    fputc(':', json->to);
  }
}

void json_open(struct json *json, const char *name, char bracket)
{
  begin(json, name);
  fputc(bracket, json->to);
  json->is_first = true;
}

void json_close(struct json *json, char bracket)
{
  fputc(bracket, json->to);
  json->is_first = false;
}

void json_count(struct json *json, const char *name, uint64_t value)
{
  begin(json, name);
  fprintf(json->to, "%" PRIu64, value);
}

void json_number(struct json *json, const char *name, double value)
{
  begin(json, name);
  if (isfinite(value))
    fprintf(json->to, "%.15g", value);
  else
    fputs("null", json->to);
}

void json_string(struct json *json, const char *name, const char *value)
{
  begin(json, name);
  write_string(json->to, value);
}

void json_null(struct json *json, const char *name)
{
  begin(json, name);
  fputs("null", json->to);
}
