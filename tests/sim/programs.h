/* SPDX-License-Identifier: MIT */
/* programs.h -- the simulated programs, by name */
#ifndef DUSK_TESTS_SIM_PROGRAMS_H
#define DUSK_TESTS_SIM_PROGRAMS_H

#include "harness.h"

const struct sim_program *sim_program_named(const char *name); /* or NULL */

#endif
