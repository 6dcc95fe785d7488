/* SPDX-License-Identifier: MIT */
/* pbwire.h -- writing protocol buffers
 *
 * A message is a sequence of fields, each a key (its number, and how it is
 * written) and a value:
 *
 *   pb_number   a varint: seven bits a byte, the lowest first
 *   pb_text     a length, and bytes
 *   pb_packed   a length, and varints
 *   pb_begin .. pb_end   a length, and the fields of a message
 *
 * A number of 0 and a text of "" are what is read when there is none, and are
 * left out.  Memory is malloc()ed; where there is none the message is `failed`,
 * and all that follows does nothing. */
#ifndef DUSK_REPORT_PBWIRE_H
#define DUSK_REPORT_PBWIRE_H

#include "base/compiler.h"

struct pbwire {
  uint8_t *bytes;
  size_t length;
  size_t room;
  bool failed;
};

void pb_number(struct pbwire *wire, unsigned field, uint64_t number);
void pb_text(struct pbwire *wire, unsigned field, const char *text);

/* Written even if it is empty: an element of a list. */
void pb_element(struct pbwire *wire, unsigned field, const char *text);

void pb_packed(struct pbwire *wire, unsigned field, const uint64_t *numbers,
               size_t count);

/* A message within; what pb_begin() returned is pb_end()'s. */
size_t pb_begin(struct pbwire *wire);
void pb_end(struct pbwire *wire, unsigned field, size_t begun);

/* The fields of another message. */
void pb_append(struct pbwire *wire, const struct pbwire *other);

void pb_free(struct pbwire *wire);

#endif
