/* SPDX-License-Identifier: MIT */
/* fiber.h -- a stack and a place to go on from
 *
 * All fibers run on the pthread that made them; one goes until it passes to
 * another.  Stacks come from whoever makes the fiber, zeroed. */
#ifndef DUSK_TESTS_STEPS_FIBER_H
#define DUSK_TESTS_STEPS_FIBER_H

#include "base/compiler.h"

#include <ucontext.h>

struct fiber {
  ucontext_t context;
  uintptr_t stack_low;
  uintptr_t stack_high;
  void (*body)(void *argument); /* never returns */
  void *argument;
  int kept_errno;
  unsigned kept_ranks; /* of the locks that it holds */
};

/* The caller becomes a fiber: to pass to others, and to be passed back to. */
void fiber_adopt(struct fiber *fiber);

/* One that calls body(argument) when it is passed to for the first time. */
void fiber_make(struct fiber *fiber, void *stack, size_t bytes,
                void (*body)(void *argument), void *argument);

void fiber_pass(struct fiber *from, struct fiber *to);

#endif
