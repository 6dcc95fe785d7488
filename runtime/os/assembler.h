/* SPDX-License-Identifier: MIT */
/* assembler.h -- a function that C cannot express */
#ifndef DUSK_OS_ASSEMBLER_H
#define DUSK_OS_ASSEMBLER_H

/* The library's own, and of no other name outside it. */
#define ASSEMBLER_FUNCTION(name, body)                                         \
  __asm__(".pushsection .text\n"                                               \
          ".balign 16\n"                                                       \
          ".globl " name "\n"                                                  \
          ".hidden " name "\n"                                                 \
          ".type " name ", %function\n" name ":\n"                             \
          ".cfi_startproc\n" body ".cfi_endproc\n"                             \
          ".size " name ", . - " name "\n"                                     \
          ".popsection\n")

#endif
