/* SPDX-License-Identifier: MIT */
/* filename.c -- names of files from the environment
 *
 * Tested by tests/api/trace.c and tests/api/profilefile.c. */
#include "report/filename.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool filename_expand(char *to, size_t room, const char *name)
{
  size_t length = 0;
  for (; *name; name++) {
    char piece[16] = {*name};
    if (name[0] == '%' && name[1] == 'p') {
      snprintf(piece, sizeof piece, "%ld", (long)getpid());
      name++;
    }
    size_t bytes = strlen(piece);
    if (length + bytes >= room)
      return false;
    memcpy(to + length, piece, bytes);
    length += bytes;
  }
  to[length] = '\0';
  return true;
}
