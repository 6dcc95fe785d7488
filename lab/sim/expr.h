/* SPDX-License-Identifier: MIT */
/* expr.h -- a figure that changes from cycle to cycle, written down
 *
 *   EXPR    [-] TERM { + TERM | - TERM }
 *   TERM    NUMBER                  the same in each cycle
 *           ramp(h,n)               0, h/n, 2h/n...: h from cycle n + 1 on
 *           unit(a)                 a in the first cycle, then 0
 *           oscillate(a,phase,p)    a * sin(2 pi k / p + phase), k from 0
 *           random(a,seed)          within a of 0; the seed says which
 *           seq(a,FILE)             the same, by a file's numbers in [0, 1)
 *           delay(n,EXPR)           n times 0, then EXPR from its beginning
 *           min(EXPR,x)             the lesser
 *           max(EXPR,x)             the greater
 *   NUMBER  [-] DIGITS[.DIGITS][eN], or 0xHEX; then B, KiB, MiB, GiB, TiB
 *
 * Blanks may stand anywhere between these.  A sum is added from the left to the
 * right, which is part of its meaning: golden rows are exact to the bit. */
#ifndef DUSK_LAB_EXPR_H
#define DUSK_LAB_EXPR_H

#include "base/compiler.h"

enum {
  EXPR_LENGTH_MAX = 4096,
  EXPR_DEPTH_MAX = 64, /* of EXPRs in each other */
};

struct expr;

/* One line: the expression, where in it, what is wrong, and what would do. */
struct expr_error {
  char text[400];
};

/* NULL: *error says why.  FILEs are looked for in `folder` first, unless it is
 * NULL, then in the current one; they are read here, and not again.  The caller
 * owns the expression. */
WARN_UNUSED struct expr *expr_parse(const char *text, const char *folder,
                                    struct expr_error *error);
void expr_free(struct expr *expr); /* NULL: nothing */

/* The figure of the next cycle, not always a finite one.  false: a FILE has no
 * number left, and *error says so. */
WARN_UNUSED bool expr_draw(struct expr *expr, double *value,
                           struct expr_error *error);

/* A NUMBER and nothing else. */
WARN_UNUSED bool expr_number(const char *text, double *value,
                             struct expr_error *error);

/* The part of a text around `at`, short, and fit to print. */
struct expr_excerpt {
  char text[72];
};
struct expr_excerpt expr_excerpt(const char *text, size_t at);

#endif
