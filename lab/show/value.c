/* SPDX-License-Identifier: MIT */
/* value.c -- values as they stand on a command line; see value.h */
#include "value.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strtoull() takes blanks and signs: a value that has one is a mistake. */
static bool digits_read(const char *text, char **end, uint64_t *value)
{
  if (!isdigit((unsigned char)*text))
    return false;
  errno = 0;
  *value = strtoull(text, end, 10);
  return !errno;
}

bool value_read_number(const char *text, uint64_t low, uint64_t high,
                       uint64_t *value)
{
  char *end;
  uint64_t number;
  if (!digits_read(text, &end, &number) || *end || number < low ||
      number > high)
    return false;
  *value = number;
  return true;
}

bool value_read_bytes(const char *text, uint64_t *value)
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  char *end;
  uint64_t number;
  if (!digits_read(text, &end, &number))
    return false;
  unsigned shift = 0;
  if (*end) {
    size_t unit = 0;
    while (unit < sizeof units / sizeof units[0] && strcmp(end, units[unit]))
      unit++;
    if (unit == sizeof units / sizeof units[0])
      return false;
    shift = (unsigned)unit * 10;
  }
  if (number > UINT64_MAX >> shift)
    return false;
  *value = number << shift;
  return true;
}

bool value_read_percent(const char *text, int *value)
{
  uint64_t number;
  if (!strcmp(text, "off")) {
    *value = -1;
    return true;
  }
  if (!value_read_number(text, 0, INT_MAX, &number))
    return false;
  *value = (int)number;
  return true;
}

bool value_read_limit(const char *text, uint64_t *value)
{
  if (strcmp(text, "off"))
    return value_read_bytes(text, value);
  *value = UINT64_MAX;
  return true;
}

size_t value_split(char *text, char **items, size_t max)
{
  size_t count = 0;
  for (char *rest = text, *item; (item = strsep(&rest, ","));) {
    if (!*item || count == max)
      return 0;
    items[count++] = item;
  }
  return count;
}

void value_print_bytes(char *text, size_t size, uint64_t bytes)
{
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes == UINT64_MAX) {
    snprintf(text, size, "off");
    return;
  }
  double value = (double)bytes;
  unsigned unit = 0;
  for (; unit < 4 && value >= 1024; unit++)
    value /= 1024;
  snprintf(text, size, "%.*f %s", value < 10 && value != (int)value ? 1 : 0,
           value, units[unit]);
}
