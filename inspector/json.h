/* SPDX-License-Identifier: MIT */
/* json.h -- JSON to a stream, one member after the other
 *
 * The stream is in the C locale, so that numbers have a point. */
#ifndef DUSK_INSPECTOR_JSON_H
#define DUSK_INSPECTOR_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
  FILE *to;
  bool is_first; /* what comes next is the first of its object or array */
};

/* `name`: of a member of an object; NULL: an element of an array. */
void json_open(struct json *json, const char *name, char bracket);
void json_close(struct json *json, char bracket);
void json_count(struct json *json, const char *name, uint64_t value);
void json_number(struct json *json, const char *name, double value);
void json_string(struct json *json, const char *name, const char *value);
void json_null(struct json *json, const char *name);

#endif
