/* SPDX-License-Identifier: MIT */
/* scrub.c -- clearing the part of a stack that is free
 *
 * Runs on the thread whose stack it is, in DUSK_DEBUG=checkmark alone.  What it
 * leaves is met again: frames lie at the same distances from each other time
 * and again, so that a word that a gap in a frame of ours has kept turns up in
 * a gap of the program's.  Hence scrub_near() has no frame.
 *
 * Tested by tests/unit/scrub.c, both ways. */
#include "os/scrub.h"

#include "base/bits.h"
#include "os/assembler.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCRUB_BYTES = 32 * 1024 };

/* Clears so much below its own frame; true: there was something in the last
 * SCRUB_BYTES of it.  One frame, so that nothing lies in between. */
static READS_AMBIGUOUS_WORDS bool clear(size_t bytes)
{
  volatile uintptr_t *dead = __builtin_alloca(bytes);
  uintptr_t used = 0;
  for (size_t i = 0; i < bytes / sizeof *dead; i++) {
    if (i < SCRUB_BYTES / sizeof *dead)
      used |= dead[i];
    dead[i] = 0;
  }
  return used != 0;
}

/* Where nothing has been for that long, nothing is further down: it is as the
 * system gave it, or as the last time left it. */
NOINLINE void scrub_far(uintptr_t low)
{
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  size_t room = align_down(here - low, SCRUB_BYTES);
  size_t spare = 2 * (size_t)SCRUB_BYTES; /* for who is called, and signals */
  for (size_t bytes = SCRUB_BYTES; bytes + spare <= room; bytes *= 2)
    if (!clear(bytes))
      return;
}

#if defined(__x86_64__) && defined(__LP64__) && !defined(SELF_PORTABLE)

/* The stack pointer moves down first: signals come in between. */
ASSEMBLER_FUNCTION("scrub_near", "  endbr64\n"
                                 "  movq %rsp, %rdx\n"
                                 "  .cfi_def_cfa_register %rdx\n"
                                 "  subq $2048, %rsp\n"
                                 "  movq %rsp, %rdi\n"
                                 "  movl $256, %ecx\n"
                                 "  xorl %eax, %eax\n"
                                 "  rep stosq\n"
                                 "  movq %rdx, %rsp\n"
                                 "  .cfi_def_cfa_register %rsp\n"
                                 "  ret\n");

#elif defined(__aarch64__) && defined(__LP64__) && !defined(SELF_PORTABLE)

ASSEMBLER_FUNCTION("scrub_near", "  hint #34\n"
                                 "  mov x0, sp\n"
                                 "  .cfi_def_cfa_register x0\n"
                                 "  sub x1, x0, #2048\n"
                                 "  mov sp, x1\n"
                                 "1: stp xzr, xzr, [x1], #16\n"
                                 "  cmp x1, x0\n"
                                 "  b.lo 1b\n"
                                 "  mov sp, x0\n"
                                 "  .cfi_def_cfa_register sp\n"
                                 "  ret\n");

#else

/* Its own frame has gaps, but they are few. */
READS_AMBIGUOUS_WORDS void scrub_near(void)
{
  volatile uintptr_t near[2048 / sizeof(uintptr_t)];
  uintptr_t used = 0;
  for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
    used |= near[i];
    near[i] = 0;
  }
  (void)used;
}

#endif
