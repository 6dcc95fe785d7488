/* SPDX-License-Identifier: MIT */
/* expr_seq.c -- a file of uniform numbers: one a line, at least 0, less than 1;
 * blank lines and lines that begin with # do not count
 *
 * TESTED  tests/lab/expr.c */
#include "expr_node.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_LENGTH = 255, NUMBERS_MAX = 1 << 24 };

static FILE *open_in(const char *folder, const char *file)
{
  if (!folder || file[0] == '/')
    return NULL;
  char *path;
  if (asprintf(&path, "%s/%s", folder, file) < 0)
    return NULL;
  FILE *stream = fopen(path, "re");
  free(path);
  return stream;
}

/* A line without what surrounds it; NULL: it does not count. */
static char *content(char *line)
{
  while (isspace((unsigned char)*line))
    line++;
  size_t length = strlen(line);
  while (length && isspace((unsigned char)line[length - 1]))
    line[--length] = '\0';
  return length && line[0] != '#' ? line : NULL;
}

static bool is_uniform(const char *text, double *value)
{
  char *end;
  if (!isdigit((unsigned char)text[0]) && text[0] != '.')
    return false;
  *value = strtod(text, &end);
  return end != text && !*end && *value >= 0 && *value < 1;
}

static bool append(struct expr_seq *seq, double value)
{
  bool full = !(seq->length & (seq->length - 1)); /* 0 or a power of 2 */
  if (full) {
    size_t room = seq->length ? 2 * seq->length : 1;
    double *grown = realloc(seq->numbers, room * sizeof *grown);
    if (!grown)
      return false;
    seq->numbers = grown;
  }
  seq->numbers[seq->length++] = value;
  return true;
}

static bool read_numbers(struct expr_seq *seq, FILE *stream, char *why,
                         size_t size)
{
  char line[LINE_MAX_LENGTH + 2];
  const char *file = seq->file;
  for (unsigned number = 1; fgets(line, sizeof line, stream); number++) {
    if (!strchr(line, '\n') && !feof(stream)) {
      snprintf(why, size, "%.99s:%u: a line of more than %d characters", file,
               number, LINE_MAX_LENGTH);
      return false;
    }
    double value;
    const char *text = content(line);
    if (!text)
      continue;
    if (!is_uniform(text, &value)) {
      snprintf(why, size,
               "%.99s:%u: expected a number from 0 to below 1, and found '%s'",
               file, number, expr_excerpt(text, 0).text);
      return false;
    }
    if (seq->length == NUMBERS_MAX || !append(seq, value)) {
      snprintf(why, size, "%.99s:%u: too many numbers", file, number);
      return false;
    }
  }
  if (ferror(stream)) {
    snprintf(why, size, "cannot read %.99s: %s", file, strerror(errno));
    return false;
  }
  if (!seq->length)
    snprintf(why, size, "%.99s has no numbers", file);
  return seq->length > 0;
}

bool expr_seq_read(struct expr_seq *seq, const char *file, const char *folder,
                   char *why, size_t size)
{
  seq->file = strdup(file);
  FILE *stream = open_in(folder, file);
  if (!stream)
    stream = fopen(file, "re");
  if (!seq->file || !stream) {
    snprintf(why, size, "cannot read %.99s: %s", file, strerror(errno));
    if (stream)
      fclose(stream);
    return false;
  }
  bool fine = read_numbers(seq, stream, why, size);
  fclose(stream);
  return fine;
}
