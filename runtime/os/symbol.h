/* SPDX-License-Identifier: MIT */
/* symbol.h -- the function, file and line of a return address
 *
 * For reports alone: each name may run a program, addr2line, and take tens of
 * milliseconds.  errno is never changed. */
#ifndef DUSK_OS_SYMBOL_H
#define DUSK_OS_SYMBOL_H

#include "base/compiler.h"

/* "function at file.c:12 (module)" of the call that returns to pc; functions
 * inlined there are named from the innermost outwards, "f at a.c:3, in g at
 * a.c:9 (module)", without those of <dusk.h>.  Where there is no line to be
 * had, what unwind_name() says. */
void symbol_print(uintptr_t pc, char *text, size_t size);

#endif
