/* SPDX-License-Identifier: MIT */
/* json.c -- JSON as a stream; see json.h
 *
 * Tested by tests/lab/objects.c. */
#include "lab/heap/json.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

bool json_fail(struct json *json, const char *expected)
{
  if (!json->wrong)
    json->wrong = expected;
  json->next = EOF;
  return false;
}

static void step(struct json *json)
{
  if (json->next == EOF)
    return;
  json->next = getc_unlocked(json->file);
  json->at++;
}

static int peek(struct json *json)
{
  while (json->next == ' ' || json->next == '\n' || json->next == '\t' ||
         json->next == '\r')
    step(json);
  return json->next;
}

static bool take(struct json *json, char wanted)
{
  if (peek(json) != wanted)
    return false;
  step(json);
  return true;
}

void json_open(struct json *json, FILE *file)
{
  json->file = file;
  json->next = getc_unlocked(file);
  json->at = 0;
  json->first = false;
  json->wrong = NULL;
  json->length = 0;
}

bool json_enter(struct json *json, char bracket)
{
  json->first = true;
  return take(json, bracket) ||
         json_fail(json, bracket == '{' ? "an object" : "an array");
}

static bool another(struct json *json, char end)
{
  if (json->wrong)
    return false;
  if (take(json, end)) {
    json->first = false; /* of what is around it */
    return false;
  }
  if (!json->first && !take(json, ','))
    return json_fail(json, "a comma or the end");
  json->first = false;
  return true;
}

bool json_element(struct json *json)
{
  return another(json, ']');
}

bool json_member(struct json *json)
{
  return another(json, '}') && json_string(json) &&
         (take(json, ':') || json_fail(json, "a colon"));
}

bool json_number(struct json *json, uint64_t *number)
{
  int digit = peek(json);
  if (digit < '0' || digit > '9')
    return json_fail(json, "a whole number");
  *number = 0;
  for (; json->next >= '0' && json->next <= '9'; step(json)) {
    unsigned value = (unsigned)(json->next - '0');
    if (*number > (UINT64_MAX - value) / 10)
      return json_fail(json, "a smaller number");
    *number = 10 * *number + value;
  }
  return json->next != '.' || json_fail(json, "a whole number");
}

/* ---- strings ---- */

static void put(struct json *json, unsigned byte)
{
  if (json->length < JSON_TEXT_MAX - 1)
    json->text[json->length++] = (char)byte;
}

static void put_character(struct json *json, uint32_t code)
{
  if (code < 0x80) {
    put(json, code);
    return;
  }
  if (code < 0x800) {
    put(json, 0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(json, 0xe0 | code >> 12);
    } else {
      put(json, 0xf0 | code >> 18);
      put(json, 0x80 | (code >> 12 & 63));
    }
    put(json, 0x80 | (code >> 6 & 63));
  }
  put(json, 0x80 | (code & 63));
}

static bool take_hex(struct json *json, uint32_t *code)
{
  *code = 0;
  for (int i = 0; i < 4; i++, step(json)) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = json->next > 0 ? strchr(digits, json->next) : NULL;
    if (!digit)
      return json_fail(json, "four hexadecimal digits");
    *code = *code << 4 | (uint32_t)((digit - digits) & 15);
  }
  return true;
}

/* After "\u".  A character beyond the first plane is two of these. */
static bool take_code(struct json *json)
{
  uint32_t code, low;
  if (!take_hex(json, &code))
    return false;
  if (code >> 10 == 0x36 && json->next == '\\') {
    step(json);
    if (json->next != 'u')
      return json_fail(json, "the other half of a character");
    step(json);
    if (!take_hex(json, &low))
      return false;
    code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
  }
  put_character(json, code ? code : '?'); /* strings end with a zero here */
  return true;
}

static bool take_escape(struct json *json)
{
  static const char names[] = "\"\\/bfnrt";
  static const char meant[] = "\"\\/\b\f\n\r\t";
  int name = json->next;
  const char *found = name > 0 ? strchr(names, name) : NULL;
  step(json);
  if (found)
    put(json, (unsigned char)meant[found - names]);
  else if (name != 'u')
    return json_fail(json, "an escape that JSON has");
  return found || take_code(json);
}

bool json_is_string(struct json *json)
{
  return peek(json) == '"';
}

bool json_string(struct json *json)
{
  json->length = 0;
  if (!take(json, '"'))
    return json_fail(json, "a string");
  while (json->next != '"') {
    int character = json->next;
    if (character < ' ')
      return json_fail(json, "the end of a string");
    step(json);
    if (character != '\\')
      put(json, (unsigned)character);
    else if (!take_escape(json))
      return false;
  }
  step(json);
  json->text[json->length] = '\0';
  return true;
}

/* ---- the rest ---- */

/* A number, true, false or null: not looked at closely. */
static bool skip_word(struct json *json)
{
  static const char part[] = "abcdefghijklmnopqrstuvwxyzE0123456789+-.";
  bool any = false;
  peek(json);
  while (json->next > 0 && strchr(part, json->next)) {
    any = true;
    step(json);
  }
  return any || json_fail(json, "a value");
}

static bool skip(struct json *json, unsigned depth)
{
  int next = peek(json);
  if (depth == DEPTH_MAX)
    return json_fail(json, "less nesting");
  if (next == '"')
    return json_string(json);
  if (next == '{') {
    json_enter(json, '{');
    while (json_member(json) && skip(json, depth + 1))
      ;
  } else if (next == '[') {
    json_enter(json, '[');
    while (json_element(json) && skip(json, depth + 1))
      ;
  } else {
    return skip_word(json);
  }
  return !json->wrong;
}

bool json_skip(struct json *json)
{
  return skip(json, 0);
}

bool json_end(struct json *json)
{
  return !json->wrong &&
         (peek(json) == EOF || json_fail(json, "the end of the file"));
}
