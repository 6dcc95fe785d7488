/* SPDX-License-Identifier: MIT */
/* option.c -- tables of options, parsed by argp */
#include "option.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond every character, so that no row has a one-letter option by chance. */
enum { KEY_ROWS = 256, ROWS_MAX = 15, HELP_MAX = 160 };

struct parse {
  struct option_row *rows;
  unsigned count;
  unsigned given; /* bit i: row i stood on the command line */
  bool quick;
};

/* A number with an optional k, M or G (thousands) or Ki, Mi, Gi (1024s). */
static bool option_read_number(const char *text, uint64_t *value)
{
  static const struct {
    const char *name;
    uint64_t times;
  } suffixes[] = {{"", 1},
                  {"k", 1000},
                  {"M", 1000000},
                  {"G", 1000000000},
                  {"Ki", UINT64_C(1) << 10},
                  {"Mi", UINT64_C(1) << 20},
                  {"Gi", UINT64_C(1) << 30}};
  char *end;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  if (errno || end == text || text[0] == '-')
    return false;
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    if (!strcmp(end, suffixes[i].name))
      return !__builtin_mul_overflow((uint64_t)number, suffixes[i].times,
                                     value);
  }
  return false;
}

static bool option_read_word(const char *text, const char *const *words,
                             uint64_t *value)
{
  for (uint64_t i = 0; words[i]; i++) {
    if (!strcmp(text, words[i])) {
      *value = i;
      return true;
    }
  }
  return false;
}

static error_t option_take(int key, char *text, struct argp_state *state)
{
  struct parse *parse = state->input;
  if (key == 'q') {
    parse->quick = true;
    return 0;
  }
  if (key < KEY_ROWS || key >= KEY_ROWS + (int)parse->count)
    return ARGP_ERR_UNKNOWN;
  unsigned index = (unsigned)(key - KEY_ROWS);
  struct option_row *row = &parse->rows[index];
  bool good = row->words ? option_read_word(text, row->words, &row->value)
                         : option_read_number(text, &row->value);
  if (!good)
    argp_error(state, "--%s=%s: not one of the values that it takes", row->name,
               text);
  parse->given |= 1u << index;
  return 0;
}

static void option_describe(const struct option_row *row, char *text)
{
  int used = snprintf(text, HELP_MAX, "%s", row->help);
  for (unsigned i = 0; row->words && row->words[i]; i++)
    used += snprintf(text + used, (size_t)(HELP_MAX - used), "%s %s",
                     i ? "," : ":", row->words[i]);
  if (row->words)
    snprintf(text + used, (size_t)(HELP_MAX - used), " [%s]",
             row->words[row->value]);
  else
    snprintf(text + used, (size_t)(HELP_MAX - used), " [%llu]",
             (unsigned long long)row->value);
}

static void option_print(const struct option_program *program,
                         const struct option_row *rows)
{
  printf("# %s %s", program->name, program->peer);
  for (const struct option_row *row = rows; row->name; row++) {
    if (row->words)
      printf(" %s=%s", row->name, row->words[row->value]);
    else
      printf(" %s=%llu", row->name, (unsigned long long)row->value);
  }
  printf("\n");
  fflush(stdout);
}

void option_parse(const struct option_program *program, struct option_row *rows,
                  int argc, char **argv)
{
  static char help[ROWS_MAX][HELP_MAX];
  struct argp_option options[ROWS_MAX + 2] = {
      {.name = "quick", .key = 'q', .doc = "Small sizes, to try it"}};
  struct parse parse = {.rows = rows};
  for (; rows[parse.count].name && parse.count < ROWS_MAX; parse.count++) {
    const struct option_row *row = &rows[parse.count];
    option_describe(row, help[parse.count]);
    options[parse.count + 1] = (struct argp_option){
        .name = row->name,
        .key = KEY_ROWS + (int)parse.count,
        .arg = row->words ? "WORD" : "N",
        .doc = help[parse.count],
    };
  }
  struct argp argp = {
      .options = options, .parser = option_take, .doc = program->about};
  argp_parse(&argp, argc, argv, 0, NULL, &parse);
  for (unsigned i = 0; parse.quick && i < parse.count; i++) {
    if (!(parse.given >> i & 1))
      rows[i].value = rows[i].quick;
  }
  option_print(program, rows);
}
