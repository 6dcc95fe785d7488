/* SPDX-License-Identifier: MIT */
/* print.h -- rows for a program to read, or for a person */
#ifndef DUSK_LAB_SIM_PRINT_H
#define DUSK_LAB_SIM_PRINT_H

#include "world.h"

/* A line each, and one of names before.  CSV: bytes exactly, the share of the
 * processors to four decimals. */
void sim_print_csv(const struct sim_row *rows, unsigned n);
void sim_print_table(const struct sim_row *rows, unsigned n);

#endif
