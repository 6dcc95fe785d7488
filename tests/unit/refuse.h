/* SPDX-License-Identifier: MIT */
/* refuse.h -- a system that refuses the n-th call, whichever it is
 *
 * Wraps every table of os/ (vm, block, file, task, self), counts the calls that
 * the system may refuse, and refuses those that it is told to, as the system
 * would.  It also keeps count of what has been got and not given back.  Any
 * threads call, at once. */
#ifndef DUSK_TESTS_UNIT_REFUSE_H
#define DUSK_TESTS_UNIT_REFUSE_H

#include <stdbool.h>
#include <stdint.h>

/* Calls that were let through set errno too, to something else. */
enum { REFUSE_NOISE = 18 /* EXDEV */ };

/* Got, and not given back. */
struct refuse_held {
  int64_t bytes; /* of address space */
  int64_t blocks;
  int64_t files;
  int64_t tasks;
};

void refuse_begin(void);

/* Counts from 1 again; call number `first` is refused, and `count` in all. */
void refuse_calls(uint64_t first, uint64_t count);

/* From here on nothing is refused. */
void refuse_nothing(void);

uint64_t refuse_count(void);   /* calls so far */
uint64_t refuse_refused(void); /* and those refused */
struct refuse_held refuse_held(void);

/* Of call number `first`, if it has been: its name. */
const char *refuse_first_name(void);

#endif
