/* SPDX-License-Identifier: MIT */
/* scenario.h -- simulated programs in files
 *
 * A line is NAME = VALUE, with the names of sim_program_set(); blank lines do
 * not count, nor what follows a # at the beginning of a line or behind a
 * blank.  The first line of all, when it is such a comment, describes the
 * scenario. */
#ifndef DUSK_LAB_SCENARIO_H
#define DUSK_LAB_SCENARIO_H

#include "program.h"

#define SCENARIO_SUFFIX ".sim"

/* Sets what the file sets.  false: *message says what, and in which line. */
WARN_UNUSED bool scenario_read(struct sim_program *program, const char *file,
                               struct sim_message *message);

/* The file of a scenario: one of that name, or the one in `folder` that is
 * called so but for the suffix, case, '-' and '_'.  The caller frees it.  NULL:
 * *message says where it was looked for. */
char *scenario_find(const char *name, const char *folder,
                    struct sim_message *message);

/* Prints a line for each scenario in the folder, in the order of their
 * names. */
WARN_UNUSED bool scenario_list(const char *folder, struct sim_message *message);

#endif
