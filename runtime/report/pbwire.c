/* SPDX-License-Identifier: MIT */
/* pbwire.c -- writing protocol buffers
 *
 * A message within another is written first, and its length is put in front of
 * it when that is known: the messages are short.
 *
 * Tested by tests/unit/pbwire.c, with a reader of its own. */
#include "report/pbwire.h"

#include "os/block.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_BYTES = 2, VARINT_MAX = 10, FIRST_BYTES = 4096 };

static bool make_room(struct pbwire *wire, size_t bytes)
{
  size_t room = wire->room ? wire->room : FIRST_BYTES;
  if (wire->failed)
    return false;
  while (room - wire->length < bytes)
    room *= 2;
  if (room == wire->room)
    return true;
  uint8_t *grown = block_resize(wire->bytes, room);
  if (!grown) {
    wire->failed = true;
    return false;
  }
  wire->bytes = grown;
  wire->room = room;
  return true;
}

static size_t put_varint(uint8_t *to, uint64_t number)
{
  size_t length = 0;
  for (; number >= 0x80; number >>= 7)
    to[length++] = (uint8_t)(number | 0x80);
  to[length++] = (uint8_t)number;
  return length;
}

static void add_varint(struct pbwire *wire, uint64_t number)
{
  if (make_room(wire, VARINT_MAX))
    wire->length += put_varint(wire->bytes + wire->length, number);
}

static void add_bytes(struct pbwire *wire, const void *bytes, size_t count)
{
  if (!make_room(wire, count) || !count)
    return;
  memcpy(wire->bytes + wire->length, bytes, count);
  wire->length += count;
}

static void add_key(struct pbwire *wire, unsigned field, unsigned how)
{
  add_varint(wire, (uint64_t)field << 3 | how);
}

void pb_number(struct pbwire *wire, unsigned field, uint64_t number)
{
  if (!number)
    return;
  add_key(wire, field, WIRE_VARINT);
  add_varint(wire, number);
}

void pb_element(struct pbwire *wire, unsigned field, const char *text)
{
  add_key(wire, field, WIRE_BYTES);
  add_varint(wire, strlen(text));
  add_bytes(wire, text, strlen(text));
}

void pb_text(struct pbwire *wire, unsigned field, const char *text)
{
  if (*text)
    pb_element(wire, field, text);
}

void pb_packed(struct pbwire *wire, unsigned field, const uint64_t *numbers,
               size_t count)
{
  if (!count)
    return;
  size_t begun = pb_begin(wire);
  for (size_t i = 0; i < count; i++)
    add_varint(wire, numbers[i]);
  pb_end(wire, field, begun);
}

size_t pb_begin(struct pbwire *wire)
{
  return wire->length;
}

void pb_end(struct pbwire *wire, unsigned field, size_t begun)
{
  uint8_t head[2 * VARINT_MAX];
  size_t length = put_varint(head, (uint64_t)field << 3 | WIRE_BYTES);
  length += put_varint(head + length, wire->length - begun);
  if (!make_room(wire, length))
    return;
  memmove(wire->bytes + begun + length, wire->bytes + begun,
          wire->length - begun);
  memcpy(wire->bytes + begun, head, length);
  wire->length += length;
}

void pb_append(struct pbwire *wire, const struct pbwire *other)
{
  wire->failed |= other->failed;
  add_bytes(wire, other->bytes, other->length);
}

void pb_free(struct pbwire *wire)
{
  block_free(wire->bytes);
  *wire = (struct pbwire){0};
}
