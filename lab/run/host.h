/* SPDX-License-Identifier: MIT */
/* host.h -- the machine that measures: without it a figure means little */
#ifndef DUSK_LAB_HOST_H
#define DUSK_LAB_HOST_H

#include <stdio.h>

struct host {
  char processors[160];
  char kernel[160];
  char memory[32];
  char date[64];
  char load[48]; /* over 1, 5 and 15 minutes, when it was looked at */
};

/* Looks at the machine, before the work begins. */
void host_read(struct host *host);

/* Writes them into a page as a table, with the command, the variables of the
 * environment that a heap reads, and, unless NULL, how many runs there were. */
void host_table(const struct host *host, const char *command, const char *runs,
                FILE *to);

#endif
