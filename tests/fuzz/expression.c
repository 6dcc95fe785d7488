/* SPDX-License-Identifier: MIT */
/* expression.c -- text as an expression of the simulator
 *
 * It is drawn from, or one line says what is wrong with it. */
#include "fuzz.h"

#include "lab/sim/expr.h"

#include <ctype.h>
#include <string.h>

const char *const fuzz_name = "expression";
const unsigned fuzz_runs = 20000;

enum { DRAWS = 20 };

static void expect_line(const char *text)
{
  FUZZ_EXPECT(*text);
  for (; *text; text++)
    FUZZ_EXPECT(!iscntrl((unsigned char)*text));
}

static void draw(struct expr *expr)
{
  struct expr_error error;
  double value;
  for (int i = 0; i < DRAWS; i++)
    if (!expr_draw(expr, &value, &error)) {
      expect_line(error.text);
      return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct expr_error error;
  double value;
  if (size > 2 * EXPR_LENGTH_MAX || memchr(data, '/', size))
    return 0; /* no files elsewhere */
  char *text = calloc(1, size + 1);
  if (!text)
    return 0;
  memcpy(text, data, size);
  struct expr *expr = expr_parse(text, NULL, &error);
  if (expr)
    draw(expr);
  else
    expect_line(error.text);
  expr_free(expr);
  if (!expr_number(text, &value, &error))
    expect_line(error.text);
  free(text);
  return 0;
}
