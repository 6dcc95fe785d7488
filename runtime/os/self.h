/* SPDX-License-Identifier: MIT */
/* self.h -- the calling thread's stack and registers, the program's variables:
 * where the words are that may hold pointers
 *
 * errno is never changed. */
#ifndef DUSK_OS_SELF_H
#define DUSK_OS_SELF_H

#include "base/compiler.h"

#include <pthread.h>

/* Words that hold every register which a function call preserves.  Machines
 * other than these two go the portable way, which takes part of the stack
 * along; -DSELF_PORTABLE makes every machine go it, for tests. */
#if defined(__x86_64__) && defined(__LP64__) && !defined(SELF_PORTABLE)
enum { SELF_REGISTERS = 6 }; /* rbx rbp r12-r15 */
#elif defined(__aarch64__) && defined(__LP64__) && !defined(SELF_PORTABLE)
enum { SELF_REGISTERS = 19 }; /* x19-x29 d8-d15 */
#else
enum { SELF_REGISTERS = 128 };
#endif

/* What the C library is asked for, which asks the system: a table that a test
 * can replace.  Each returns 0 or an errno value. */
struct self_table {
  int (*make_key)(pthread_key_t *key, void (*ends)(void *word));
  int (*set)(pthread_key_t key, const void *word);
  int (*attributes)(pthread_t thread, pthread_attr_t *attributes);
};
extern struct self_table self_system;

/* The calling thread, as pthread_self(). */
pthread_t self_thread(void);

/* What the calling thread is called, as pthread_setname_np() has it; "" if the
 * system will not say. */
enum { SELF_NAME = 16 };
void self_name(char name[SELF_NAME]);

/* A word of each thread's own, NULL at first.  self_word_open() comes before
 * the others, any number of times, always with the same function: that is
 * called with the word of a thread that ends while it is not NULL.  0, or an
 * errno value: the next call tries again. */
WARN_UNUSED int self_word_open(void (*ends)(void *word));
void *self_word(void);
int self_set_word(void *word); /* ENOMEM; not when it is set already */

/* For who runs several threads' steps on one pthread: this one ends. */
void self_end(void);

/* The stack of the calling pthread: [*low, *high).  Returns 0 or an errno
 * value. */
WARN_UNUSED int self_stack(uintptr_t *low, uintptr_t *high);

/* Writes the preserved registers as they are in the caller, and returns the
 * caller's stack pointer, or a little less: words from there up to the stack's
 * high end, and the registers, are all that the caller and its callers hold. */
NOINLINE uintptr_t self_save(uintptr_t registers[SELF_REGISTERS]);

/* Calls visit(start, end, context) for each writable data segment of the
 * program and its libraries, while none of them can be loaded or unloaded: it
 * must not load one itself, nor wait for a thread that might.  start and end
 * are multiples of a word. */
void self_data_segments(void (*visit)(uintptr_t start, uintptr_t end,
                                      void *context),
                        void *context);

#endif
