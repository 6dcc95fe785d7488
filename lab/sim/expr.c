/* SPDX-License-Identifier: MIT */
/* expr.c -- what an expression is worth in the next cycle
 *
 * Each term counts for itself how often it was asked, so that one inside a
 * delay begins when the delay is over.  Golden rows hang on the order of the
 * operations: products that are added to something stand in a statement of
 * their own, so that no compiler fuses the two.
 *
 * TESTED  tests/lab/expr.c */
#include "expr_node.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Number `n` of the sequence that a seed stands for, in [0, 1): the splitmix64
 * mixer over a counter.  The same on every machine, and cheap to ask for any
 * n. */
static double uniform(uint64_t seed, uint64_t n)
{
  uint64_t x = seed + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
  x ^= x >> 31;
  return (double)(x >> 11) * 0x1p-53;
}

static double wave(const struct expr_node *node, uint64_t k)
{
  double turns = (double)(k % node->count) / (double)node->count;
  double angle = turns * 2 * 3.14159265358979323846;
  return sin(angle + node->phase) * node->amount;
}

static double ramp(const struct expr_node *node, uint64_t k)
{
  double steps = (double)(k < node->count ? k : node->count);
  return node->amount * steps / (double)node->count;
}

static double within(double amount, double uniform_number)
{
  return (uniform_number - 0.5) * 2 * amount;
}

static bool draw_sum(struct expr_node *first, double *sum,
                     const struct expr_node **empty);

/* One that holds an EXPR. */
static bool draw_inner(struct expr_node *node, uint64_t k, double *value,
                       const struct expr_node **empty)
{
  *value = 0;
  if (node->op == EXPR_DELAY && k < node->count)
    return true;
  if (!draw_sum(node->inner, value, empty))
    return false;
  if (node->op == EXPR_MIN && *value > node->amount)
    *value = node->amount;
  if (node->op == EXPR_MAX && *value < node->amount)
    *value = node->amount;
  return true;
}

/* false: *empty is the term that has no number left. */
static bool draw_term(struct expr_node *node, double *value,
                      const struct expr_node **empty)
{
  uint64_t k = node->drawn++;
  switch (node->op) {
  case EXPR_NUMBER:
    *value = node->amount;
    return true;
  case EXPR_RAMP:
    *value = ramp(node, k);
    return true;
  case EXPR_UNIT:
    *value = k == 0 ? node->amount : 0;
    return true;
  case EXPR_OSCILLATE:
    *value = wave(node, k);
    return true;
  case EXPR_RANDOM:
    *value = within(node->amount, uniform(node->count, k));
    return true;
  case EXPR_SEQ:
    *empty = node;
    if (k >= node->seq.length)
      return false;
    *value = within(node->amount, node->seq.numbers[k]);
    return true;
  default:
    return draw_inner(node, k, value, empty);
  }
}

/* Recurs no deeper than EXPR_DEPTH_MAX. */
static bool draw_sum(struct expr_node *first, double *sum,
                     const struct expr_node **empty)
{
  for (struct expr_node *node = first; node; node = node->next) {
    double value;
    if (!draw_term(node, &value, empty))
      return false;
    if (node->minus)
      value = -value;
    *sum = node == first ? value : *sum + value;
  }
  return true;
}

bool expr_draw(struct expr *expr, double *value, struct expr_error *error)
{
  const struct expr_node *empty;
  expr->drawn++;
  if (draw_sum(expr->first, value, &empty))
    return true;
  snprintf(error->text, sizeof error->text,
           "'%s': %s has %zu numbers, and cycle %ju needs one more",
           expr_excerpt(expr->text, 0).text,
           expr_excerpt(empty->seq.file, 0).text, empty->seq.length,
           (uintmax_t)expr->drawn);
  return false;
}

void expr_free(struct expr *expr)
{
  if (!expr)
    return;
  for (size_t i = 0; i < expr->used; i++) {
    free(expr->nodes[i].seq.file);
    free(expr->nodes[i].seq.numbers);
  }
  free(expr->text);
  free(expr);
}

struct expr_excerpt expr_excerpt(const char *text, size_t at)
{
  enum { SHOWN = 64, BEFORE = 24 };
  struct expr_excerpt excerpt = {.text = ""};
  size_t length = strlen(text);
  size_t from = at > BEFORE && length > SHOWN ? at - BEFORE : 0;
  size_t shown = length - from > SHOWN ? SHOWN : length - from;
  snprintf(excerpt.text, sizeof excerpt.text, "%s%.*s%s", from ? "..." : "",
           (int)shown, text + from, from + shown < length ? "..." : "");
  for (char *c = excerpt.text; *c; c++)
    if (iscntrl((unsigned char)*c))
      *c = '?';
  return excerpt;
}
