/* SPDX-License-Identifier: MIT */
/* expr_node.h -- an expression as the parser leaves it: expr*.c only */
#ifndef DUSK_LAB_EXPR_NODE_H
#define DUSK_LAB_EXPR_NODE_H

#include "expr.h"

enum expr_op {
  EXPR_NUMBER,
  EXPR_RAMP,
  EXPR_UNIT,
  EXPR_OSCILLATE,
  EXPR_RANDOM,
  EXPR_SEQ,
  EXPR_DELAY,
  EXPR_MIN,
  EXPR_MAX,
};

/* The numbers of a FILE. */
struct expr_seq {
  char *file; /* as the expression names it */
  double *numbers;
  size_t length;
};

/* A TERM.  Terms of a sum are a list. */
struct expr_node {
  enum expr_op op;
  bool minus;              /* it is subtracted */
  double amount;           /* the number, h, a or x */
  double phase;            /* radians */
  uint64_t count;          /* n, p or the seed */
  uint64_t drawn;          /* how often it was asked */
  struct expr_seq seq;     /* EXPR_SEQ */
  struct expr_node *inner; /* the first term of EXPR; the parser bounds depth */
  struct expr_node *next;  /* in the sum, or NULL */
};

struct expr {
  char *text;
  uint64_t drawn;
  struct expr_node *first;
  size_t used;
  struct expr_node nodes[]; /* as many as the text has characters */
};

/* false: why, in at most `size` characters. */
WARN_UNUSED bool expr_seq_read(struct expr_seq *seq, const char *file,
                               const char *folder, char *why, size_t size);

#endif
