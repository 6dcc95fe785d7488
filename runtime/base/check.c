/* SPDX-License-Identifier: MIT */
/* check.c -- saying what is wrong */
#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One write(2) a line, so that lines of several threads do not mix. */
static void write_line(const char *prefix, const char *format, va_list args)
{
  char line[1024];
  int used = snprintf(line, sizeof line, "dusk: %s", prefix);
  int more =
      vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
  size_t length = (size_t)used + (more > 0 ? (size_t)more : 0);
  if (length > sizeof line - 2)
    length = sizeof line - 2;
  line[length++] = '\n';
  int saved = errno; /* our callers answer with errno values */
  ssize_t written = write(STDERR_FILENO, line, length);
  (void)written; /* nowhere to report it */
  errno = saved;
}

void complain(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  write_line("", format, args);
  va_end(args);
}

void give_up(void)
{
  WRITE_COVERAGE();
  abort();
}

void panic(const char *file, int line, const char *format, ...)
{
  char prefix[256];
  va_list args;
  snprintf(prefix, sizeof prefix, "panic at %s:%d: ", file, line);
  va_start(args, format);
  write_line(prefix, format, args);
  va_end(args);
  give_up();
}
