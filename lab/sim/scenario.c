/* SPDX-License-Identifier: MIT */
/* scenario.c -- a file of settings, line by line
 *
 * TESTED  tests/lab/sim.sh, and tests/sim/pacer.c reads all that are shipped */
#include "scenario.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_ROOM = EXPR_LENGTH_MAX + 64, SETTINGS_MAX = 32 };

struct reader {
  struct sim_program *program;
  const char *file;
  const char *folder;
  unsigned line;
  unsigned set_in[SETTINGS_MAX]; /* line of each setting; 0: not yet */
  struct sim_message *message;
};

static bool wrong(struct reader *reader, const char *what, const char *found)
{
  snprintf(reader->message->text, sizeof reader->message->text,
           "%.200s:%u: %s '%s'", reader->file, reader->line, what,
           expr_excerpt(found, 0).text);
  return false;
}

static void end_at_comment(char *line)
{
  for (char *c = line; *c; c++) {
    if (*c == '#' && (c == line || isspace((unsigned char)c[-1])))
      *c = '\0';
    if (!*c)
      return;
  }
}

/* Takes the blanks from both ends of a text. */
static char *trim(char *text)
{
  while (isspace((unsigned char)*text))
    text++;
  size_t length = strlen(text);
  while (length && isspace((unsigned char)text[length - 1]))
    text[--length] = '\0';
  return text;
}

/* A setting twice in a file is a slip, and the reader of it would be misled. */
static bool note_once(struct reader *reader, const char *name)
{
  for (unsigned i = 0; sim_setting_name(i); i++) {
    if (strcmp(sim_setting_name(i), name) != 0)
      continue;
    if (reader->set_in[i])
      return wrong(reader, "set before in this file:", name);
    reader->set_in[i] = reader->line;
  }
  return true;
}

static bool read_setting(struct reader *reader, char *line)
{
  end_at_comment(line);
  char *name = trim(line);
  if (!*name)
    return true;
  char *equals = strchr(name, '=');
  if (!equals)
    return wrong(reader, "expected NAME = VALUE, and found", name);
  *equals = '\0';
  name = trim(name);
  if (!note_once(reader, name))
    return false;
  char where[320];
  snprintf(where, sizeof where, "%.200s:%u: %s", reader->file, reader->line,
           expr_excerpt(name, 0).text);
  return sim_program_set(reader->program, name, trim(equals + 1), where,
                         reader->folder, reader->message);
}

static bool read_lines(struct reader *reader, FILE *stream)
{
  char line[LINE_ROOM];
  while (fgets(line, sizeof line, stream)) {
    reader->line++;
    if (!strchr(line, '\n') && !feof(stream))
      return wrong(reader, "too long a line:", line);
    if (!read_setting(reader, line))
      return false;
  }
  return true;
}

static bool cannot_read(const char *file, struct sim_message *message)
{
  snprintf(message->text, sizeof message->text, "cannot read %.256s: %s", file,
           strerror(errno));
  return false;
}

bool scenario_read(struct sim_program *program, const char *file,
                   struct sim_message *message)
{
  FILE *stream = fopen(file, "re");
  char *copy = strdup(file);
  if (!stream || !copy) {
    cannot_read(file, message);
    free(copy);
    if (stream)
      fclose(stream);
    return false;
  }
  struct reader reader = {
      .program = program,
      .file = file,
      .folder = dirname(copy),
      .message = message,
  };
  bool fine = read_lines(&reader, stream);
  if (fine && ferror(stream))
    fine = cannot_read(file, message);
  fclose(stream);
  free(copy);
  return fine;
}
