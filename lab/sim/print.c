/* SPDX-License-Identifier: MIT */
/* print.c -- rows for a program to read, or for a person
 *
 * TESTED  tests/lab/sim.sh */
#include "print.h"

#include <inttypes.h>
#include <stdio.h>

void sim_print_csv(const struct sim_row *rows, unsigned n)
{
  puts("cycle,util,live,trigger,peak,goal");
  for (const struct sim_row *row = rows; row < rows + n; row++)
    printf("%u,%.4f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
           row->cycle, row->utilization, row->live, row->trigger, row->peak,
           row->goal);
}

static void print_size(uint64_t bytes)
{
  static const char *const units[] = {"B  ", "KiB", "MiB", "GiB", "TiB", "PiB"};
  enum { LAST = sizeof units / sizeof units[0] - 1 };
  double size = (double)bytes;
  unsigned unit = 0;
  while (size >= 1024 && unit < LAST) {
    size /= 1024;
    unit++;
  }
  printf("  %8.*f %s", unit ? 2 : 0, size, units[unit]);
}

void sim_print_table(const struct sim_row *rows, unsigned n)
{
  printf("%7s  %7s  %12s  %12s  %12s  %12s  %9s\n", "cycle", "util", "live",
         "trigger", "peak", "goal", "peak/goal");
  for (const struct sim_row *row = rows; row < rows + n; row++) {
    printf("%7u  %6.2f%%", row->cycle, 100 * row->utilization);
    print_size(row->live);
    print_size(row->trigger);
    print_size(row->peak);
    print_size(row->goal);
    printf("  %8.2f%%\n", 100 * sim_goal_ratio(row));
  }
}
