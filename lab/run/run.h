/* SPDX-License-Identifier: MIT */
/* run.h -- what the parts of dusk-lab run share */
#ifndef DUSK_LAB_RUN_H
#define DUSK_LAB_RUN_H

#include "grid.h"
#include "host.h"

/* The medians of all cells, for people, on `to`. */
void run_table_print(const struct grid *grid, FILE *to);

/* The figures of every run, a line each, columns separated by tabs; false: the
 * file could not be written, and errno says why. */
bool run_table_save(const struct grid *grid, const char *path);

/* The page, from its begin to before its close. */
void run_page_write(const struct grid *grid, const struct host *host,
                    const char *command, FILE *to);

#endif
