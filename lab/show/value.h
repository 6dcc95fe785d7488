/* SPDX-License-Identifier: MIT */
/* value.h -- values as they stand on a command line
 *
 * Each reader takes the whole text or nothing: it returns false, and leaves
 * *value alone, for what it cannot read.  The caller says which option it was.
 * Tested by tests/lab/samples.c. */
#ifndef DUSK_LAB_VALUE_H
#define DUSK_LAB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number from `low` to `high`. */
bool value_read_number(const char *text, uint64_t low, uint64_t high,
                       uint64_t *value);

/* A number of bytes: digits, then nothing, B, KiB, MiB, GiB or TiB. */
bool value_read_bytes(const char *text, uint64_t *value);

/* A GC percent: a number, or `off`, which is -1. */
bool value_read_percent(const char *text, int *value);

/* A limit: bytes, or `off`, which is UINT64_MAX. */
bool value_read_limit(const char *text, uint64_t *value);

/* Cuts the text at its commas, in place.  Returns how many items there are, at
 * most `max` of them in items[]; 0 if one is empty, or if they are too many. */
size_t value_split(char *text, char **items, size_t max);

/* Writes bytes for people, such as 64 MiB or 1.5 GiB, or `off`. */
void value_print_bytes(char *text, size_t size, uint64_t bytes);

#endif
