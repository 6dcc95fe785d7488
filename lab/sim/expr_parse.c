/* SPDX-License-Identifier: MIT */
/* expr_parse.c -- from text to terms
 *
 * One pass, by descent, which is as deep as EXPR_DEPTH_MAX at most.  A mistake
 * ends it: whoever finds it says what, and all others hand on false.
 *
 * TESTED  tests/lab/expr.c */
#include "expr_node.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct parser {
  const char *text;
  const char *at;
  const char *folder;
  struct expr *expr; /* NULL: only a number is read */
  unsigned depth;
  struct expr_error *error;
};

/* One letter for each argument:
 *   a  the amount           n  a whole number     f  a FILE
 *   b  the phase            p  the same, not 0    x  an EXPR */
static const struct function {
  const char *name;
  enum expr_op op;
  const char *arguments;
  const char *form;
} functions[] = {
    {"ramp", EXPR_RAMP, "ap", "ramp(h,n)"},
    {"unit", EXPR_UNIT, "a", "unit(a)"},
    {"oscillate", EXPR_OSCILLATE, "abp", "oscillate(a,phase,period)"},
    {"random", EXPR_RANDOM, "an", "random(a,seed)"},
    {"seq", EXPR_SEQ, "af", "seq(a,FILE)"},
    {"delay", EXPR_DELAY, "nx", "delay(n,EXPR)"},
    {"min", EXPR_MIN, "xa", "min(EXPR,x)"},
    {"max", EXPR_MAX, "xa", "max(EXPR,x)"},
};

/* Powers of 1024. */
static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};

/* Whole numbers are those that a double holds exactly. */
static const double whole_max = 0x1p53;

/* ---- mistakes ---- */

static bool wrong(struct parser *p, const char *at, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool wrong(struct parser *p, const char *at, const char *format, ...)
{
  char what[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  for (char *c = what; *c; c++) /* the name of a FILE may hold anything */
    if (iscntrl((unsigned char)*c))
      *c = '?';
  size_t column = (size_t)(at - p->text);
  snprintf(p->error->text, sizeof p->error->text, "'%s', column %zu: %s",
           expr_excerpt(p->text, column).text, column + 1, what);
  return false;
}

static void skip_blanks(struct parser *p)
{
  while (isspace((unsigned char)*p->at))
    p->at++;
}

/* `what` was to stand here. */
static bool expected(struct parser *p, const char *what)
{
  if (!*p->at)
    return wrong(p, p->at, "expected %s, and found the end", what);
  char found = isprint((unsigned char)*p->at) ? *p->at : '?';
  return wrong(p, p->at, "expected %s, and found '%c'", what, found);
}

static bool take(struct parser *p, char c)
{
  skip_blanks(p);
  if (*p->at != c)
    return false;
  p->at++;
  skip_blanks(p);
  return true;
}

/* ---- numbers ---- */

static const char *skip_digits(const char *at)
{
  while (isdigit((unsigned char)*at))
    at++;
  return at;
}

/* The end of a decimal number; `at`: there is none.  strtod() would also take
 * what is none of ours, such as "inf". */
static const char *end_of_decimal(const char *at)
{
  const char *end = skip_digits(at);
  bool any = end > at;
  if (*end == '.') {
    const char *fraction = end + 1;
    end = skip_digits(fraction);
    any = any || end > fraction;
  }
  if (!any)
    return at;
  if (*end == 'e' || *end == 'E') {
    const char *exponent = end + 1;
    if (*exponent == '+' || *exponent == '-')
      exponent++;
    if (isdigit((unsigned char)*exponent))
      end = skip_digits(exponent);
  }
  return end;
}

static bool begins_hex(const char *at)
{
  return at[0] == '0' && (at[1] == 'x' || at[1] == 'X') &&
         isxdigit((unsigned char)at[2]);
}

static size_t length_of_name(const char *at)
{
  size_t length = 0;
  while (isalnum((unsigned char)at[length]) || at[length] == '_')
    length++;
  return length;
}

static bool scale_by_unit(struct parser *p, double *value)
{
  skip_blanks(p);
  if (!isalpha((unsigned char)*p->at))
    return true;
  size_t length = length_of_name(p->at);
  double scale = 1;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++, scale *= 1024) {
    if (strlen(units[i]) == length && !strncmp(units[i], p->at, length)) {
      p->at += length;
      *value *= scale;
      return true;
    }
  }
  return wrong(p, p->at, "'%.*s' is no unit; B, KiB, MiB, GiB and TiB are",
               (int)(length < 32 ? length : 32), p->at);
}

/* What is expected, for the message. */
static bool parse_number(struct parser *p, double *value, const char *what)
{
  const char *start = p->at;
  bool minus = take(p, '-');
  if (begins_hex(p->at)) {
    char *end;
    errno = 0;
    *value = (double)strtoull(p->at, &end, 16);
    if (errno)
      return wrong(p, start, "the number is too large");
    p->at = end;
  } else {
    const char *end = end_of_decimal(p->at);
    if (end == p->at)
      return expected(p, what);
    *value = strtod(p->at, NULL);
    p->at = end;
  }
  if (!scale_by_unit(p, value))
    return false;
  if (!isfinite(*value))
    return wrong(p, start, "the number is too large");
  if (minus)
    *value = -*value;
  return true;
}

static bool parse_whole(struct parser *p, uint64_t *count, uint64_t least)
{
  const char *start = p->at;
  double value;
  if (!parse_number(p, &value, "a whole number"))
    return false;
  if (value < (double)least || value > whole_max || value != floor(value))
    return wrong(p, start, "expected a whole number, %ju or more",
                 (uintmax_t)least);
  *count = (uint64_t)value;
  return true;
}

/* ---- terms ---- */

static bool parse_sum(struct parser *p, struct expr_node **first);

/* A name in quotes, or all up to the closing parenthesis. */
static bool parse_file(struct parser *p, struct expr_node *node)
{
  const char *start = p->at;
  bool quoted = take(p, '"');
  const char *name = p->at;
  size_t length = strcspn(name, quoted ? "\"" : ")");
  p->at = name + length;
  if (quoted && *p->at != '"')
    return expected(p, "'\"' behind the FILE");
  if (quoted)
    p->at++;
  while (!quoted && length && isspace((unsigned char)name[length - 1]))
    length--;
  if (!length)
    return wrong(p, start, "expected the name of a FILE");

  char file[EXPR_LENGTH_MAX + 1];
  char why[256];
  memcpy(file, name, length);
  file[length] = '\0';
  if (!expr_seq_read(&node->seq, file, p->folder, why, sizeof why))
    return wrong(p, start, "%s", why);
  return true;
}

static bool parse_argument(struct parser *p, char kind, struct expr_node *node)
{
  switch (kind) {
  case 'a':
    return parse_number(p, &node->amount, "a number");
  case 'b':
    return parse_number(p, &node->phase, "a number");
  case 'n':
    return parse_whole(p, &node->count, 0);
  case 'p':
    return parse_whole(p, &node->count, 1);
  case 'f':
    return parse_file(p, node);
  default:
    return parse_sum(p, &node->inner);
  }
}

static bool parse_arguments(struct parser *p, const struct function *f,
                            struct expr_node *node)
{
  char what[64];
  snprintf(what, sizeof what, "'(' as in %s", f->form);
  if (!take(p, '('))
    return expected(p, what);
  for (const char *kind = f->arguments; *kind; kind++) {
    if (!parse_argument(p, *kind, node))
      return false;
    char after = kind[1] ? ',' : ')';
    snprintf(what, sizeof what, "'%c' as in %s", after, f->form);
    if (!take(p, after))
      return expected(p, what);
  }
  return true;
}

static bool parse_function(struct parser *p, struct expr_node *node)
{
  size_t length = length_of_name(p->at);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    const struct function *f = &functions[i];
    if (strlen(f->name) == length && !strncmp(f->name, p->at, length)) {
      node->op = f->op;
      p->at += length;
      return parse_arguments(p, f, node);
    }
  }
  return wrong(p, p->at,
               "there is no '%.*s'; there are ramp, unit, oscillate, random, "
               "seq, delay, min, max",
               (int)(length < 32 ? length : 32), p->at);
}

static bool parse_term(struct parser *p, struct expr_node *node)
{
  if (isalpha((unsigned char)*p->at))
    return parse_function(p, node);
  node->op = EXPR_NUMBER;
  return parse_number(p, &node->amount, "a number or a function");
}

static bool parse_terms(struct parser *p, struct expr_node **link)
{
  bool minus = false;
  skip_blanks(p);
  for (;;) {
    struct expr_node *node = &p->expr->nodes[p->expr->used++];
    *link = node;
    link = &node->next;
    if (take(p, '-'))
      minus = !minus;
    if (!parse_term(p, node))
      return false;
    node->minus = minus;
    minus = *p->at == '-';
    if (!take(p, '+') && !take(p, '-'))
      return true;
  }
}

static bool parse_sum(struct parser *p, struct expr_node **first)
{
  if (p->depth == EXPR_DEPTH_MAX)
    return wrong(p, p->at, "more than %d expressions in each other",
                 EXPR_DEPTH_MAX);
  p->depth++;
  bool fine = parse_terms(p, first);
  p->depth--;
  return fine;
}

/* ---- from outside ---- */

/* Each node but one that a mistake was found in takes a character. */
static struct expr *allocate(const char *text, size_t length)
{
  struct expr *expr =
      calloc(1, sizeof *expr + (length + 1) * sizeof expr->nodes[0]);
  if (!expr)
    return NULL;
  expr->text = strdup(text);
  if (expr->text)
    return expr;
  free(expr);
  return NULL;
}

struct expr *expr_parse(const char *text, const char *folder,
                        struct expr_error *error)
{
  struct parser p = {
      .text = text, .at = text, .folder = folder, .error = error};
  size_t length = strnlen(text, EXPR_LENGTH_MAX + 1);
  if (length > EXPR_LENGTH_MAX) {
    wrong(&p, text, "more than %d characters", EXPR_LENGTH_MAX);
    return NULL;
  }
  p.expr = allocate(text, length);
  if (!p.expr) {
    wrong(&p, text, "out of memory");
    return NULL;
  }
  if (parse_sum(&p, &p.expr->first) &&
      (!*p.at || expected(&p, "'+', '-' or the end")))
    return p.expr;
  expr_free(p.expr);
  return NULL;
}

bool expr_number(const char *text, double *value, struct expr_error *error)
{
  struct parser p = {.text = text, .at = text, .error = error};
  skip_blanks(&p);
  return parse_number(&p, value, "a number") &&
         (!*p.at || expected(&p, "the end of the number"));
}
