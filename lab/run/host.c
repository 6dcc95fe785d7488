/* SPDX-License-Identifier: MIT */
/* host.c -- the machine that measures; see host.h */
#include "host.h"

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
