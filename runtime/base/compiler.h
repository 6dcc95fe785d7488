/* SPDX-License-Identifier: MIT */
/* compiler.h -- what the compiler must be told; the only conditional code
 * outside os/ */
#ifndef DUSK_BASE_COMPILER_H
#define DUSK_BASE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define COLD __attribute__((cold, noinline))
#define NOINLINE __attribute__((noinline))
#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* Enough for every machine that Dusk runs on; more wastes space, less lets two
 * writers share a line. */
enum { CACHE_LINE = 64 };

/* Reads memory that the program may be writing with plain stores, word by
 * word: stacks, roots, conservative objects.  Such a word is only a hint where
 * to look, so any value that was ever there is good; the sanitizers would
 * rightly call it a race in a program, and an overflow between two locals. */
#define READS_AMBIGUOUS_WORDS                                                  \
  __attribute__((no_sanitize("thread", "address", "undefined"), noinline))

/* The stack pointer as it was in the caller of this function, at the call: all
 * that the caller and its callers hold in memory lies there or above. */
#define CALLER_SP() ((uintptr_t)__builtin_dwarf_cfa())

/* Where the calling function returns to. */
#define CALLER_PC() ((uintptr_t)__builtin_return_address(0))

#if defined(__has_feature)
#define COMPILER_HAS_FEATURE(x) __has_feature(x)
#else
#define COMPILER_HAS_FEATURE(x) 0
#endif

#if defined(__SANITIZE_THREAD__) || COMPILER_HAS_FEATURE(thread_sanitizer)
enum { THREAD_SANITIZER = 1 };
#else
enum { THREAD_SANITIZER = 0 };
#endif

#endif
