/* SPDX-License-Identifier: MIT */
/* host.c -- the machine that measures; see host.h */
#include "host.h"

#include "lab/show/page.h"
#include "lab/show/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void host_read_model(char *text, size_t size)
{
  char line[256];
  FILE *file = fopen("/proc/cpuinfo", "re");
  *text = '\0';
  while (file && fgets(line, sizeof line, file)) {
    char *value = strchr(line, ':');
    if (strncmp(line, "model name", 10) || !value)
      continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(text, size, ",%s", value + 1);
    break;
  }
  if (file)
    fclose(file);
}

void host_read(struct host *host)
{
  char model[128];
  host_read_model(model, sizeof model);
  snprintf(host->processors, sizeof host->processors, "%ld%s",
           sysconf(_SC_NPROCESSORS_ONLN), model);

  struct utsname name;
  if (uname(&name))
    snprintf(host->kernel, sizeof host->kernel, "unknown");
  else
    snprintf(host->kernel, sizeof host->kernel, "%.40s %.60s %.40s",
             name.sysname, name.release, name.machine);
  value_print_bytes(host->memory, sizeof host->memory,
                    (uint64_t)sysconf(_SC_PHYS_PAGES) *
                        (uint64_t)sysconf(_SC_PAGESIZE));

  double load[3];
  if (getloadavg(load, 3) == 3)
    snprintf(host->load, sizeof host->load, "%.2f, %.2f, %.2f", load[0],
             load[1], load[2]);
  else
    snprintf(host->load, sizeof host->load, "unknown");

  time_t now = time(NULL);
  struct tm local;
  strftime(host->date, sizeof host->date, "%Y-%m-%d %H:%M %z",
           localtime_r(&now, &local));
}

static void fact(FILE *to, const char *name, const char *value)
{
  page_row_begin(to);
  page_row_heading(to, name);
  page_cell(to, value, false);
  page_row_end(to);
}

void host_table(const struct host *host, const char *command, const char *runs,
                FILE *to)
{
  page_table_begin(to, "The machine, and the command");
  page_table_heading(to, "", "", false);
  page_table_heading(to, "", "", false);
  page_headings_end(to);
  fact(to, "command", command);
  if (runs)
    fact(to, "runs", runs);
  fact(to, "date", host->date);
  fact(to, "processors", host->processors);
  fact(to, "memory", host->memory);
  fact(to, "kernel", host->kernel);
  fact(to, "load before", host->load);
  for (char **variable = environ; *variable; variable++)
    if (!strncmp(*variable, "DUSK_", 5))
      fact(to, "environment", *variable);
  page_table_end(to);
}
