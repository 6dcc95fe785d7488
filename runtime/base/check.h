/* SPDX-License-Identifier: MIT */
/* check.h -- three populations of error, three treatments
 *
 *   the caller's mistake     an errno value, or complain() and no change
 *   no memory                an answer, never a check
 *   our own corruption       CHECK(), PANIC(): say what is wrong and abort
 *
 * CHECK is for checked builds (--enable-checks), CHECK_SLOW for walks in them.
 * A disabled check still compiles, so that it cannot rot. */
#ifndef DUSK_BASE_CHECK_H
#define DUSK_BASE_CHECK_H

#include "base/compiler.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifndef DUSK_CHECKS
#define DUSK_CHECKS 0
#endif

#ifdef DUSK_COVERAGE
void __gcov_dump(void); /* the compiler's */
#define WRITE_COVERAGE() __gcov_dump()
#else
#define WRITE_COVERAGE() ((void)0)
#endif

/* One line on stderr, "dusk: " first. */
COLD void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* abort(); a build that counts which lines run (./dev coverage) first writes
 * what it has counted. */
COLD __attribute__((noreturn)) void give_up(void);

/* One line on stderr, then give_up(). */
COLD __attribute__((noreturn)) void panic(const char *file, int line,
                                          const char *format, ...)
    PRINTF_LIKE(3, 4);

#define PANIC(...) panic(__FILE__, __LINE__, __VA_ARGS__)

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (DUSK_CHECKS && UNLIKELY(!(condition)))                                 \
      PANIC("check failed: %s", #condition);                                   \
  } while (0)

#define CHECK_SLOW(condition) CHECK(condition)

#endif
