/* SPDX-License-Identifier: MIT */
/* lab.h -- the commands of dusk-lab, and how they end in failure
 *
 * A command gets its own arguments, its name first, and returns the exit
 * status: 0, 1 when something that was tried failed, LAB_USAGE when what was
 * asked for makes no sense. */
#ifndef DUSK_LAB_LAB_H
#define DUSK_LAB_LAB_H

enum { LAB_USAGE = 2 };

int lab_sim(int argc, char **argv);
int lab_run(int argc, char **argv);
int lab_pauses(int argc, char **argv);
int lab_work(int argc, char **argv);
int lab_heap(int argc, char **argv);

/* One line on stderr, "dusk-lab: " and the message, which says what is wrong,
 * where, and what would be right; ends the program with LAB_USAGE. */
_Noreturn void lab_refuse(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* The same for what went wrong on the way; ends the program with 1. */
_Noreturn void lab_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
