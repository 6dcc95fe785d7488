/* SPDX-License-Identifier: MIT */
/* workload.h -- what can be run: built-in workloads, examples, commands */
#ifndef DUSK_LAB_WORKLOAD_H
#define DUSK_LAB_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct workload {
  char *name;  /* as it was asked for; of a command, its words */
  char **argv; /* ends in NULL */
};

/* Finds NAME[:OPTION[=VALUE][,OPTION...]], with small sizes if `quick`.  False,
 * and one line in message[], if there is none, or it is not installed.  What it
 * fills in lives as long as the program. */
bool workload_find(struct workload *workload, const char *text, bool quick,
                   char *message, size_t size);

/* A command: argv as it stands. */
void workload_command(struct workload *workload, char **argv);

/* Prints the names that workload_find() knows. */
void workload_list(FILE *to);

/* The command line as one would type it, shortened to fit. */
void workload_print(const struct workload *workload, char *text, size_t size);

#endif
