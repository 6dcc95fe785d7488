/* SPDX-License-Identifier: MIT */
/* fiber.c -- a stack and a place to go on from
 *
 * What belongs to a pthread and would be another's after a pass, errno and the
 * ranks of the locks held, goes along with the fiber. */
#include "fiber.h"

#include "base/lock.h"

#include <errno.h>
#include <string.h>

void fiber_adopt(struct fiber *fiber)
{
  memset(fiber, 0, sizeof *fiber);
}

/* makecontext() passes ints. */
static void begin(unsigned high, unsigned low)
{
  uintptr_t address = (uintptr_t)high << 32 | low;
  struct fiber *fiber = (struct fiber *)address;
  fiber->body(fiber->argument);
}

/* The registers that a call preserves begin as the maker's: cleared, they keep
 * nothing alive that the fiber does not know. */
static void forget_registers(ucontext_t *context)
{
#if defined(__x86_64__)
  greg_t *registers = context->uc_mcontext.gregs;
  registers[REG_RBP] = 0;
  registers[REG_R12] = registers[REG_R13] = 0;
  registers[REG_R14] = registers[REG_R15] = 0;
#else
  (void)context;
#endif
}

void fiber_make(struct fiber *fiber, void *stack, size_t bytes,
                void (*body)(void *argument), void *argument)
{
  uintptr_t address = (uintptr_t)fiber;
  *fiber = (struct fiber){.stack_low = (uintptr_t)stack,
                          .stack_high = (uintptr_t)stack + bytes,
                          .body = body,
                          .argument = argument};
  getcontext(&fiber->context);
  forget_registers(&fiber->context);
  fiber->context.uc_stack.ss_sp = stack;
  fiber->context.uc_stack.ss_size = bytes;
  makecontext(&fiber->context, (void (*)(void))begin, 2,
              (unsigned)(address >> 32), (unsigned)address);
}

void fiber_pass(struct fiber *from, struct fiber *to)
{
  from->kept_errno = errno;
  from->kept_ranks = lock_swap_held(to->kept_ranks);
  swapcontext(&from->context, &to->context);
  /* Back again: whoever passed has swapped the ranks already. */
  errno = from->kept_errno;
}
