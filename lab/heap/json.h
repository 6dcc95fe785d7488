/* SPDX-License-Identifier: MIT */
/* json.h -- JSON as a stream: what comes next, and no tree of it
 *
 * A snapshot is some arrays of millions of numbers.  A library that keeps each
 * as a value of its own takes 16 bytes and more for what is two; and there is
 * no other JSON to read here.  So whoever reads says what he expects, and skips
 * the rest.
 *
 * The first error stays: everything after it fails at once. */
#ifndef DUSK_LAB_JSON_H
#define DUSK_LAB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_TEXT_MAX = 1 << 16 };

struct json {
  FILE *file;
  int next;          /* the character that comes next; EOF */
  uint64_t at;       /* its place in the file */
  bool first;        /* of the array or object that was entered */
  const char *wrong; /* what was expected; NULL: all is well */
  size_t length;
  char text[JSON_TEXT_MAX]; /* the last string; one that is longer is cut */
};

void json_open(struct json *json, FILE *file);

/* Enters an object '{' or an array '['. */
bool json_enter(struct json *json, char bracket);

/* Is there another member, or element?  If not, leaves. */
bool json_member(struct json *json); /* its name is in text */
bool json_element(struct json *json);

bool json_number(struct json *json, uint64_t *number); /* a whole one */
bool json_string(struct json *json);
bool json_skip(struct json *json);      /* whatever it is */
bool json_is_string(struct json *json); /* what comes next */

/* Nothing but blanks is left. */
bool json_end(struct json *json);

bool json_fail(struct json *json, const char *expected);

#endif
